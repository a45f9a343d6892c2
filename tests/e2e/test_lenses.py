"""The map's lenses in a real browser, over simulated worlds behind the protocol harness."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from simulator.core.sandbox import Sandbox
from tests.e2e.bench import ready
from tests.e2e.conftest import RESULTS, Watched
from tests.e2e.harness.server import Harness


def look(watched: Watched, harness: Harness, lens: str, world: Sandbox, lang: str = "en") -> Page:
    """The lesson page with a lens opened over a world."""
    cluster = harness.cluster()
    cluster.world = world
    cluster.now = world.now
    page = watched.open(f"/{lang}/lesson/")
    ready(page)
    page.locator(f'[data-lens="{lens}"]').click()
    page.wait_for_selector(".lens")
    return page


def told(page: Page) -> str:
    return page.locator(".lens-told").inner_text()


def asked(harness: Harness) -> list[dict[str, Any]]:
    return [frame for frame in harness.cluster().received if frame["t"] == "lens"]


def sound(page: Page, name: str) -> None:
    """A picture of the page, which breaks no rule of axe."""
    RESULTS.mkdir(exist_ok=True)
    page.screenshot(path=RESULTS / f"lens-{name}.png")
    found = Axe().run(page).response["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]], v["nodes"][0].get("failureSummary")) for v in found] == []


def facts(page: Page) -> str:
    """The lens as text, as the page's own button gives it."""
    page.locator('[popovertarget="bench-astext"]').click()
    text = page.locator(".lens-facts").inner_text()
    page.keyboard.press("Escape")
    return text


@pytest.fixture(scope="module")
def three() -> bytes:
    return Sandbox.boot("etcd").snapshot()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_three_members_their_logs_and_messages_step_by_step(watched: Watched, harness: Harness, three: bytes, lang: str) -> None:
    world = Sandbox.restore(three)
    page = look(watched, harness, "etcd", world, lang)
    shown = world.lens("etcd")
    assert page.locator(".lens-svg .entry.is-applied").count() >= 3 * min(10, shown["members"][0]["raft"]["last"])
    assert page.locator(".lens-svg .part").count() == 3
    before = harness.call(lambda: world.now)
    for _ in range(3):
        words = told(page)
        page.locator('[data-raft="next"]').focus()
        page.keyboard.press("Enter")
        page.wait_for_function("(words) => document.querySelector('.lens-told').textContent !== words", arg=words)
    frames = [frame for frame in harness.cluster().received if frame["t"] == "speed" or frame.get("kind") == "skip"]
    assert frames[0] == {"t": "speed", "value": 0}, "time stands still while somebody steps"
    assert frames[1]["data"] == {"ns": 5_000_000_000, "to": "raft"}
    assert 0 < harness.call(lambda: world.now) - before <= 400_000_000
    assert re.search({"en": "heartbeat", "ko": "하트비트"}[lang], told(page))
    page.locator('[data-raft="back"]').click()
    page.locator(".lens-svg .part").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator('.lens-svg .part[aria-pressed="true"]').count() == 1
    text = facts(page)
    for member in shown["members"]:
        assert f"{member['name']}: " in text
    sound(page, f"etcd-{lang}")


def test_an_election_is_stepped_through_message_by_message(watched: Watched, harness: Harness, three: bytes) -> None:
    world = Sandbox.restore(three)
    lost = world.lens("etcd")["leader"]
    world.apply("fault", {"name": "power-off", "args": [lost]}, world.now)
    page = look(watched, harness, "etcd", world)
    seen: list[str] = []
    for _ in range(70):
        words = told(page)
        seen.append(words)
        if "answers append" in words and world.lens("etcd")["leader"] not in ("", lost):
            break
        page.locator('[data-raft="next"]').click()
        page.wait_for_function("(words) => document.querySelector('.lens-told').textContent !== words", arg=words)
    said = " ".join(seen)
    for kind in ("asks whether it would get the vote", "asks for the vote", "answers the vote", "reached nobody"):
        assert kind in said, seen
    names = [str(part.get_attribute("aria-label")).split(":")[0] for part in page.locator(".lens-svg .part").all()]
    assert names == ["etcd1", "etcd2", "etcd3"], "each member keeps its place"
    sound(page, "etcd-election")


def test_nothing_is_asked_while_the_ships_show_and_the_choice_is_kept(watched: Watched, harness: Harness, three: bytes) -> None:
    page = look(watched, harness, "etcd", Sandbox.restore(three))
    page.locator('[data-lens="etcd"]').press("ArrowLeft")
    page.wait_for_selector("svg.map .part[data-id$=kube-apiserver]")
    count = len(asked(harness))
    harness.call(lambda: harness.cluster().change(lambda view: view["hosts"][1].update(note="NotReady")))
    page.wait_for_timeout(400)
    assert len(asked(harness)) == count
    page.locator('[data-lens="etcd"]').click()
    page.reload()
    page.wait_for_selector(".lens-svg")
    assert page.locator('[data-lens="etcd"]').get_attribute("aria-checked") == "true"


def test_still_motion_and_a_narrow_page(watched: Watched, harness: Harness, three: bytes) -> None:
    watched.page.emulate_media(reduced_motion="reduce", color_scheme="dark")
    watched.page.set_viewport_size({"width": 390, "height": 900})
    cluster = harness.cluster()
    cluster.world = Sandbox.restore(three)
    page = watched.open("/en/lesson/#bench")
    ready(page)
    page.locator('[data-lens="etcd"]').click()
    page.wait_for_selector(".lens-svg .flight .packet")
    place = "() => document.querySelector('.lens-svg .flight').innerHTML"
    first = page.evaluate(place)
    page.wait_for_timeout(300)
    assert page.evaluate(place) == first, json.dumps(first)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    sound(page, "etcd-narrow")


#: What must stand in a lens, as picture and as text, for the world of `worked`.
SHOWN = {
    "etcd": ["/registry/deployments/default/web"],
    "apiserver": ["create deployments/default/web", "ClusterRoleBinding", "list pods/default"],
    "scheduler": ["TaintToleration"],
    "controllers": ["default/web"],
    "kubelet": ["RunPodSandbox", "nginx"],
    "kube-proxy": ["default/web"],
    "runtime": ["containerd", "/run/containerd/containerd.sock", "k8s.io"],
}


@pytest.fixture(scope="module")
def worked() -> bytes:
    sandbox = Sandbox.boot()
    sandbox.run("kubectl create deployment web --image=nginx --replicas=2 && kubectl expose deployment web --port=80")
    sandbox.run("sleep 12; curl -s $(kubectl get svc web -o jsonpath={.spec.clusterIP}); kubectl get pods --as=ada")
    return sandbox.snapshot()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_lens_is_drawn_told_as_text_and_sound(watched: Watched, harness: Harness, worked: bytes, lang: str) -> None:
    page = look(watched, harness, "etcd", Sandbox.restore(worked), lang)
    for name, wanted in SHOWN.items():
        page.locator(f'[data-lens="{name}"]').focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(f".lens-{name.removeprefix('kube-')}")
        assert page.locator('.lens-tab[aria-checked="true"]').get_attribute("data-lens") == name
        text = facts(page)
        assert [words for words in wanted if words not in text] == [], text
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), name
        sound(page, f"{name}-{lang}")


def test_a_lens_is_turned_to_another_node_and_keeps_the_focus(watched: Watched, harness: Harness, worked: bytes) -> None:
    page = look(watched, harness, "runtime", Sandbox.restore(worked))
    choice = page.locator(".lens-choice")
    choice.focus()
    choice.select_option("controlplane")
    page.wait_for_function("() => document.querySelector('.lens-body').textContent.includes('etcd')")
    assert asked(harness)[-1]["about"] == "controlplane"
    page.locator('[data-lens="apiserver"]').click()
    row = page.locator(".lens-request", has_text="list pods/default")
    row.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.matches('.lens-request[aria-pressed=true]')")
    gates = page.locator(".lens-steps li")
    assert [gates.nth(i).get_attribute("class") for i in range(4)] == ["is-ok", "is-bad", "is-todo", "is-todo"]
    assert 'User "ada" cannot list resource "pods"' in gates.nth(1).inner_text()
    watched.page.set_viewport_size({"width": 390, "height": 900})
    page.goto(page.url + "#bench")
    for name in SHOWN:
        page.locator(f'[data-lens="{name}"]').click()
        page.wait_for_selector(f".lens-{name.removeprefix('kube-')}")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), name
