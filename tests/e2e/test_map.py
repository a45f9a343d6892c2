"""The ship map, the inspector, the time line and the clock, in a real browser against the protocol harness."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.e2e.bench import ready, run, shows
from tests.e2e.conftest import Watched
from tests.e2e.harness import cluster as fake
from tests.e2e.harness.server import Harness

FAILING = "pod:default/web-5f6d9c7b8b-k2xqp"


def bench(watched: Watched, harness: Harness, lang: str = "en") -> Page:
    harness.cluster()
    page = watched.open(f"/{lang}/lesson/")
    ready(page)
    page.wait_for_selector("svg.map")
    return page


def labels(page: Page) -> list[str]:
    """What the parts of the map are called."""
    return [
        str(x)
        for x in page.evaluate("() => [...document.querySelectorAll('.map-host .part')].map((p) => p.getAttribute('aria-label'))")
    ]


def test_every_part_of_the_view_is_on_the_map(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    names = labels(page)
    for wanted in (
        "etcd, healthy, term 2, leader controlplane, members 1 / 1",
        "kube-apiserver, healthy",
        "kube-scheduler, healthy, healthy",
        "controlplane kubelet, healthy",
        "node01 containerd, healthy",
        "default/web-5f6d9c7b8b-k2xqp, ErrImagePull, node02",
        "kube-system/coredns-7d764666f9-4xk2p, Running, controlplane",
    ):
        assert wanted in names, names
    pods = sum(len(host["pods"]) for host in harness.cluster().view["hosts"])
    assert sum(name.startswith(("default/", "kube-system/")) for name in names) == pods


def test_a_changed_view_is_drawn_and_keeps_selection_and_focus(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.locator('.map-host .part[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("() => document.activeElement.dataset.id")
    page.keyboard.press("Enter")

    def stop(view: dict[str, Any]) -> None:
        view["hosts"][0]["components"][2]["state"] = "stopped"
        view["pending"] = [fake.pod("web-7c5d8bf9f-new01", "pending", "Unschedulable")]

    harness.call(lambda: harness.cluster().change(stop))
    page.wait_for_function("() => document.querySelector('.part[aria-label^=\"kube-scheduler, stopped\"]')")
    assert "default/web-7c5d8bf9f-new01, Unschedulable, no node" in labels(page)
    assert page.evaluate("() => document.activeElement.dataset.id") == focused
    assert page.evaluate("() => document.querySelector('.part[aria-pressed=true]').dataset.id") == focused


def test_a_view_with_only_what_is_required_is_drawn(watched: Watched, harness: Harness) -> None:
    harness.cluster().view = {
        "hosts": [
            {"name": "controlplane", "role": "control-plane"},
            {"name": "node01", "role": "worker", "pods": [{"namespace": "a", "name": "b"}]},
        ]
    }
    page = bench(watched, harness)
    assert "a/b, pending, node01" in labels(page)


def test_machines_without_a_cluster_are_drawn_too(watched: Watched, harness: Harness) -> None:
    docker = {"id": "docker", "name": "docker", "state": "healthy"}
    machine = {"name": "docker01", "role": "machine", "state": "healthy", "ready": True, "components": [docker]}
    harness.cluster().view = {"hosts": [machine]}
    page = bench(watched, harness)
    assert labels(page) == ["docker01 docker, healthy"]
    assert page.locator("svg.map .hull").count() == 1 and page.locator("svg.map .line").count() == 0


def test_a_selected_pod_is_inspected_by_mouse_and_keyboard(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "rollout")
    page.wait_for_selector(".tl-event")
    page.locator(f'[data-id="{FAILING}"]').click()
    text = page.locator(".inspect").inner_text()
    for wanted in ("web-5f6d9c7b8b-k2xqp", "ErrImagePull", "node02", "nginx:1.27 · waiting · ErrImagePull", "image pull failed"):
        assert wanted in text, text
    page.get_by_role("button", name="Run in the terminal of controlplane: kubectl describe pod web-5f6d9c7b8b-k2xqp").click()
    shows(page, "-bash: kubectl: command not found\ncontrolplane:~$")
    page.get_by_role("button", name="Clear the selection").click()
    assert page.locator(".inspect").is_hidden()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert page.locator(".inspect").is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".inspect").is_hidden()


def test_a_pod_that_goes_away_while_inspected_says_so(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.locator(f'[data-id="{FAILING}"]').click()
    harness.call(lambda: harness.cluster().change(lambda view: view["hosts"][2]["pods"].pop()))
    page.wait_for_function("() => document.querySelector('.inspect').textContent.includes('This part is gone.')")


def test_requests_travel_between_the_places_of_cause_and_effect(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "rollout")
    page.wait_for_selector(".tl-event")
    kinds = page.evaluate("""() => {
      const bench = document.querySelector('[data-bench]').bench;
      return bench.moving.map((m) => [m.from.place, m.to.place, m.kind, m.label]);
    }""")
    assert kinds[:5] == [
        ["user", "apiserver", "write", "patch deployments"],
        ["apiserver", "etcd", "write", "put deployments"],
        ["etcd", "cm", "watch", "MODIFIED deployments"],
        ["cm", "apiserver", "write", "create replicasets"],
        ["apiserver", "etcd", "write", "put replicasets"],
    ]
    assert ["etcd", "scheduler", "watch", "ADDED pods"] in kinds


def test_a_kubelet_is_placed_by_the_user_of_its_requests(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    events = fake.rollout()
    for event in events:
        if event["actor"] == "kubelet/node02" and event["action"] == "request":
            event["actor"], event["detail"]["user"] = "kubelet", "system:node:node02"
    harness.call(lambda: harness.cluster().emit(events))
    page.wait_for_selector(".tl-event")
    moving = page.evaluate("""() => document.querySelector('[data-bench]').bench.moving
      .filter((m) => m.seqs.includes(157)).map((m) => [m.from, m.to.place])""")
    assert moving == [[{"place": "node", "host": "node02"}, "apiserver"]]
    assert page.locator(".t-lane").all_text_contents() == ["kubectl", "API server", "etcd", "controllers", "scheduler", "node02"]


def test_the_picture_is_a_function_of_display_time(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "rollout")
    page.wait_for_selector(".tl-event")
    paint = """(t) => {
      const {player, map, timeHost} = document.querySelector('[data-bench]').bench;
      player.seek(t);
      return map.querySelector('.over').innerHTML + map.querySelector('.lines').innerHTML + timeHost.innerHTML;
    }"""
    first = page.evaluate(paint, 1.1)
    assert "packet" in first
    page.evaluate(paint, 3.0)
    assert page.evaluate(paint, 1.1) == first


def test_stepping_goes_through_every_event_in_order(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "rollout")
    page.wait_for_selector(".tl-event")
    page.evaluate("() => document.querySelector('[data-bench]').bench.player.seek(-1)")
    seen = []
    for _ in range(17):
        page.get_by_role("button", name="Next event").click()
        seen.append(page.locator(".t-now").text_content())
    assert [int(str(s)[1:4]) for s in seen] == list(range(141, 158))
    assert seen[0] == "#141 $ kubectl set image deployment/web nginx=nginx:1.299"
    assert "is-failing" in page.evaluate("() => document.querySelector('[data-seq=\"155\"]').innerHTML")


def test_the_time_line_stays_with_the_last_command(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "rollout")
    page.wait_for_selector('.tl-event[data-seq="141"]')
    late = {
        "seq": 900,
        "at": 900_000_000_000,
        "actor": "node-controller",
        "action": "node.notready",
        "ref": "nodes/node02",
        "cause": 0,
        "detail": {},
    }
    harness.call(lambda: harness.cluster().emit([late]))
    page.wait_for_timeout(200)
    assert page.locator('.tl-event[data-seq="141"]').count() == 1


def test_evidence_links_show_their_event(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.locator("#evidence").click()
    assert "#155 is not in this cluster's trace" in page.locator(".bench-notice").inner_text()
    run(page, "rollout")
    page.wait_for_selector(".tl-event")
    page.locator("#evidence").click()
    assert str(page.locator(".t-now").text_content()).startswith(
        "#155 image pull failed docker.io/library/nginx:1.299: not found"
    )
    assert page.locator('.tl-event.is-chosen[data-seq="155"]').count() == 1


def test_as_text_holds_the_facts_of_the_map_and_the_events(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "rollout")
    page.wait_for_selector(".tl-event")
    page.get_by_role("button", name="As text").click()
    text = page.locator("#bench-astext").inner_text()
    for wanted in (
        "etcd: healthy, term 2, leader controlplane, members 1, revision 4191",
        "node02, pod default/web-5f6d9c7b8b-k2xqp: ErrImagePull, containers 1",
        "controlplane, kube-scheduler: healthy (leader)",
        "+0.003 s #142 kubectl: patch deployments/default/web (cause #141)",
    ):
        assert wanted in text, text


def test_plain_names_turn_the_ships_off_and_are_remembered(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    assert page.locator(".hull-deck").count() == 3
    page.get_by_role("button", name="Plain names").click()
    assert page.locator(".hull-deck").count() == 0
    assert page.locator("svg.map").get_attribute("aria-label") == "Cluster map: 3 hosts, 6 pods"
    page.reload()
    page.wait_for_selector("svg.map.is-plain")


def test_reduced_motion_plays_nothing_by_itself(watched: Watched, harness: Harness) -> None:
    watched.page.emulate_media(reduced_motion="reduce")
    page = bench(watched, harness)
    run(page, "rollout")
    page.wait_for_selector(".tl-event")
    state = "() => { const p = document.querySelector('[data-bench]').bench.player; return [p.playing, p.now >= p.warped.end]; }"
    assert page.evaluate(state) == [False, True]
    page.get_by_role("button", name="Play again").click()
    assert page.evaluate(state) == [False, False]


def test_the_clock_shows_virtual_time_and_steers_it(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    assert page.locator(".clock").inner_text().startswith("T+00:03:4")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_function("() => document.querySelector('.clock').textContent.endsWith('paused')")
    assert harness.cluster().speed == 0
    page.get_by_role("button", name="Skip 5 minutes of virtual time").click()
    page.wait_for_function("() => document.querySelector('.clock').textContent === 'T+00:08:40paused'")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Speed of virtual time: 10×").click()
    page.wait_for_function("() => document.querySelector('.clock').textContent.endsWith('10×')")
    speeds = [f["value"] for f in harness.cluster().received if f["t"] == "speed"]
    assert speeds == [0, 1, 10]


def test_next_change_hurries_until_something_happens(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.get_by_role("button", name="Next change").click()
    page.wait_for_function("() => document.querySelector('.clock').textContent.endsWith('100×')")
    harness.call(lambda: harness.cluster().change(lambda view: view.update(rv=4200)))
    page.wait_for_function("() => /[^0]1×$/.test(document.querySelector('.clock').textContent)")
    assert [f["value"] for f in harness.cluster().received if f["t"] == "speed"] == [100, 1]


def test_a_reset_connects_the_new_cluster(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    run(page, "echo old")
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_role("button", name="Reset the cluster").click()
    ready(page, "/ws/cluster/second/")
    shows(page, "controlplane:~$")
    assert "old" not in page.evaluate("() => document.querySelector('[data-bench]').bench.panel.view.contents()")
    assert harness.posts == [("/clusters/first/reset/", "")]
    assert page.evaluate("() => document.querySelector('[data-bench]').bench.resetUrl") == "/clusters/second/reset/"


def test_an_exercise_can_bring_its_own_cluster(watched: Watched, harness: Harness) -> None:
    page = bench(watched, harness)
    page.locator("#other").click()
    ready(page, "/ws/cluster/other/")
    page.wait_for_selector("svg.map")
    assert page.get_by_role("tab").count() == 1
    assert page.get_by_role("button", name="Reset", exact=True).count() == 0
    page.get_by_role("button", name="To the lesson's cluster").click()
    ready(page, "/ws/cluster/first/")
    assert page.get_by_role("tab").count() == 3
    assert page.get_by_role("button", name="Reset", exact=True).count() == 1


def test_ten_workers_and_three_members_fit_every_width(watched: Watched, harness: Harness) -> None:
    view = harness.cluster().view
    for i in range(3, 11):
        node = {
            **view["hosts"][1],
            "name": f"node{i:02}",
            "pods": [fake.pod(f"web-7c5d8bf9f-{i}a{k}", "failing" if k == 3 else "healthy") for k in range(7)],
        }
        view["hosts"].append(node)
    view["etcd"]["members"] = [
        {
            "name": f"cp{i}",
            "host": f"cp{i}",
            "role": "leader" if i == 2 else "follower",
            "state": "stopped" if i == 3 else "healthy",
        }
        for i in (1, 2, 3)
    ]
    for width in (360, 760, 1440):
        watched.page.set_viewport_size({"width": width, "height": 900})
        page = bench(watched, harness)
        outside = page.evaluate("""() => {
          const box = document.querySelector('svg.map').getBoundingClientRect();
          return [...document.querySelectorAll('svg.map .part')].filter((p) => {
            const b = p.getBoundingClientRect();
            return b.left < box.left - 3 || b.right > box.right + 3 || b.top < box.top - 3 || b.bottom > box.bottom + 3;
          }).map((p) => p.dataset.id);
        }""")
        assert outside == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
