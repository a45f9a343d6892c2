"""The page's editor in a real browser, on a simulated world: a new file from the first key to `kubectl apply`, an editor of the terminal that is taken
over, what cannot be saved, and leaving it by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from simulator.core.sandbox import Sandbox
from tests.e2e import bench
from tests.e2e.bench import ready, run
from tests.e2e.conftest import Watched
from tests.e2e.harness.cluster import FakeCluster
from tests.e2e.harness.server import Harness, Running

T = "controlplane"
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
"""


@pytest.fixture
def cluster(harness: Harness) -> FakeCluster:
    cluster = harness.cluster()
    cluster.world, cluster.live = Sandbox.boot("three-nodes", 1), True
    cluster.world.drain(), cluster.world.drain_trace()
    return cluster


@pytest.fixture
def phone(chromium: Browser, running: Running) -> Iterator[Watched]:
    """A phone in Korean and the dark."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", locale="ko-KR")
    context.set_default_timeout(bench.PATIENCE)
    watched = Watched(context.new_page(), running.url)
    yield watched
    context.close()
    assert [e for e in watched.errors if "Failed to load resource" not in e] == []


def holds(cluster: FakeCluster, path: str) -> str:
    """What a file of the world holds."""
    assert cluster.world is not None
    return str(cluster.world.file(T, path).get("text"))


def edit(page: Page) -> None:
    """Opens the pane from the terminals."""
    page.locator(".is-edit").click()
    page.wait_for_selector(".edit:not([hidden])")


def open_file(page: Page, path: str) -> None:
    page.fill("#edit-path", path)
    page.press("#edit-path", "Enter")
    page.wait_for_selector(".cm-content:focus")


def text(page: Page) -> str:
    """The text in the editor."""
    return str(page.evaluate("() => document.querySelector('[data-bench]').bench.editor.code.text"))


def write(page: Page, words: str) -> None:
    """Puts a text into the editor in one piece, as a paste does."""
    page.evaluate("(words) => document.querySelector('[data-bench]').bench.editor.code.replace(words)", words)


def choose(page: Page, word: str) -> None:
    """Takes a completion."""
    page.locator(".cm-tooltip-autocomplete li", has_text=word).first.click()


def says(page: Page, words: str) -> None:
    expect(page.locator(".edit-status")).to_have_text(words, timeout=bench.PATIENCE)


def violations(page: Page) -> list[str]:
    """What axe finds in the bench."""
    found = Axe().run(page, context={"include": ["#bench"]}).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def test_a_new_manifest_is_written_with_help_saved_and_applied(watched: Watched, cluster: FakeCluster) -> None:
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    page = watched.open("/en/lesson/")
    ready(page)
    assert not [url for url in asked if "/editor" in url]  # nothing of it is loaded before it is opened
    edit(page)
    expect(page.locator(".edit-who")).to_have_text("root@controlplane", timeout=bench.PATIENCE)
    open_file(page, "web.yaml")
    says(page, "New file")
    # completion: kinds, then the keys of that kind with what the API says of them, then values
    page.keyboard.type("kind: Deplo")
    choose(page, "Deployment")
    page.keyboard.type("\napiVersion: apps")
    choose(page, "apps/v1")
    page.keyboard.type("\nspec:\n  strat")
    expect(page.locator(".cm-completionInfo")).to_contain_text("DeploymentStrategy", timeout=bench.PATIENCE)
    choose(page, "strategy")
    page.keyboard.type("type: R")
    choose(page, "Recreate")
    assert text(page) == "kind: Deployment\napiVersion: apps/v1\nspec:\n  strategy:\n    type: Recreate"
    # errors of the same schema, with a repair; and of YAML itself
    write(
        page,
        DEPLOYMENT.replace("replicas: 2", "replicass: 2")
        .replace("image: nginx:1.27", "image: 3")
        .replace("      app: web\n  tem", "      app: true\n  tem"),
    )
    expect(page.locator(".edit-wrong")).to_have_text("3 problems", timeout=bench.PATIENCE)
    page.locator(".edit-wrong").click()
    expect(page.locator(".cm-diagnosticText")).to_have_text(
        'unknown field "spec.replicass"; is replicas meant?', timeout=bench.PATIENCE
    )
    page.locator(".cm-diagnosticAction").first.click()
    write(page, text(page).replace("image: 3", "image: nginx:1.27").replace("app: true", "app: web"))
    expect(page.locator(".edit-wrong")).to_be_hidden(timeout=bench.PATIENCE)
    assert text(page) == DEPLOYMENT
    write(page, DEPLOYMENT + "status: [\n")
    expect(page.locator(".edit-wrong")).to_have_text("1 problem", timeout=bench.PATIENCE)
    page.keyboard.press("Control+z")
    assert text(page) == DEPLOYMENT
    # saved by the shell, as one input, and applied in the terminal
    assert violations(page) == []
    page.locator("[data-edit-apply]").click()
    page.wait_for_function(f"() => ({bench.CONTENTS})('controlplane').includes('deployment.apps/web created')")
    assert holds(cluster, "/root/web.yaml") == DEPLOYMENT
    kinds = [frame["kind"] for frame in cluster.order if frame["kind"] != "resize"]
    assert kinds == ["save", "line"] and cluster.texts() == ["kubectl apply -f /root/web.yaml"]
    # the words of the API about a field under the pointer
    page.locator(".cx-key", has_text="replicas").hover()
    expect(page.locator(".edit-doc")).to_contain_text("Number of desired pods", timeout=bench.PATIENCE)


def test_kubectl_edit_is_taken_over_from_vi_with_vim_keys(watched: Watched, cluster: FakeCluster) -> None:
    assert cluster.world is not None
    cluster.world.run("kubectl create configmap sea --from-literal=depth=1")
    page = watched.open("/en/lesson/")
    ready(page)
    run(page, "kubectl edit configmap sea")
    expect(page.locator(".is-edit")).to_have_text("Edit it here", timeout=bench.PATIENCE)
    page.keyboard.press("Alt+Shift+E")
    page.wait_for_selector(".cm-content:focus")
    says(page, "Taken over from: kubectl edit configmap sea")
    # what the API server refuses comes back with its reason, as it does in the terminal
    write(page, text(page).replace("  name: sea", "  labels: [sea]\n  name: sea"))
    page.locator("[data-edit-finish]").click()
    page.wait_for_function("() => document.querySelector('[data-bench]').bench.editor.code.text.includes('was not valid')")
    write(page, text(page).replace("  labels: [sea]\n", ""))
    page.locator(".edit-tools button", has_text="Vim").click()
    page.keyboard.type("/depth")
    page.keyboard.press("Enter")
    page.keyboard.type("A # ")
    keyboard = page.context.new_cdp_session(page)  # a Korean input method composes
    for part in ("ㄱ", "기", "깊"):
        keyboard.send("Input.imeSetComposition", {"text": part, "selectionStart": 1, "selectionEnd": 1})
    keyboard.send("Input.insertText", {"text": "깊이"})
    page.keyboard.press("Escape")
    page.keyboard.type(':s/"1"/"9"/')
    page.keyboard.press("Enter")
    assert 'depth: "9" # 깊이' in text(page)
    page.keyboard.type(":wq")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => ({bench.CONTENTS})('controlplane').includes('configmap/sea edited')")
    expect(page.locator(".edit")).to_be_hidden(timeout=bench.PATIENCE)
    assert '"9"' in cluster.world.run("kubectl get cm sea -o jsonpath='{.data}'").stdout
    assert [frame["kind"] for frame in cluster.order if frame["kind"] not in ("resize", "keys")] == ["line", "save", "save"]
    # the switch is remembered; Esc and then Tab leaves the text
    edit(page)
    open_file(page, "notes")
    assert page.locator(".edit-tools button", has_text="Vim").get_attribute("aria-pressed") == "true"
    page.keyboard.type("ione")
    page.keyboard.press("Tab")
    page.keyboard.type("two")
    assert text(page) == "one  two"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not page.evaluate("() => document.querySelector('.cm-content').contains(document.activeElement)")


def test_what_changed_meanwhile_and_what_may_not_be_written_is_told(watched: Watched, cluster: FakeCluster) -> None:
    assert cluster.world is not None
    cluster.world.run("useradd -m ada; usermod -aG sudo ada; echo one > /home/ada/mine; chown ada /home/ada/mine")
    page = watched.open("/en/lesson/")
    ready(page)
    run(page, "su - ada")
    edit(page)
    expect(page.locator(".edit-who")).to_have_text("ada@controlplane", timeout=bench.PATIENCE)
    open_file(page, "mine")
    page.keyboard.type("mine ")
    cluster.world.run("echo other > /home/ada/mine")
    page.keyboard.press("Control+s")
    notice = page.locator(".edit-notice")
    expect(notice).to_contain_text("/home/ada/mine has changed since it was opened here.", timeout=bench.PATIENCE)
    assert holds(cluster, "/home/ada/mine") == "other\n" and text(page) == "mine one\n"
    notice.get_by_role("button", name="Overwrite it").click()
    says(page, "Saved as ada, 9 bytes")
    assert holds(cluster, "/home/ada/mine") == "mine one\n"
    # not saved, left by a reload, and back
    page.keyboard.type("more ")
    page.wait_for_function("() => sessionStorage.getItem('slipway:draft:/ws/cluster/first/')?.includes('mine more one')")
    page.reload()
    ready(page)
    edit(page)
    open_file(page, "mine")
    expect(notice).to_contain_text("Changes that you had not saved are back.", timeout=bench.PATIENCE)
    assert text(page) == "mine more one\n"
    # another file: what is not saved is asked about; then one that needs sudo, and says so before and after
    page.fill("#edit-path", "/etc/hosts")
    page.press("#edit-path", "Enter")
    notice.get_by_role("button", name="Discard them").last.click()
    expect(notice).to_contain_text("ada may not write this file; saving needs sudo.", timeout=bench.PATIENCE)
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("10.0.0.9 sea\n")
    page.keyboard.press("Control+s")
    expect(notice).to_contain_text("tee: /etc/hosts: Permission denied", timeout=bench.PATIENCE)
    notice.get_by_role("button", name="Save with sudo").click()
    page.wait_for_function("() => document.querySelector('.edit-status').textContent.startsWith('Saved as root')")
    assert holds(cluster, "/etc/hosts").endswith("10.0.0.9 sea\n")
    for path, words in (("/etc", "is a directory"), ("/usr/bin/kubectl", "is not a text"), ("/no/x", "no such directory")):
        page.fill("#edit-path", path)
        page.press("#edit-path", "Enter")
        expect(notice).to_contain_text(words, timeout=bench.PATIENCE)


def test_on_a_phone_in_korean(phone: Watched, cluster: FakeCluster) -> None:
    page = phone.open("/ko/lesson/#bench")
    ready(page)
    edit(page)
    open_file(page, "/etc/kubernetes/manifests/kube-scheduler.yaml")
    write(page, text(page).replace("containers:", "container:"))
    expect(page.locator(".edit-wrong")).to_have_text("문제 2개", timeout=bench.PATIENCE)
    page.locator(".edit-wrong").click()
    assert page.locator(".cm-diagnosticText").all_inner_texts()
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.locator(".edit-close").click()
    expect(page.locator(".edit-notice")).to_contain_text("저장하지 않은 내용이 있습니다", timeout=bench.PATIENCE)
    page.locator(".edit-notice").get_by_role("button", name="버리기").click()
    expect(page.locator(".edit")).to_be_hidden(timeout=bench.PATIENCE)
