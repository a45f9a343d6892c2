"""The parser reports what pflag and cobra report."""

from __future__ import annotations

import pytest

from simulator.core.cli.cobra import (
    Command,
    UsageError,
    exact_args,
    levenshtein,
    no_args,
)
from simulator.core.cli.cobra_help import etcd_usage, kubectl_help, stock_usage
from simulator.core.cli.flags import (
    Flag,
    FlagError,
    FlagSet,
    HelpRequested,
    format_duration,
    parse_duration,
    read_csv,
)
from simulator.core.cli.tabwriter import align


def tree() -> Command:
    get = Command(
        "get TYPE",
        short="Show things",
        flags=(
            Flag(name="output", short="o", usage="Format."),
            Flag(name="watch", short="w", kind="bool", usage="Watch."),
            Flag(name="chunk-size", kind="int64", default=500, usage="Chunk."),
            Flag(name="label", short="l", kind="array", usage="Labels."),
            Flag(name="columns", kind="strings", usage="Columns."),
            Flag(name="timeout", kind="duration", usage="Time."),
        ),
        run=print,
    )
    make = Command(
        "create", short="Make", run=print, commands=(Command("secret", run=print, flags=(Flag(name="image", required=True),)),)
    )
    root = Command(
        "tool", persistent=(Flag(name="namespace", short="n"), Flag(name="all", kind="bool", short="A")), commands=(get, make)
    )
    root.add(Command("put", run=print, short="Put", args=exact_args(2)))
    root.add(Command("none", run=print, args=no_args))
    return root


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["get", "--bogus"], "unknown flag: --bogus"),
        (["get", "-z"], "unknown shorthand flag: 'z' in -z"),
        (["get", "-keys"], "unknown shorthand flag: 'k' in -keys"),
        (["get", "-wx"], "unknown shorthand flag: 'x' in -x"),
        (["get", "-o"], "flag needs an argument: 'o' in -o"),
        (["get", "-wo"], "flag needs an argument: 'o' in -o"),
        (["get", "--output"], "flag needs an argument: --output"),
        (["get", "---x"], "bad flag syntax: ---x"),
        (
            ["get", "--watch=maybe"],
            'invalid argument "maybe" for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
        ),
        (
            ["get", "--chunk-size=x"],
            'invalid argument "x" for "--chunk-size" flag: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (["get", "--timeout=5"], 'invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"'),
        (["get", "--timeout=x"], 'invalid argument "x" for "--timeout" flag: time: invalid duration "x"'),
    ],
)
def test_flag_errors(args: list[str], message: str) -> None:
    command, rest = tree().find(args)
    with pytest.raises(FlagError) as caught:
        command.parse(rest)
    assert str(caught.value) == message


def test_values_clusters_and_interspersed_arguments() -> None:
    command, rest = tree().find(
        ["-n", "web", "get", "-wojson", "pods", "--label=a=b", "-l", "c=d", "--columns", "x,y", "-A", "--", "-z"]
    )
    values = command.parse(rest)
    assert command.path == "tool get"
    assert (values.text("output"), values.on("watch"), values.on("all"), values.text("namespace")) == ("json", True, True, "web")
    assert values.items("label") == ["a=b", "c=d"] and values.items("columns") == ["x", "y"]
    assert values.args == ["pods", "-z"] and values.dash_at == 1
    assert values.number("chunk-size") == 500 and "chunk-size" not in values.changed


def test_unset_lists_are_not_shared() -> None:
    flags = FlagSet([Flag(name="label", kind="array")])
    flags.parse(["--label", "x"]).items("label").append("y")
    assert flags.parse([]).items("label") == []


def test_short_equals_and_no_interspersing() -> None:
    flags = FlagSet([Flag(name="output", short="o"), Flag(name="quiet", short="q", kind="bool")])
    assert flags.parse(["-o=name"]).text("output") == "name"
    assert flags.parse(["cmd", "-q"], interspersed=False).args == ["cmd", "-q"]


def test_unknown_command_suggests_by_distance_and_prefix() -> None:
    with pytest.raises(UsageError) as caught:
        tree().find(["gte", "pods"])
    assert str(caught.value) == 'unknown command "gte" for "tool"\n\nDid you mean this?\n\tget\n'
    with pytest.raises(UsageError) as caught:
        tree().find(["bogus"])
    assert str(caught.value) == 'unknown command "bogus" for "tool"'
    assert levenshtein("Creat", "create") == 1


def test_a_parent_takes_unknown_words_as_its_own_arguments() -> None:
    command, rest = tree().find(["create", "foo"])
    assert (command.name, rest) == ("create", ["foo"])


def test_required_flags_and_argument_counts() -> None:
    root = tree()
    command, rest = root.find(["create", "secret", "x"])
    with pytest.raises(UsageError, match=r'required flag\(s\) "image" not set'):
        command.validate(command.parse(rest))
    command, rest = root.find(["put", "x"])
    with pytest.raises(UsageError, match=r"accepts 2 arg\(s\), received 1"):
        command.validate(command.parse(rest))
    command, rest = root.find(["none", "x"])
    with pytest.raises(UsageError, match='unknown command "x" for "tool none"'):
        command.validate(command.parse(rest))


def test_help_is_asked_for() -> None:
    command, rest = tree().find(["get", "-wh"])
    with pytest.raises(HelpRequested):
        command.parse(rest)


@pytest.mark.parametrize(
    ("text", "nanos"), [("0", 0), ("1h30m", 5400 * 10**9), ("500ms", 5 * 10**8), ("-1.5s", -15 * 10**8), ("2s", 2 * 10**9)]
)
def test_durations(text: str, nanos: int) -> None:
    assert parse_duration(text) == nanos


@pytest.mark.parametrize(
    ("nanos", "text"), [(0, "0s"), (15 * 10**8, "1.5s"), (3600 * 10**9, "1h0m0s"), (61 * 10**9, "1m1s"), (25 * 10**7, "250ms")]
)
def test_durations_print(nanos: int, text: str) -> None:
    assert format_duration(nanos) == text


def test_csv_values() -> None:
    assert read_csv('a,"b,c"') == ["a", "b,c"] and read_csv("") == []


def test_tabwriter_ends_a_column_at_a_shorter_line() -> None:
    assert align("a\tb\nlonger\tc\nalone\nx\ty\n", padding=2) == "a       b\nlonger  c\nalone\nx  y\n"
    assert align("-a\tone\n--longer\ttwo\n", padchar="\t") == "-a\t\tone\n--longer\ttwo\n"


def test_help_layouts() -> None:
    get = tree().commands[0]
    text = kubectl_help(get)
    assert text.startswith("Show things\n\nOptions:\n    --chunk-size=500:\n\tChunk.\n\n    --columns=[]:\n\tColumns.\n")
    assert "    -o, --output='':\n\tFormat.\n" in text and "Usage:\n  tool get TYPE [options]\n" in text
    assert "  -w, --watch[=false]\t" in etcd_usage(get, "3.6", "3.6") and "GLOBAL OPTIONS:\n" in etcd_usage(get, "3.6", "3.6")
    assert "      --chunk-size int      Chunk. (default 500)\n" in stock_usage(get)
