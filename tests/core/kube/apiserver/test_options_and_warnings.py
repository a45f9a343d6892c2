"""Options of requests that are no good, what the server warns of, and what ephemeral containers may be."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kernel.http import Request, Response
from simulator.core.kube.client import ApiError, KubeClient
from tests.core.kube.apiserver.cluster import ControlPlane, deployment, pod

Obj = dict[str, Any]
PATH = "/api/v1/namespaces/default"
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
SETTINGS: Obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}


@pytest.fixture(scope="module")
def client() -> KubeClient:
    made = ControlPlane().client()
    made.create("serviceaccounts", "default", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})
    made.create("configmaps", "default", SETTINGS)
    return made


def ask(
    client: KubeClient, method: str, path: str, obj: Any = None, media: str = "application/json", accept: str = "", **query: str
) -> Response:
    headers = {"content-type": media} if obj is not None else {}
    if accept:
        headers["accept"] = accept
    return client.request(
        Request(method=method, path=PATH + path, query={k: [v] for k, v in query.items()}, headers=headers, obj=obj)
    )


ONE = "/configmaps/settings"
TOO_LONG, NO_DRY = (
    "fieldManager: Too long: may not be more than 128 bytes",
    'dryRun: Unsupported value: ["Some"]: supported values: "All"',
)
REFUSED: list[tuple[tuple[Any, ...], dict[str, str], int, str]] = [
    (("POST", "/configmaps", SETTINGS), {"fieldManager": "m" * 129}, 422, f'CreateOptions.meta.k8s.io "" is invalid: {TOO_LONG}'),
    (("PUT", ONE, SETTINGS), {"dryRun": "Some"}, 422, f'UpdateOptions.meta.k8s.io "" is invalid: {NO_DRY}'),
    (("PATCH", ONE, {}, MERGE), {"force": "true", "fieldManager": "a\nb"}, 422,
     'PatchOptions.meta.k8s.io "" is invalid: [force: Forbidden: may not be specified for non-apply patch, fieldManager: Invalid value: "a\\nb": '
     "invalid character U+000A (at position 1)]"),
    (("PATCH", ONE, SETTINGS, APPLY), {}, 422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'),
    (("POST", "/configmaps", SETTINGS), {"fieldValidation": "Maybe"}, 422,
     'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"'),
    (("DELETE", ONE, {"propagationPolicy": "Orphan", "orphanDependents": True}), {}, 422,
     'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set'),
    (("DELETE", "/configmaps"), {"propagationPolicy": "Sideways"}, 422,
     'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", '
     '"nil"'),
    (("DELETE", ONE), {"dryRun": "Some"}, 422, f'DeleteOptions.meta.k8s.io "" is invalid: {NO_DRY}'),
    (("GET", "/configmaps"), {"limit": "abc"}, 400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
    (("GET", "/configmaps"), {"watch": "1", "timeoutSeconds": "x"}, 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
    (("PUT", "/configmaps", SETTINGS), {}, 405, "the server does not allow this method on the requested resource"),
    (("PATCH", "/configmaps", {}, MERGE), {}, 405, "the server does not allow this method on the requested resource"),
    (("PATCH", ONE, {"metadata": {"uid": "other"}}, MERGE), {}, 422, 'ConfigMap "settings" is invalid: metadata.uid: Invalid value: "other": field is immutable'),
    (("GET", ONE, None, "", "text/plain"), {}, 406,
     "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "query", "code", "message"), REFUSED)
def test_options_that_are_refused(
    client: KubeClient, call: tuple[Any, ...], query: dict[str, str], code: int, message: str
) -> None:
    answer = ask(client, *call, **query)
    assert answer.obj is not None
    assert (answer.status, answer.obj["message"]) == (code, message)
    assert client.get("configmaps", "default", "settings")["data"] == {"a": "b"}


def test_a_version_that_is_yet_to_come(client: KubeClient) -> None:
    answer = ask(client, "GET", ONE, resourceVersion="999999")
    assert answer.obj is not None and answer.status == 504
    assert answer.obj["details"]["causes"] == [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]


def warnings(answer: Response) -> list[str]:
    assert answer.status == 201, answer.obj
    texts = answer.headers.get("warning", "").split('299 - "')[1:]
    return [text.removesuffix(", ").removesuffix('"').replace('\\"', '"') for text in texts]


def test_pods_that_are_warned_of(client: KubeClient) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}, {"name": "A", "value": "3"}]
    ports = [{"containerPort": 80, "name": "web"}, {"containerPort": 80}, {"containerPort": 80, "hostPort": 8080}]
    item = {"name": "c", "image": "nginx", "env": env, "ports": ports, "resources": {"limits": {"memory": "1500m"}}}
    made = pod("a.b", containers=[item, {"name": "d", "image": "n", "ports": [{"containerPort": 81, "name": "web"}]}],
               nodeSelector={"beta.kubernetes.io/os": "linux"}, terminationGracePeriodSeconds=-1,
               imagePullSecrets=[{"name": "s"}, {"name": "s"}], volumes=[{"name": "g", "gitRepo": {"repository": "x"}}])  # fmt: skip
    made["metadata"]["annotations"] = {
        "scheduler.alpha.kubernetes.io/critical-pod": "",
        "seccomp.security.alpha.kubernetes.io/pod": "x",
    }
    assert warnings(ask(client, "POST", "/pods", made, dryRun="All")) == [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
        'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
        "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
        'spec.imagePullSecrets[1].name: duplicate name "s"',
        'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
        'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
        'spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer',
        'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
        "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]",
        "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]",
        'spec.containers[1].ports[0]: duplicate port name "web" with spec.containers[0].ports[0], services and probes that select ports by name will use '
        "spec.containers[0].ports[0]",
        "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
    ]


def test_templates_are_warned_of_when_they_are_new(client: KubeClient) -> None:
    made = deployment("d")
    made["spec"]["template"]["spec"]["topologySpreadConstraints"] = [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    ]
    path = "/apis/apps/v1/namespaces/default/deployments"
    answer = client.request(Request(method="POST", path=path, obj=made))
    assert warnings(answer) == [
        "spec.template.spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"
    ]
    labels = Request(method="PATCH", path=path + "/d", headers={"content-type": MERGE}, obj={"metadata": {"labels": {"x": "y"}}})
    assert "warning" not in client.request(labels).headers
    more = Request(method="PATCH", path=path + "/d", headers={"content-type": MERGE}, obj={"spec": {"replicas": 3}})
    assert "warning" in client.request(more).headers


def test_ephemeral_containers(client: KubeClient) -> None:
    def refused(call: Any) -> str:
        with pytest.raises(ApiError) as caught:
            call()
        return caught.value.message

    def add(**item: Any) -> Obj:
        patch = {"spec": {"ephemeralContainers": [{"name": "e", "image": "busybox", **item}]}}
        return client.patch("pods", "default", "shell", patch, subresource="ephemeralcontainers")

    first = pod("shell", ephemeralContainers=[{"name": "e", "image": "b"}])
    assert refused(lambda: client.create("pods", "default", first)).endswith(
        "spec.ephemeralContainers: Forbidden: cannot be set on create"
    )
    client.create("pods", "default", pod("shell"))
    assert refused(lambda: add(ports=[{"containerPort": 80}], targetContainerName="z", image="")) == (
        'Pod "shell" is invalid: [spec.ephemeralContainers[0].image: Required value, spec.ephemeralContainers[0].targetContainerName: Not found: "z", '
        "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container]"
    )
    assert refused(lambda: add(name="c")) == 'Pod "shell" is invalid: spec.ephemeralContainers[0].name: Duplicate value: "c"'
    add(targetContainerName="c")
    assert 'existing ephemeral containers "e" may not be changed' in refused(lambda: add(image="other"))


def test_applying_what_the_schema_does_not_know(client: KubeClient) -> None:
    made = deployment("typed")
    made["metadata"]["namespace"] = "default"
    made["spec"]["template"]["spec"]["containers"][0]["imagge"] = "x"
    path = "/apis/apps/v1/namespaces/default/deployments/typed"
    query = {"fieldManager": ["me"]}
    answer = client.request(Request(method="PATCH", path=path, query=query, headers={"content-type": APPLY}, obj=made))
    assert answer.obj is not None and answer.status == 500 and "reason" not in answer.obj
    where = '.spec.template.spec.containers[name="nginx"].imagge: field not declared in schema'
    assert answer.obj["message"] == f"failed to create typed patch object (default/typed; apps/v1, Kind=Deployment): {where}"


def test_applying_a_scale(client: KubeClient) -> None:
    client.create("deployments", "default", deployment("scaled"))
    scale: Obj = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": "scaled", "namespace": "default"},
        "spec": {"replicas": 4},
    }

    def put(**query: str) -> Response:
        path = "/apis/apps/v1/namespaces/default/deployments/scaled/scale"
        headers = {"content-type": APPLY}
        held = {name: [value] for name, value in query.items()}
        return client.request(Request(method="PATCH", path=path, query=held, headers=headers, obj=scale))

    refused = put(fieldManager="scaler")
    assert refused.obj is not None and refused.status == 409
    assert refused.obj["message"] == 'Apply failed with 1 conflict: conflict with "kubectl" using autoscaling/v1: .spec.replicas'
    taken = put(fieldManager="scaler", force="true")
    assert taken.obj is not None and taken.obj["spec"] == {"replicas": 4}
    owners = client.get("deployments", "default", "scaled")["metadata"]["managedFields"]
    mine = [item for item in owners if item["manager"] == "scaler"]
    assert [(item["operation"], item["subresource"], item["fieldsV1"]) for item in mine] == [
        ("Apply", "scale", {"f:spec": {"f:replicas": {}}})
    ]
    assert "f:replicas" not in owners[-1]["fieldsV1"]["f:spec"]
