"""The patch types against small reference models."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.core.kube.api import fieldset, patch, schema
from simulator.core.kube.api.decode import DecodeError, Decoder
from simulator.core.kube.api.errors import ApiError
from simulator.core.kube.api.objects import clone
from simulator.core.kube.api.strategic import strategic_merge

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("ab", max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


def reference_merge(target: Any, body: Any) -> Any:
    """RFC 7386, section 2, as it stands there."""
    if not isinstance(body, dict):
        return body
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in body.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = reference_merge(result.get(name), value)
    return result


@given(OBJECTS, OBJECTS)
def test_merge_patch_is_the_rfc(target: dict[str, Any], body: dict[str, Any]) -> None:
    before = clone(target)
    assert patch.merge(target, body) == reference_merge(target, body)
    assert target == before


@given(OBJECTS, OBJECTS)
def test_a_json_patch_that_replaces_everything_does(target: dict[str, Any], other: dict[str, Any]) -> None:
    steps = [{"op": "remove", "path": f"/{name}"} for name in target]
    steps += [{"op": "add", "path": f"/{name}", "value": value} for name, value in other.items()]
    assert patch.apply_json(target, steps) == other


@pytest.mark.parametrize(
    ("steps", "code"),
    [({"a": 1}, 400), ([{"op": "remove", "path": "/x"}], 422), ([{"op": "test", "path": "/a", "value": True}], 422),
     ([{"op": "add", "path": "/l/9", "value": 1}], 422), ([{"op": "fly", "path": "/a"}], 422), ([1], 422)],
)  # fmt: skip
def test_json_patches_that_do_not_apply(steps: Any, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        patch.apply_json({"a": 1, "l": [1]}, steps)
    assert caught.value.code == code


CONTAINERS = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["x:1", "x:2"]), max_size=4)


@given(CONTAINERS, CONTAINERS, st.sets(st.sampled_from("abcd")))
def test_strategic_merge_of_a_keyed_list(held: dict[str, str], wanted: dict[str, str], deleted: set[str]) -> None:
    kind = schema.type_of(schema.CORE + "PodSpec")
    target = {"containers": [{"name": n, "image": i, "tty": True} for n, i in held.items()]}
    body: list[dict[str, Any]] = [{"name": n, "image": i} for n, i in wanted.items() if n not in deleted]
    body += [{"name": n, "$patch": "delete"} for n in sorted(deleted)]
    merged = strategic_merge(target, {"containers": body}, kind)["containers"]
    expected = {n: i for n, i in {**held, **wanted}.items() if n not in deleted}
    assert {c["name"]: c["image"] for c in merged} == expected
    assert all(c.get("tty") for c in merged if c["name"] in held)


def test_strategic_directives() -> None:
    kind = schema.type_of(schema.META + "ObjectMeta")
    target = {"labels": {"a": "1", "b": "2"}, "finalizers": ["x", "y"]}
    assert strategic_merge(target, {"labels": {"$patch": "replace", "c": "3"}}, kind)["labels"] == {"c": "3"}
    assert strategic_merge(target, {"$deleteFromPrimitiveList/finalizers": ["x"]}, kind)["finalizers"] == ["y"]
    assert strategic_merge(target, {"finalizers": ["z"]}, kind)["finalizers"] == ["x", "y", "z"]
    assert "labels" not in strategic_merge(target, {"labels": None}, kind)


@given(OBJECTS, OBJECTS)
def test_field_sets_form_an_algebra(a: dict[str, Any], b: dict[str, Any]) -> None:
    left, right = fieldset.build(a, None, dots=False), fieldset.build(b, None, dots=False)
    if left and right:
        both = fieldset.merge_roots(left, right)
        assert fieldset.difference(left, both) is None
        shared = fieldset.intersection(left, right)
        rest = fieldset.difference(left, right)
        assert set(fieldset.leaves(shared or {})) | set(fieldset.leaves(rest or {})) == set(fieldset.leaves(left))


def test_decoding_drops_zeroes_and_keeps_pointers() -> None:
    kind = schema.type_for("apps", "v1", "Deployment")
    assert kind is not None
    spec = {"replicas": 0, "paused": False, "minReadySeconds": 0, "selector": {}, "template": {}, "bogus": 1}
    decoder = Decoder()
    found = decoder.decode(kind, {"spec": spec, "status": {"readyReplicas": 0}})
    assert found["spec"]["replicas"] == 0
    assert "paused" not in found["spec"]
    assert found["status"] == {}
    assert decoder.unknown == ['unknown field "spec.bogus"']
    with pytest.raises(DecodeError) as caught:
        Decoder().decode(kind, {"spec": {"replicas": "three"}})
    where = "Go struct field DeploymentSpec.spec.replicas of type int32"
    assert str(caught.value) == f"json: cannot unmarshal string into {where}"


@given(VALUES)
def test_any_value_decodes_or_is_refused(value: Any) -> None:
    for name in ("Pod", "Service", "Secret", "Node"):
        kind = schema.type_for("", "v1", name)
        assert kind is not None
        for body in (value, {"metadata": value}, {"spec": value}, {"spec": {"containers": value, "ports": value}}):
            try:
                Decoder().decode(kind, body)
            except DecodeError:
                continue
