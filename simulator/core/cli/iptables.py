"""`iptables`, `iptables-save`, `iptables-restore`: the tables of the network namespace that the command runs in (iptables 1.8.10).

Counters are not kept and are printed as zero.  Options that this simulator has no meaning for are refused, not ignored.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator
from typing import Any

from ..host.invocation import Call
from ..host.program import Wait
from ..kernel import clock, netfilter
from ..kernel.netfilter import BUILT_IN, BadRule, Chain, RuleText, Tables, Test
from ..kernel.network import changed, network
from ..shell.coreutils.names import hosts_file

VERSION = "v1.8.10 (nf_tables)"
MISSING = "No chain/target/match by that name."
COMMANDS = {
    "-A": "append", "--append": "append", "-I": "insert", "--insert": "insert", "-D": "delete", "--delete": "delete",
    "-C": "check", "--check": "check", "-R": "replace", "--replace": "replace", "-L": "list", "--list": "list",
    "-S": "rules", "--list-rules": "rules", "-F": "flush", "--flush": "flush", "-Z": "zero", "--zero": "zero",
    "-N": "new", "--new-chain": "new", "-X": "remove", "--delete-chain": "remove", "-P": "policy", "--policy": "policy",
    "-E": "rename", "--rename-chain": "rename",
}  # fmt: skip
NEEDS_CHAIN = ("append", "insert", "delete", "check", "replace", "new", "policy", "rename")
#: Which module an option comes from.
MODULES: dict[str, str] = {
    "--dports": "multiport", "--sports": "multiport", "--ports": "multiport", "--ctstate": "conntrack", "--comment": "comment",
    "--mark": "mark", "--mode": "statistic", "--probability": "statistic", "--every": "statistic", "--packet": "statistic",
    "--dst-type": "addrtype", "--src-type": "addrtype", "--rcheck": "recent", "--seconds": "recent", "--reap": "recent",
    "--name": "recent", "--set": "recent", "--update": "recent", "--mask": "recent", "--rsource": "recent", "--hitcount": "recent",
    "--limit": "limit", "--limit-burst": "limit", "--nfacct-name": "nfacct", "--mac-source": "mac", "--icmp-type": "icmp",
    "--src-range": "iprange", "--dst-range": "iprange", "--uid-owner": "owner", "--string": "string", "--algo": "string",
}  # fmt: skip
TARGETS = (*netfilter.TERMINAL, "LOG", "MARK", "TRACE", "NOTRACK", "CT")
SERVICES = {
    22: "ssh",
    53: "domain",
    80: "http",
    443: "https",
    25: "smtp",
    123: "ntp",
    179: "bgp",
    3306: "mysql",
    8080: "http-alt",
}
NUMBERS = {"tcp": "6", "udp": "17", "icmp": "1", "all": "0"}


class Failed(Exception):
    """A command that ends with an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def tables_of(call: Call) -> Tables:
    """The tables as they are now (a view: a changed copy has to be stored with `store`)."""
    held = network(call.world).tables.get(call.proc.netns)
    if held is not None:
        return held
    if call.proc.netns == call.host.name:
        found: Tables = call.world.tables["firewall"](call.world, call.host.name)
        return found
    return netfilter.built_in()


def store(call: Call, tables: Tables) -> None:
    """Keep tables that were changed by hand; whoever looks after them (kube-proxy) hears of it."""
    net = network(call.world)
    first = call.proc.netns not in net.tables
    net.tables[call.proc.netns] = tables
    changed(call.world)
    changed(call.world)
    if first:
        call.world.ring(f"netfilter:{call.proc.netns}")


# -- rules from words ----------------------------------------------------------------------------------------------------
def canonical(words: list[str], chains: dict[str, Chain]) -> str:
    """A rule as iptables-save prints it; raises Failed or BadRule."""
    rule = netfilter.parse_words(tuple(words))
    protocol = next((t.values[0] for t in rule.tests if t.option == "-p"), "")
    head: dict[str, str] = {}
    groups: dict[str, list[str]] = {name: [] for name in rule.modules}
    for test in rule.tests:
        text = ("! " if test.negated else "") + test.option + "".join(f" {_quote(value)}" for value in test.values)
        if test.option in ("-s", "-d", "-i", "-o", "-p"):
            head[test.option] = ("! " if test.negated else "") + f"{test.option} {_address(test)}"
            continue
        module = MODULES.get(test.option)
        if test.option in ("--dport", "--sport", "--syn", "--tcp-flags"):
            if protocol not in ("tcp", "udp", "sctp"):
                raise BadRule(f'unknown option "{test.option}"')
            module = protocol
        if module is None:
            raise BadRule(f'unknown option "{test.option}"')
        groups.setdefault(module, []).append(text)
    parts = [head[key] for key in ("-s", "-d", "-i", "-o", "-p") if key in head]
    parts = [part for part in parts if part != "-p all" and not part.endswith(" 0.0.0.0/0")]
    for module, texts in groups.items():
        parts.append(" ".join([f"-m {module}", *texts]))
    if rule.target:
        if rule.target not in TARGETS and rule.target not in chains:
            raise Failed(2, f"Couldn't load target `{rule.target}':No such file or directory")
        options = dict(rule.options)
        if rule.target == "REJECT":
            options.setdefault("--reject-with", "icmp-port-unreachable")
        if "--or-mark" in options:
            value = options.pop("--or-mark")
            options["--set-xmark"] = f"{hex(int(value, 0))}/{hex(int(value, 0))}"
        if "--set-mark" in options:
            options["--set-xmark"] = f"{hex(int(options.pop('--set-mark'), 0))}/0xffffffff"
        tail = "".join(f" {name}" + (f" {_quote(value)}" if value else "") for name, value in options.items())
        parts.append(("-g " if rule.goto else "-j ") + rule.target + tail)
    return " ".join(parts)


def _quote(value: str) -> str:
    return '"' + value.replace('"', '\\"') + '"' if re.search(r"[\s\"']", value) else value


def _address(test: Test) -> str:
    value = test.values[0]
    if test.option not in ("-s", "-d"):
        return {"6": "tcp", "17": "udp", "1": "icmp", "0": "all"}.get(value, value.lower()) if test.option == "-p" else value
    if not re.fullmatch(r"\d+\.\d+\.\d+\.\d+(/\d+(\.\d+\.\d+\.\d+)?)?", value):
        raise BadRule(f"host/network `{value}' not found")
    address, _, bits = value.partition("/")
    if any(int(part) > 255 for part in address.split(".")) or (bits.isdigit() and int(bits) > 32):
        raise BadRule(f"invalid mask `{bits}' specified" if bits else f"host/network `{value}' not found")
    import ipaddress

    return str(ipaddress.ip_network(value, strict=False))


# -- the command ---------------------------------------------------------------------------------------------------------
class Line:
    """A parsed command line."""

    def __init__(self, argv: list[str]) -> None:
        self.table, self.command, self.chain, self.number = "filter", "", "", 0
        self.extra = ""
        self.numeric = self.verbose = self.numbered = self.exact = False
        self.words: list[str] = []
        rest = list(argv)
        while rest:
            word = rest.pop(0)
            if re.fullmatch(r"-[LSFZnvx]{2,}[A-Z]?", word):
                rest[0:0] = [f"-{letter}" for letter in word[1:]]
                continue
            if word in ("-t", "--table"):
                if not rest:
                    raise Failed(2, f'option "{word}" requires an argument')
                self.table = rest.pop(0)
            elif word in COMMANDS:
                if self.command:
                    raise Failed(2, f"Cannot use -{word[-1]} with -{self.command[0].upper()}")
                self.command = COMMANDS[word]
                if rest and not rest[0].startswith("-"):
                    self.chain = rest.pop(0)
                elif self.command in NEEDS_CHAIN:
                    raise Failed(2, f'option "{word}" requires an argument')
                if self.command in ("insert", "delete", "replace", "rules", "list") and rest and rest[0].isdigit():
                    self.number = int(rest.pop(0))
                if self.command in ("policy", "rename"):
                    if not rest:
                        raise Failed(2, f'option "{word}" requires an argument')
                    self.extra = rest.pop(0)
            elif word in ("-n", "--numeric"):
                self.numeric = True
            elif word in ("-v", "--verbose"):
                self.verbose = True
            elif word in ("-x", "--exact"):
                self.exact = True
            elif word == "--line-numbers":
                self.numbered = True
            elif word in ("-w", "--wait"):
                if rest and rest[0].isdigit():
                    rest.pop(0)
            elif word in ("-4", "--ipv4"):
                continue
            else:
                self.words.append(word)
                if word in ("-m", "-j", "-g", "-s", "-d", "-p", "-i", "-o") and rest:
                    self.words.append(rest.pop(0))


def iptables(call: Call) -> int:
    """`iptables [-t table] -A|-I|-D|-C|-R|-L|-S|-F|-N|-X|-P|-E …`."""
    argv = call.argv[1:]
    if argv[:1] in (["-V"], ["--version"]):
        call.out(f"iptables {VERSION}\n")
        return 0
    if call.uid:
        call.err(f"iptables {VERSION}: Could not fetch rule set generation id: Permission denied (you must be root)\n")
        return 4
    try:
        line = Line(argv)
        if not line.command:
            raise Failed(2, "no command specified")
        tables = tables_of(call)
        if line.table not in tables:
            if line.table not in BUILT_IN:
                raise Failed(3, f"can't initialize iptables table `{line.table}': Table does not exist (do you need to insmod?)")
            tables[line.table] = {name: Chain("ACCEPT") for name in BUILT_IN[line.table]}
        return _run(call, line, tables)
    except BadRule as bad:
        call.err(f"iptables {VERSION}: {bad}\nTry `iptables -h' or 'iptables --help' for more information.\n")
        return 2
    except Failed as failed:
        if failed.code == 1:
            call.err(f"iptables: {failed}\n")
        else:
            hint = "\nTry `iptables -h' or 'iptables --help' for more information." if failed.code == 2 else ""
            call.err(f"iptables {VERSION}: {failed}{hint}\n")
        return failed.code


def _run(call: Call, line: Line, tables: Tables) -> int:
    chains = tables[line.table]
    if line.command in ("list", "rules"):
        if line.chain and line.chain not in chains:
            raise Failed(1, MISSING)
        names = [line.chain] if line.chain else list(chains)
        call.out(_listing(call, line, chains, names) if line.command == "list" else _saved(line, chains, names))
        return 0
    if line.command == "zero":
        return 0
    _change(line, chains)
    if line.command != "check":
        store(call, tables)
    return 0


def _chain(chains: dict[str, Chain], name: str) -> Chain:
    if name not in chains:
        raise Failed(1, MISSING)
    return chains[name]


def _change(line: Line, chains: dict[str, Chain]) -> None:
    match line.command:
        case "new":
            if line.chain in chains:
                raise Failed(1, "Chain already exists.")
            chains[line.chain] = Chain()
        case "policy":
            chain = _chain(chains, line.chain)
            if line.extra not in ("ACCEPT", "DROP") or chain.policy == "-":
                raise Failed(1, "Bad policy name. Run `dmesg' for more information.")
            chain.policy = line.extra
        case "flush":
            for name in [line.chain] if line.chain else list(chains):
                _chain(chains, name).rules.clear()
        case "remove":
            for name in [line.chain] if line.chain else [n for n in chains if chains[n].policy == "-"]:
                _remove(chains, name)
        case "rename":
            chains[line.extra] = _chain(chains, line.chain)
            del chains[line.chain]
        case _:
            _rule(line, chains)


def _remove(chains: dict[str, Chain], name: str) -> None:
    chain = _chain(chains, name)
    if chain.rules:
        raise Failed(1, "Directory not empty.") if not _references(chains, name) else Failed(1, "Too many links.")
    if _references(chains, name):
        raise Failed(1, "Too many links.")
    if chain.policy != "-":
        raise Failed(1, "Operation not supported.")
    del chains[name]


def _references(chains: dict[str, Chain], name: str) -> int:
    return sum(1 for chain in chains.values() for text in chain.rules if netfilter.parse(text).target == name)


def _rule(line: Line, chains: dict[str, Chain]) -> None:
    chain = _chain(chains, line.chain)
    rules = chain.rules
    if line.command == "delete" and line.number:
        if line.number > len(rules):
            raise Failed(1, "Index of deletion too big.")
        del rules[line.number - 1]
        return
    text = canonical(line.words, chains)
    if line.command == "append":
        rules.append(text)
    elif line.command == "insert":
        at = max(line.number, 1) - 1
        if at > len(rules):
            raise Failed(1, "Index of insertion too big.")
        rules.insert(at, text)
    elif line.command == "replace":
        if not 1 <= line.number <= len(rules):
            raise Failed(1, "Index of replacement too big.")
        rules[line.number - 1] = text
    elif text not in rules:
        raise Failed(1, "Bad rule (does a matching rule exist in that chain?).")
    elif line.command == "delete":
        rules.remove(text)


# -- output --------------------------------------------------------------------------------------------------------------
def _saved(line: Line, chains: dict[str, Chain], names: list[str]) -> str:
    out = [f"-P {name} {chains[name].policy}" if chains[name].policy != "-" else f"-N {name}" for name in names]
    for name in names:
        out += [f"-A {name} {text}".rstrip() for text in chains[name].rules]
    return "".join(text + "\n" for text in out)


def _listing(call: Call, line: Line, chains: dict[str, Chain], names: list[str]) -> str:
    resolved = {} if line.numeric else {address: found[0] for address, found in hosts_file(call) if found}
    blocks = []
    for name in names:
        chain = chains[name]
        count = " 0 packets, 0 bytes" if line.verbose else ""
        what = f"policy {chain.policy}{count}" if chain.policy != "-" else f"{_references(chains, name)} references"
        rows = [f"Chain {name} ({what})"]
        columns = "target     prot opt "
        if line.verbose:
            columns = " pkts bytes target     prot opt in     out    "
        rows.append(("num  " if line.numbered else "") + columns + " source               destination         "[1:])
        if line.verbose:
            rows[-1] = ("num  " if line.numbered else "") + columns + " source               destination         "
        for number, text in enumerate(chain.rules, 1):
            rows.append((f"{number:<4} " if line.numbered else "") + _row(line, netfilter.parse(text), resolved))
        blocks.append("\n".join(rows) + "\n")
    return "\n".join(blocks)


def _row(line: Line, rule: RuleText, resolved: dict[str, str]) -> str:
    found = {test.option: test for test in rule.tests}

    def value(option: str) -> tuple[str, str]:
        test = found.get(option)
        return ("!" if test is not None and test.negated else " ", test.values[0] if test is not None else "")

    protocol = value("-p")[1] or "all"
    shown = NUMBERS.get(protocol, protocol) if line.numeric else protocol
    out = f"{'    0     0 ' if line.verbose else ''}{rule.target:<10} {shown:<4} --"
    if line.verbose:
        inside, outside = (value(option)[1] or ("*" if line.numeric else "any") for option in ("-i", "-o"))
        out += f"  {inside:<6} {outside:<6}"
    for option in ("-s", "-d"):
        mark, address = value(option)
        if not address:
            text = "0.0.0.0/0" if line.numeric else "anywhere"
        else:
            plain = address.removesuffix("/32")
            text = resolved.get(plain, plain)
        out += f"{' ' if option == '-s' else ''}{mark}{text:<19} "
    return out + "".join(" " + text for text in _details(line, rule))


def _details(line: Line, rule: RuleText) -> Generator[str, Any, None]:
    """The conditions and the target's options, as each module prints them."""
    by = {test.option: test for test in rule.tests}

    def port(text: str) -> str:
        return text if line.numeric else SERVICES.get(int(text), text) if text.isdigit() else text

    for module in rule.modules:
        if module == "comment" and "--comment" in by:
            yield f"/* {by['--comment'].values[0]} */"
        elif module in ("tcp", "udp"):
            ports = [
                f"{label}:{'!' if by[option].negated else ''}{port(by[option].values[0])}"
                for option, label in (("--sport", "spt"), ("--dport", "dpt"))
                if option in by
            ]
            if ports:
                yield f"{module} {' '.join(ports)}"
        elif module == "multiport":
            for option, label in (("--dports", "dports"), ("--sports", "sports")):
                if option in by:
                    yield f"multiport {label} {by[option].values[0]}"
        elif module == "conntrack" and "--ctstate" in by:
            yield ("! " if by["--ctstate"].negated else "") + f"ctstate {by['--ctstate'].values[0]}"
        elif module == "mark" and "--mark" in by:
            yield f"mark match {'! ' if by['--mark'].negated else ''}{by['--mark'].values[0]}"
        elif module == "statistic" and "--probability" in by:
            yield f"statistic mode random probability {by['--probability'].values[0]}"
        elif module == "addrtype":
            for option, label in (("--src-type", "src-type"), ("--dst-type", "dst-type")):
                if option in by:
                    yield f"ADDRTYPE match {label} {by[option].values[0]}"
        elif module == "recent":
            what = "SET" if "--set" in by else "CHECK"
            seconds = f" seconds: {by['--seconds'].values[0]}" if "--seconds" in by else ""
            reap = " reap" if "--reap" in by else ""
            name = by["--name"].values[0] if "--name" in by else "DEFAULT"
            yield f"recent: {what}{seconds}{reap} name: {name} side: source mask: 255.255.255.255"
        elif module == "nfacct":
            yield f"nfacct-name  {by['--nfacct-name'].values[0] if '--nfacct-name' in by else ''}"
        elif module == "limit" and "--limit" in by:
            yield f"limit: avg {by['--limit'].values[0]} burst {by['--limit-burst'].values[0] if '--limit-burst' in by else 5}"
    if "--reject-with" in rule.options:
        yield f"reject-with {rule.options['--reject-with']}"
    if "--to-destination" in rule.options:
        yield f"to:{rule.options['--to-destination']}"
    if "--set-xmark" in rule.options:
        number, _, mask = rule.options["--set-xmark"].partition("/")
        yield f"MARK or {number}" if number == mask else (f"MARK xor {number}" if mask == "0x0" else f"MARK xset {number}/{mask}")
    if "--random-fully" in rule.options:
        yield "random-fully"
    if rule.target == "LOG":
        prefix = rule.options.get("--log-prefix")
        yield "LOG flags 0 level 4" + (f' prefix "{prefix}"' if prefix else "")


def iptables_save(call: Call) -> int:
    """`iptables-save [-t table]`."""
    wanted = ""
    words = call.argv[1:]
    while words:
        word = words.pop(0)
        if word in ("-t", "--table") and words:
            wanted = words.pop(0)
        elif word not in ("-c", "--counters"):
            call.err(f"iptables-save {VERSION}: unknown option -- '{word}'\n")
            return 1
    if call.uid:
        call.err(f"iptables-save {VERSION}: Could not fetch rule set generation id: Permission denied (you must be root)\n")
        return 4
    when = clock.to_datetime(call.world.wall).strftime("%a %b %e %H:%M:%S %Y")
    for table, chains in tables_of(call).items():
        if wanted and table != wanted:
            continue
        call.out(f"# Generated by iptables-save {VERSION} on {when}\n*{table}\n")
        call.out("".join(f":{name} {chain.policy} [0:0]\n" for name, chain in chains.items()))
        for name, chain in chains.items():
            call.out("".join(f"-A {name} {text}".rstrip() + "\n" for text in chain.rules))
        call.out(f"COMMIT\n# Completed on {when}\n")
    return 0


def iptables_restore(call: Call) -> Generator[Wait, Any, int]:
    """`iptables-restore [-n] [file]`: tables that the input names are replaced (or added to, with --noflush)."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    keep = bool({"-n", "--noflush"} & set(call.argv[1:]))
    data = call.read_file(words[0]) if words else (yield from call.read())
    tables = tables_of(call)
    table = ""
    for number, raw in enumerate(data.decode(errors="replace").splitlines(), 1):
        text = raw.strip()
        if not text or text.startswith("#") or text == "COMMIT":
            continue
        try:
            if text.startswith("*"):
                table = text[1:]
                if table not in BUILT_IN:
                    raise Failed(1, f"unknown table {table}")
                if not keep or table not in tables:
                    tables[table] = {name: Chain("ACCEPT") for name in BUILT_IN[table]}
            elif text.startswith(":") and table:
                name, policy = [*text[1:].split(), "-"][:2]
                tables[table][name] = Chain(policy, [])
            else:
                line = Line(shlex.split(re.sub(r"^\[\d+:\d+\]\s*", "", text)))
                _change(line, tables[table])
        except (BadRule, Failed, KeyError, ValueError) as bad:
            call.err(f"iptables-restore {VERSION}: {bad}\nError occurred at line: {number}\n")
            return 2
    store(call, tables)
    return 0
