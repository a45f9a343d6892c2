"""iptables as data: tables of chains of rules, and what they do to a packet (net/netfilter, iptables-extensions(8)).

A rule is its text as `iptables-save` prints it, without `-A CHAIN`; `parse` reads it, once a process.  Tables exist only where somebody
has changed them: a host that only kube-proxy wrote to keeps kube-proxy's service rules (`network.Rule`), from which the same chains are
made when they are looked at (`world.tables["firewall"]`).
"""

from __future__ import annotations

import ipaddress
import shlex
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

BUILT_IN: dict[str, tuple[str, ...]] = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}
TERMINAL = ("ACCEPT", "DROP", "REJECT", "RETURN", "DNAT", "SNAT", "MASQUERADE", "REDIRECT")
#: How deep jumps may go, and how many rules one packet may try.
DEPTH, STEPS = 32, 20_000


class Chain(msgspec.Struct, array_like=True):
    """A chain: its policy (`-` for a chain of the user's own) and its rules."""

    policy: str = "-"
    rules: list[str] = []


#: table → chain → rules.
Tables = dict[str, dict[str, Chain]]


class Test(NamedTuple):
    """One condition of a rule: its option, the values and whether it is negated."""

    option: str
    values: tuple[str, ...]
    negated: bool


class RuleText(NamedTuple):
    """A parsed rule: conditions, the modules named by -m in order, the target and its options."""

    tests: tuple[Test, ...]
    modules: tuple[str, ...]
    target: str
    options: dict[str, str]
    goto: bool


class Packet(msgspec.Struct):
    """What rules look at.  `state` is conntrack's; `iif` and `oif` are the interfaces; `local` whether the host itself sent it."""

    src: str
    dst: str
    port: int
    protocol: str = "tcp"
    sport: int = 40000
    state: str = "NEW"
    iif: str = ""
    oif: str = ""
    mark: int = 0


class Verdict(NamedTuple):
    """What a chain decided: ACCEPT, DROP, REJECT or DNAT (with the new destination), and by which chains' rules."""

    action: str
    to: str = ""
    by: tuple[str, ...] = ()


ALIASES = {
    "--src": "-s",
    "--source": "-s",
    "--dst": "-d",
    "--destination": "-d",
    "--protocol": "-p",
    "--proto": "-p",
    "--in-interface": "-i",
    "--out-interface": "-o",
    "--jump": "-j",
    "--goto": "-g",
    "--match": "-m",
    "--destination-port": "--dport",
    "--source-port": "--sport",
    "--state": "--ctstate",
    "--destination-ports": "--dports",
    "--source-ports": "--sports",
}
#: Options without a value.
BARE = (
    "--rcheck",
    "--reap",
    "--set",
    "--update",
    "--remove",
    "--rsource",
    "--rdest",
    "--random",
    "--random-fully",
    "--persistent",
    "--syn",
)
#: Options that belong to the target.
TARGET = (
    "--to-destination --to-source --to-ports --reject-with --set-xmark --set-mark --or-mark --xor-mark --and-mark --log-prefix "
    "--log-level --random-fully --random --persistent"
).split()


class BadRule(Exception):
    """A rule that iptables refuses; the text is its complaint."""


@lru_cache(maxsize=20_000)
def parse(text: str) -> RuleText:
    """The parts of a rule; raises BadRule."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise BadRule("unbalanced quotes") from None
    return parse_words(tuple(words))


def parse_words(words: tuple[str, ...]) -> RuleText:
    """The parts of a rule given as words; raises BadRule with iptables' words."""
    tests: list[Test] = []
    modules: list[str] = []
    options: dict[str, str] = {}
    target, goto, negated = "", False, False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "!":
            negated = True
            continue
        word = ALIASES.get(word, word)
        if not word.startswith("-"):
            raise BadRule(f"Bad argument `{word}'")
        if word in BARE and not (word in TARGET and not target):
            if target and word in TARGET:
                options[word] = ""
            else:
                tests.append(Test(word, (), negated))
            negated = False
            continue
        if not rest:
            raise BadRule(f'option "{word}" requires an argument')
        value = rest.pop(0)
        if value == "!":
            negated = True
            if not rest:
                raise BadRule(f'option "{word}" requires an argument')
            value = rest.pop(0)
        if word in ("-j", "-g"):
            target, goto = value, word == "-g"
        elif word == "-m":
            modules.append("conntrack" if value == "state" else value)
        elif target and word in TARGET:
            options[word] = value
        else:
            tests.append(Test(word, (value,), negated))
        negated = False
    return RuleText(tuple(tests), tuple(modules), target, options, goto)


def built_in() -> Tables:
    """The tables of a machine on which nobody has made a rule."""
    return {table: {name: Chain("ACCEPT", []) for name in BUILT_IN[table]} for table in ("mangle", "filter", "nat")}


def _in(address: str, wanted: str) -> bool:
    if wanted.startswith("0.0.0.0/0"):
        return True
    if "/" not in wanted or wanted.endswith("/32"):
        return address == wanted.removesuffix("/32")
    return _number(address) & _mask(wanted)[1] == _mask(wanted)[0]


@lru_cache(maxsize=50_000)
def _number(address: str) -> int:
    try:
        return int(ipaddress.IPv4Address(address))
    except ValueError:
        return -1


@lru_cache(maxsize=20_000)
def _mask(cidr: str) -> tuple[int, int]:
    net = ipaddress.ip_network(cidr, strict=False)
    return int(net.network_address), int(net.netmask)


def in_cidr(address: str, cidr: str) -> bool:
    """Whether an IPv4 address lies in a network (or is the address)."""
    return _in(address, cidr)


def _port_in(port: int, text: str) -> bool:
    low, sep, high = text.partition(":")
    return int(low or 0) <= port <= int(high or 65535) if sep else port == int(text)


def _interface(name: str, wanted: str) -> bool:
    return name.startswith(wanted[:-1]) if wanted.endswith("+") else name == wanted


class Machine(NamedTuple):
    """What conditions need besides the packet: own addresses, a random number, `recent` lists and the time."""

    addresses: tuple[str, ...]
    chance: Any
    recent: dict[str, dict[str, int]]
    now: int


def _local(machine: Machine, address: str) -> bool:
    return address.startswith("127.") or address in machine.addresses


def _holds(test: Test, packet: Packet, machine: Machine, rule: RuleText) -> bool:
    """Whether one condition holds (before negation)."""
    value = test.values[0] if test.values else ""
    match test.option:
        case "-p":
            return value in ("all", "0") or value == packet.protocol
        case "-s":
            return any(_in(packet.src, one) for one in value.split(","))
        case "-d":
            return any(_in(packet.dst, one) for one in value.split(","))
        case "--dport":
            return _port_in(packet.port, value)
        case "--sport":
            return _port_in(packet.sport, value)
        case "--dports":
            return any(_port_in(packet.port, one) for one in value.split(","))
        case "--sports":
            return any(_port_in(packet.sport, one) for one in value.split(","))
        case "-i":
            return _interface(packet.iif, value)
        case "-o":
            return _interface(packet.oif, value)
        case "--ctstate":
            return packet.state in value.split(",")
        case "--mark":
            wanted, _, mask = value.partition("/")
            return packet.mark & int(mask or "0xffffffff", 0) == int(wanted, 0)
        case "--dst-type":
            return value != "LOCAL" or _local(machine, packet.dst)
        case "--src-type":
            return value != "LOCAL" or _local(machine, packet.src)
        case "--probability":
            return bool(machine.chance(float(value)))
        case "--rcheck" | "--update":
            name = next((t.values[0] for t in rule.tests if t.option == "--name"), "DEFAULT")
            seconds = next((int(t.values[0]) for t in rule.tests if t.option == "--seconds"), 0)
            seen = machine.recent.get(name, {}).get(packet.src)
            return seen is not None and (not seconds or machine.now - seen <= seconds * 1_000_000_000)
        case "--set":
            name = next((t.values[0] for t in rule.tests if t.option == "--name"), "DEFAULT")
            machine.recent.setdefault(name, {})[packet.src] = machine.now
            return True
        case "--syn":
            return packet.state == "NEW"
        case "--icmp-type":
            return packet.protocol == "icmp"
    return True


def traverse(tables: Tables, table: str, chain: str, packet: Packet, machine: Machine) -> Verdict:
    """Send a packet through a built-in chain; marks are set on the packet itself."""
    chains = tables.get(table) or {}
    start = chains.get(chain)
    if start is None:
        return Verdict("ACCEPT")
    steps = 0
    by: list[str] = []

    def run(name: str, depth: int) -> Verdict | None:
        nonlocal steps
        if depth > DEPTH or name not in chains:
            return None
        for text in chains[name].rules:
            steps += 1
            if steps > STEPS:
                return Verdict("DROP", by=tuple(by))
            try:
                rule = parse(text)
            except BadRule:
                continue
            if not all(_holds(test, packet, machine, rule) != test.negated for test in rule.tests):
                continue
            target = rule.target
            if target in ("", "LOG", "TRACE", "NOTRACK", "CT"):
                continue
            if target == "MARK":
                _set_mark(packet, rule.options)
                continue
            by.append(name)
            if target == "RETURN":
                return None
            if target in ("DNAT", "REDIRECT"):
                to = rule.options.get("--to-destination", "")
                if target == "REDIRECT":
                    to = f"{machine.addresses[0] if machine.addresses else '127.0.0.1'}:{rule.options.get('--to-ports', packet.port)}"
                return Verdict("DNAT", to, tuple(by))
            if target in ("ACCEPT", "DROP", "REJECT", "SNAT", "MASQUERADE"):
                return Verdict("ACCEPT" if target in ("SNAT", "MASQUERADE") else target, by=tuple(by))
            found = run(target, depth + 1)
            if found is not None:
                return found
            if rule.goto:
                return None
        return None

    found = run(chain, 0)
    return found if found is not None else Verdict(start.policy, by=tuple(by))


def _set_mark(packet: Packet, options: dict[str, str]) -> None:
    for name, text in options.items():
        value, _, mask = text.partition("/")
        number, bits = int(value, 0), int(mask or "0xffffffff", 0)
        if name == "--set-xmark":
            packet.mark = (packet.mark & ~bits & 0xFFFFFFFF) ^ number
        elif name == "--set-mark":
            packet.mark = (packet.mark & ~bits & 0xFFFFFFFF) | number
        elif name == "--or-mark":
            packet.mark |= number
        elif name == "--xor-mark":
            packet.mark ^= number
        elif name == "--and-mark":
            packet.mark &= number
