"""What may change of a pod, and the difference that the refusal shows (`ValidatePodUpdate`)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    found = Sandbox.boot("three-nodes", 1)
    assert found.run("kubectl run solo --image=nginx --port=80").code == 0
    found.advance(found.now + 20 * SECOND)
    return found


def patched(sandbox: Sandbox, spec: dict[str, Any], more: str = "") -> str:
    """What kubectl says to a patch of the pod's specification."""
    result = sandbox.run(f"kubectl patch pod solo {more} -p '{json.dumps({'spec': spec})}'")
    return str(result.stdout + result.stderr)


def test_the_difference_is_that_of_the_internal_objects(sandbox: Sandbox) -> None:
    said = patched(sandbox, {"containers": [{"name": "solo", "ports": [{"containerPort": 81}]}], "hostNetwork": None})
    assert "pod updates may not change fields other than `spec.containers[*].image`" in said
    assert "@@ " in said and '\n+     "ContainerPort": 81,\n' in said and "None" not in said
    said = patched(
        sandbox, {"hostNetwork": True, "containers": [{"name": "solo", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
    )
    assert '\n-  "HostNetwork": false,\n+  "HostNetwork": true,\n   "HostPID": false,\n' in said
    said = patched(sandbox, {"nodeSelector": {"a": "b<c"}})
    assert "Invalid value" in said
    said = patched(sandbox, {"nodeSelector": {"a": "b"}})
    assert '\n- "NodeSelector": null,\n+ "NodeSelector": {\n+  "a": "b"\n+ },\n' in said


def test_what_may_change_changes(sandbox: Sandbox) -> None:
    assert patched(sandbox, {"containers": [{"name": "solo", "image": "nginx:1.27"}]}) == "pod/solo patched\n"
    resources = {"containers": [{"name": "solo", "resources": {"limits": {"cpu": "1"}}}]}
    assert '"Limits": {' in patched(sandbox, resources)
    assert patched(sandbox, resources, "--subresource=resize") == "pod/solo patched\n"
    assert patched(sandbox, {"activeDeadlineSeconds": 9000}) == "pod/solo patched\n"
    assert "must be less than or equal to previous value" in patched(sandbox, {"activeDeadlineSeconds": 9001})
    assert sandbox.run("kubectl label pod solo x=y").code == 0
    assert sandbox.run("kubectl debug solo --image=busybox -- sleep 1").code == 0
    assert sandbox.run("kubectl get pod solo -o jsonpath={.spec.ephemeralContainers[*].image}").stdout == "busybox"
