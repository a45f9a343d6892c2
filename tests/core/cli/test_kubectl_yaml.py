"""The YAML emitter prints what sigs.k8s.io/yaml prints, and the reader reads what it reads."""

from __future__ import annotations

import pytest

from simulator.core.cli import goyaml


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("yes", '"yes"'),
        ("n", '"n"'),
        ("", '""'),
        ("null", '"null"'),
        ("0x1f", '"0x1f"'),
        ("1:20", '"1:20"'),
        ("2026-11-23", '"2026-11-23"'),
        ("1e3", '"1e3"'),
        ("a: b", "'a: b'"),
        ("- x", "'- x'"),
        ("*/10 * * * *", "'*/10 * * * *'"),
        (" lead", "' lead'"),
        ("a #b", "'a #b'"),
        ("it's: ", "'it''s: '"),
        ("a:b", "a:b"),
        ("a\tb", '"a\\tb"'),
        ("v1.36.2", "v1.36.2"),
        ("-flag", "-flag"),
        (None, "null"),
        (True, "true"),
        (0.5, "0.5"),
        (3, "3"),
    ],
)
def test_scalars(value: object, text: str) -> None:
    assert goyaml.dump({"k": value}) == f"k: {text}\n"


def test_blocks_and_sequences() -> None:
    value = {"data": {"a": "l1\nl2\n", "b": "x\ny", "c": "x\n\n", "t": "a\t\nb\n"}, "list": [{"b": 1, "a": []}, ["q"], {}]}
    assert goyaml.dump(value) == (
        'data:\n  a: |\n    l1\n    l2\n  b: |-\n    x\n    y\n  c: |+\n    x\n\n  t: "a\\t\\nb\\n"\n'
        "list:\n- a: []\n  b: 1\n- - q\n- {}\n"
    )


def test_long_text_folds_after_column_80() -> None:
    text = "word " * 30 + "end"
    lines = goyaml.dump({"metadata": {"note": text}}).splitlines()
    assert all(len(line) <= 86 for line in lines) and lines[2].startswith("    word")
    assert goyaml.load("\n".join(lines)) == {"metadata": {"note": text}}


def test_keys_sort_naturally() -> None:
    assert list(goyaml.sorted_keys({"k10": 1, "k9": 1, "K": 1, "a-b": 1, "a": 1})) == ["K", "a", "a-b", "k9", "k10"]


def test_reading_keeps_strings_that_are_no_numbers() -> None:
    read = goyaml.load("a: y\nb: 0777\nc: 1_000\nd: 2026-11-23\ne: 1.0\nf: ~\ng: 'on'\nh: 10m\n")
    assert read == {"a": True, "b": 511, "c": 1000, "d": "2026-11-23", "e": 1, "f": None, "g": "on", "h": "10m"}


def test_documents_and_errors() -> None:
    assert len(goyaml.split_documents("a: 1\n---\nb: 2\n--- # c\n")) == 2
    with pytest.raises(goyaml.YamlError, match="did not find expected key"):
        goyaml.load("metadata:\n  name: x\n spec:\n")
    with pytest.raises(goyaml.YamlError, match="already set in map"):
        goyaml.load("a: 1\na: 2\n")


def test_aliases_are_bounded() -> None:
    bomb = "a: &a [x]\n" + "b: [" + ", ".join(["*a"] * 1200) + "]\n"
    with pytest.raises(goyaml.YamlError, match="excessive aliasing"):
        goyaml.load(bomb)
