"""Errors of JSON in Go's words."""

from __future__ import annotations

import json

import pytest

from simulator.core.kube.api import gojson


@pytest.mark.parametrize(
    ("text", "told", "offset"),
    [
        ('{"a": ]', "invalid character ']' looking for beginning of value", 7),
        ('{"a": 1,}', "invalid character '}' looking for beginning of object key string", 9),
        ('{"a" 1}', "invalid character '1' after object key", 6),
        ('{"a": 1 "b": 2}', "invalid character '\"' after object key:value pair", 9),
        ('{"a": ["]", 1 2]}', "invalid character '2' after array element", 15),
        ("{} x", "invalid character 'x' after top-level value", 4),
        ('{"a": "x', "unexpected end of JSON input", 0),
        ('{"a": 1', "unexpected end of JSON input", 0),
    ],
)
def test_what_go_says(text: str, told: str, offset: int) -> None:
    with pytest.raises(json.JSONDecodeError) as raised:
        json.loads(text)
    assert gojson.problem(raised.value) == (told, offset)
