"""The official Python client against `python -m simulator serve`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .harness import Process, until

kubernetes = pytest.importorskip("kubernetes", reason="NO OFFICIAL PYTHON CLIENT: install requirements-dev.txt")
from kubernetes import client, config, utils, watch  # noqa: E402
from kubernetes.stream import stream  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]

BOX: Any = {
    "metadata": {"name": "box", "labels": {"app": "box"}},
    "spec": {"containers": [{"name": "box", "image": "busybox", "command": ["sh", "-c", "echo hello; sleep 100000"]}]},
}


@pytest.fixture(scope="module")
def api(served: Process) -> Iterator[Any]:
    """A client of the core group, with a pod `box` that runs."""
    with config.new_client_from_config(str(served.config)) as connection:
        core: Any = client.CoreV1Api(connection)
        core.create_namespaced_pod("default", BOX)
        until(lambda: core.read_namespaced_pod("box", "default").status.phase == "Running")
        yield core


def test_lists(api: Any) -> None:
    assert [node.metadata.name for node in api.list_node().items] == ["controlplane", "node01", "node02"]
    pods = api.list_namespaced_pod("kube-system", label_selector="component=etcd").items
    assert [pod.metadata.name for pod in pods] == ["etcd-controlplane"]
    first = api.list_pod_for_all_namespaces(limit=3)
    rest = api.list_pod_for_all_namespaces(limit=100, _continue=first.metadata._continue)
    assert len(first.items) == 3
    names = {pod.metadata.name for pod in [*first.items, *rest.items]}
    assert names == {pod.metadata.name for pod in api.list_pod_for_all_namespaces().items}


def test_creates_watches_patches_and_deletes(api: Any) -> None:
    start = api.list_namespaced_config_map("default").metadata.resource_version
    api.create_namespaced_config_map("default", {"metadata": {"name": "settings"}, "data": {"colour": "red"}})
    api.patch_namespaced_config_map("settings", "default", {"data": {"colour": "blue"}})
    held = api.read_namespaced_config_map("settings", "default")
    assert held.data == {"colour": "blue"}
    api.delete_namespaced_config_map("settings", "default")
    seen = []
    watcher = watch.Watch()
    for event in watcher.stream(api.list_namespaced_config_map, "default", resource_version=start, timeout_seconds=60):
        if event["object"].metadata.name == "settings":
            seen.append((event["type"], event["object"].data["colour"]))
            if event["type"] == "DELETED":
                watcher.stop()
    assert seen == [("ADDED", "red"), ("MODIFIED", "blue"), ("DELETED", "blue")]


def test_every_patch_type_scale_eviction_and_collections(api: Any) -> None:
    connection = api.api_client
    apps: Any = client.AppsV1Api(connection)
    objects: Any = client.CustomObjectsApi(connection)
    labels = {"app": "many"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "nginx"}]}}
    body = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "many"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
    }  # fmt: skip
    made = utils.create_from_dict(connection, body, namespace="default")
    assert [item.metadata.name for item in made] == ["many"]

    def patched(content: str, change: Any, **more: Any) -> Any:
        return apps.patch_namespaced_deployment("many", "default", change, _content_type=content, **more)

    env = [{"name": "A", "value": "1"}]
    spec = {"template": {"spec": {"containers": [{"name": "a", "env": env}]}}}
    found = patched("application/strategic-merge-patch+json", {"spec": spec})
    assert [(c.image, c.env[0].value) for c in found.spec.template.spec.containers] == [("nginx", "1")]
    found = patched("application/json-patch+json", [{"op": "add", "path": "/metadata/labels", "value": {"x": "y"}}])
    assert found.metadata.labels == {"x": "y"}
    assert patched("application/merge-patch+json", {"metadata": {"labels": {"x": None}}}).metadata.labels is None
    apply = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "many"}, "spec": {"replicas": 2}}
    with pytest.raises(client.ApiException) as refused:
        patched("application/apply-patch+yaml", apply, field_manager="me")
    assert refused.value.status == 409 and "conflict" in str(refused.value.body)
    assert patched("application/apply-patch+yaml", apply, field_manager="me", force=True).spec.replicas == 2

    def scaled() -> Any:
        """Read, change and replace, once more when a controller wrote in between, as clients do."""
        scale = apps.read_namespaced_deployment_scale("many", "default")
        scale.spec.replicas = 3
        try:
            return apps.replace_namespaced_deployment_scale("many", "default", scale)
        except client.ApiException as error:
            if error.status != 409:
                raise
            return None

    assert until(scaled).spec.replicas == 3
    pods = until(
        lambda: found if len(found := api.list_namespaced_pod("default", label_selector="app=many").items) == 3 else None
    )
    gone = pods[0].metadata
    api.create_namespaced_pod_eviction(gone.name, "default", client.V1Eviction(metadata=client.V1ObjectMeta(name=gone.name)))
    until(
        lambda: (
            gone.name not in [one.metadata.name for one in api.list_namespaced_pod("default", label_selector="app=many").items]
        )
    )
    assert objects.get_namespaced_custom_object("apps", "v1", "default", "deployments", "many")["spec"]["replicas"] == 3
    apps.delete_collection_namespaced_deployment("default", field_selector="metadata.name=many")
    until(lambda: not api.list_namespaced_pod("default", label_selector="app=many").items)


def test_a_conflict_and_an_unknown_name(api: Any) -> None:
    api.create_namespaced_config_map("default", {"metadata": {"name": "twice"}})
    stale = api.read_namespaced_config_map("twice", "default")
    api.patch_namespaced_config_map("twice", "default", {"data": {"a": "1"}})
    stale.data = {"a": "2"}
    with pytest.raises(client.ApiException) as conflict:
        api.replace_namespaced_config_map("twice", "default", stale)
    assert (conflict.value.status, conflict.value.reason) == (409, "Conflict")
    with pytest.raises(client.ApiException) as missing:
        api.read_namespaced_pod("nobody", "default")
    assert missing.value.status == 404


def test_reads_a_log(api: Any) -> None:
    assert api.read_namespaced_pod_log("box", "default") == "hello\n"
    follow = api.read_namespaced_pod_log("box", "default", follow=True, _preload_content=False)
    assert next(follow.stream()) == b"hello\n"
    follow.release_conn()


def test_execs(api: Any) -> None:
    words = ["sh", "-c", "echo out; echo err >&2"]
    both = stream(
        api.connect_get_namespaced_pod_exec, "box", "default", command=words, stdout=True, stderr=True, stdin=False, tty=False
    )
    assert sorted(both.split()) == ["err", "out"]


def test_execs_with_input_and_status(api: Any) -> None:
    shell = stream(
        api.connect_get_namespaced_pod_exec, "box", "default", command=["sh"],
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )  # fmt: skip
    shell.write_stdin("echo one\necho two >&2\nexit 3\n")
    shell.close_channel(0)
    shell.run_forever(timeout=180)
    assert (shell.read_stdout(), shell.read_stderr(), shell.returncode) == ("one\n", "two\n", 3)


def test_a_terminal_echoes_and_edits(api: Any) -> None:
    shell = stream(
        api.connect_get_namespaced_pod_exec, "box", "default", command=["sh"],
        stdin=True, stdout=True, stderr=True, tty=True, _preload_content=False,
    )  # fmt: skip
    shell.write_stdin("echo wrpmg\x7f\x7f\x7f\x7forld\r")
    shown = ""
    while "world\r\n" not in shown:
        shell.update(timeout=180)
        assert shell.is_open(), shown
        shown += shell.read_stdout(timeout=1)
    assert "echo wrpmg\b \b\b \b\b \b\b \borld\r\nworld\r\n" in shown
    shell.write_stdin("sleep 90000\r")
    shell.write_stdin("\x03")
    shell.write_stdin("exit 5\r")
    shell.run_forever(timeout=180)
    assert "^C" in shell.read_stdout()
    assert shell.returncode == 5
