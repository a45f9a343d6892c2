"""Quantities, selectors and names against their rules."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.core.kube.api import kinds, names, quantity
from simulator.core.kube.api.selectors import FieldTerm, LabelSelector, SelectorError, from_object, parse_fields, parse_labels


@pytest.mark.parametrize(
    ("text", "stored"),
    [("1024Mi", "1Gi"), ("0.5", "500m"), ("1500m", "1500m"), ("1.5Gi", "1536Mi"), ("1e3", "1e3"), ("1000", "1k"), ("0", "0"),
     ("1023Ki", "1023Ki"), ("-1k", "-1k"), ("100u", "100u"), ("0.1", "100m"), ("128974848", "128974848")],
)  # fmt: skip
def test_quantities_are_stored_canonically(text: str, stored: str) -> None:
    assert quantity.canonical(text) == stored


@pytest.mark.parametrize("text", ["", "m", "1.2.3", "1Kib", "lots", "1e", "--1"])
def test_bad_quantities_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quant"):
        quantity.parse(text)


@given(st.integers(0, 10**15), st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "Gi"]))
def test_a_canonical_quantity_is_its_own_canonical_form(amount: int, suffix: str) -> None:
    stored = quantity.canonical(f"{amount}{suffix}")
    assert quantity.canonical(stored) == stored
    assert quantity.nano(stored) == quantity.nano(f"{amount}{suffix}")


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [("a=b", {"a": "b"}, True), ("a==b,c!=d", {"a": "b", "c": "d"}, False), ("a in (x,y)", {"a": "y"}, True),
     ("a notin (x)", {}, True), ("!a", {"a": ""}, False), ("a", {"a": ""}, True), ("a>3", {"a": "4"}, True), ("", {}, True),
     ("a=", {"a": ""}, True)],
)  # fmt: skip
def test_label_selectors(text: str, labels: dict[str, str], matches: bool) -> None:
    assert parse_labels(text).matches(labels) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [("a in b", "unable to parse requirement: found 'b' expected: '('"), ("a,,b", "found ',', expected: identifier after ','"),
     ("=b", "found '=', expected: !, identifier, or 'end of string'")],
)  # fmt: skip
def test_bad_selectors_say_what_was_found(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_labels(text)
    assert str(caught.value) == message


def test_selector_objects() -> None:
    assert not from_object(None).matches({"a": "b"})
    assert from_object({}).matches({})
    assert str(from_object({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]})) == "a=b,c"
    assert [t.value for t in parse_fields("a=b,c!=d\\,e")] == ["b", "d,e"]


@given(st.text(max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    labels: LabelSelector | None = None
    fields: tuple[FieldTerm, ...] = ()
    with contextlib.suppress(SelectorError):
        labels = parse_labels(text)
    with contextlib.suppress(SelectorError):
        fields = parse_fields(text)
    assert labels is None or str(parse_labels(str(labels))) == str(labels), "what it prints is not what it is"
    assert all(term.field in text for term in fields)
    assert len(fields) <= text.count(",") + 1


def test_names_and_kinds() -> None:
    assert names.dns_label("a.b") == ["must not contain dots"]
    assert names.dns_label("web-1") == []
    assert names.dns_subdomain("a.b-c") == []
    assert kinds.find("deploy") is kinds.find("Deployment") is kinds.find("deployments.apps") is kinds.find("deployments.v1.apps")
    assert len({(k.group, k.plural) for k in kinds.KINDS}) == len(kinds.KINDS) == 67
    versions = ["v1", "v2beta1", "v1alpha1", "v10", "foo"]
    assert sorted(versions, key=kinds.version_order) == ["v10", "v1", "v2beta1", "v1alpha1", "foo"]
