"""CEL: values, functions, types, messages, and that no expression runs away."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kube.cel import types
from simulator.core.kube.cel.evaluate import Budget, CelError, EvalError, compile


def run(source: str, **variables: Any) -> Any:
    """The value of an expression over untyped variables."""
    return compile(source, dict.fromkeys(variables, types.DYN)).run(variables)


@pytest.mark.parametrize(
    "source",
    [
        "1 + 2 * 3 == 7 && -7 / 2 == -3 && -7 % 2 == -1",
        "'a' + 'b' == 'ab' && [1] + [2] == [1, 2] && b'ab' == b'ab'",
        "dyn(1) == 1.0 && dyn(1u) == 1 && dyn('a') != 1",
        "size('héllo') == 5 && 'héllo'.size() == 5 && size({'a': 1}) == 1",
        "[1, 2, 3].all(x, x > 0) && [1, 2].exists(x, x == 2) && [1, 2].exists_one(x, x == 2)",
        "[1, 2, 3].filter(x, x > 1).map(x, x * 2) == [4, 6]",
        "[1, 2, 3].map(x, x > 1, x * 2) == [4, 6]",
        "{'a': 1, 'b': 2}.all(k, k in ['a', 'b']) && {'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
        "[1, 2].transformList(i, v, i + v) == [1, 3] && [3, 4].all(i, v, v == i + 3)",
        "has({'a': 1}.a) && !has({'a': 1}.b) && {'a': {'b': 1}}.?a.?c.orValue(5) == 5",
        "true || 1 / 0 == 1",
        "!(1 / 0 == 1 && false)",
        "quantity('1Gi').isGreaterThan(quantity('500Mi')) && quantity('100m').add(quantity('0.9')).compareTo(quantity('1')) == 0",
        "ip('10.0.0.1').family() == 4 && cidr('10.0.0.0/8').containsIP('10.1.1.1') && !isIP('10.0.0') && isCIDR('::/0')",
        "url('https://x.io:80/p?q=1').getHost() == 'x.io:80' && url('https://x.io:80/').getPort() == '80'",
        "timestamp('2024-02-01T00:00:00Z') - timestamp('2024-01-31T23:00:00Z') == duration('1h')",
        "timestamp('2024-02-01T00:00:00Z').getMonth() == 1 && duration('90s').getMinutes() == 1",
        "'%s is %d, %.2f'.format(['x', 3, 1.5]) == 'x is 3, 1.50'",
        "'a-b-c'.split('-') == ['a', 'b', 'c'] && 'abc'.substring(1) == 'bc' && ['x', 'y'].join('/') == 'x/y'",
        "'Abc'.lowerAscii() == 'abc' && 'aXbX'.replace('X', '') == 'ab' && ' a '.trim() == 'a' && 'abcb'.lastIndexOf('b') == 3",
        "'abc123'.find('[0-9]+') == '123' && 'a1b2'.findAll('[0-9]') == ['1', '2'] && 'abc'.matches('^a.c$')",
        "[1, 3].isSorted() && [1, 2].sum() == 3 && [2, 1].min() == 1 && [1, 2, 1].distinct() == [1, 2]",
        "sets.contains([1, 2], [1]) && sets.equivalent([1, 2], [2, 1]) && !sets.intersects([1], [2])",
        "type(1) == int && type('') == string && type([]) == list && type(1) != uint",
        "optional.of(1).optMap(x, x + 1).value() == 2 && !optional.none().hasValue() && [1][?3].orValue(0) == 0",
        "format.dns1123Label().validate('a-b') == optional.none() && format.named('nope') == optional.none()",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).minor() == 2 && !isSemver('1')",
        "int('7') == 7 && string(1.5) == '1.5' && double(1) == 1.0 && uint(3) == 3u",
        "1 > 0 ? 'y' == 'y' : false",
    ],
)
def test_it_is_true(source: str) -> None:
    """What the language says."""
    assert run(source) is True


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 / 0 == 1", "division by zero"),
        ("9223372036854775807 + 1 > 0", "integer overflow"),
        ("{'a': 1}.b == 1", "no such key: b"),
        ("[1][3] == 1", "index out of bounds: 3"),
        ("dyn('a') > dyn(1)", "no such overload"),
        ("duration('x') == duration('1s')", 'time: invalid duration "x"'),
        ("'a'.matches('(')", "error parsing regexp: missing closing ): `(`"),
        ("quantity('1x') == quantity('1')", "quantities must match the regular expression"),
    ],
)
def test_it_fails(source: str, why: str) -> None:
    """Errors of evaluation."""
    with pytest.raises(EvalError) as caught:
        run(source)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("self.spec.foo > 1", "ERROR: <input>:1:10: undefined field 'foo'\n | self.spec.foo > 1\n | .........^"),
        (
            "self.spec.size > 'a'",
            "ERROR: <input>:1:16: found no matching overload for '_>_' applied to '(int, string)'\n"
            " | self.spec.size > 'a'\n | ...............^",
        ),
        ("foo == 1", "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo == 1\n | ^"),
        ("self.spec.size.startsWith('a')", "found no matching overload for 'startsWith' applied to 'int.(string)'"),
        ("size(1)", "found no matching overload for 'size' applied to '(int)'"),
        ("self.spec.size +", "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true'"),
        ("self.spec.size.all(x, true)", "expression of type 'int' cannot be range of a comprehension"),
    ],
)
def test_it_does_not_compile(source: str, said: str) -> None:
    """Messages with their places."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    with pytest.raises(CelError) as caught:
        compile(source, {"self": types.of_schema(schema, root=True)})
    assert said in str(caught.value)


def test_reserved_names_are_written_with_underscores() -> None:
    """`namespace` and names with dashes."""
    schema = {"type": "object", "properties": {"namespace": {"type": "string"}, "a-b": {"type": "integer"}}}
    found = compile("self.__namespace__ == 'x' && self.a__dash__b == 1", {"self": types.of_schema(schema)})
    assert found.run({"self": {"namespace": "x", "a-b": 1}}) is True


def test_nothing_runs_away() -> None:
    """Steps, texts, depth and patterns are bounded."""
    loops = "[1,2,3,4,5,6,7,8,9].all(a, " * 8 + "true" + ")" * 8
    with pytest.raises(EvalError, match="cost limit exceeded"):
        compile(loops.replace("all(a", "all(a"), {}).run({}, Budget())
    doubled = compile("x + x", {"x": types.STRING})
    with pytest.raises(EvalError, match="cost limit exceeded"):
        doubled.run({"x": "a" * 600_000})
    for text in ("(" * 5000, "[" * 3000, "a." * 3000 + "b", "'" + "a" * 200_000 + "'"):
        with pytest.raises(CelError):
            compile(text, {})
    assert run("'" + "a" * 3000 + "b'.matches('^(a+)+$')") is False
