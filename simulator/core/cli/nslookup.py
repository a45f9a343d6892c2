"""`nslookup`, as bind9-dnsutils has it (`bin/dig/nslookup.c`) and as busybox has it (`networking/nslookup.c`).

They differ where it matters to learners: busybox asks for A and AAAA of every name of the search list at once and prints each
answer, and it does not use the search list for a name with a dot in it, so `nslookup kubernetes.default` fails there.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ..host import dns
from ..host.dns import Answer
from ..host.invocation import Call
from ..host.program import Sleep, Wait
from ..kernel.errors import ConnectError, NotSimulated
from ..shell.coreutils.names import TIMEOUT, busybox, candidates, is_address, lookup_name, resolvers

Code = Generator[Wait, Any, int]
KINDS = ("A", "AAAA", "PTR", "ANY")


def _reverse(name: str) -> str:
    return ".".join(reversed(name.split("."))) + ".in-addr.arpa"


def _arguments(call: Call) -> tuple[str, list[str]]:
    kind, words = "", []
    for word in call.argv[1:]:
        match = re.fullmatch(r"-(?:type|query|querytype|q|ty)=(\w+)", word)
        if match and match.group(1).upper() in KINDS:
            kind = match.group(1).upper()
        elif word.startswith("-"):
            raise NotSimulated(f"nslookup {word}")
        else:
            words.append(word)
    if not words:
        raise NotSimulated("interactive nslookup")
    return "" if kind == "ANY" else kind, words


def nslookup(call: Call) -> Code:
    """`nslookup [-type=A|AAAA|PTR] name [server]`."""
    kind, words = _arguments(call)
    servers, search, ndots = resolvers(call)
    server = servers[0] if servers else "127.0.0.1"
    if len(words) > 1:
        server = (lookup_name(call, words[1]) or [words[1]])[0]
        if not is_address(server):
            call.err(f"nslookup: couldn't get address for '{words[1]}': not found\n")
            return 1
    if busybox(call):
        return (yield from _busybox(call, words[0], kind, server, search))
    return (yield from _bind(call, words[0], kind, server, search, ndots))


def _bind(call: Call, name: str, kind: str, server: str, search: list[str], ndots: int) -> Code:
    """A, then AAAA, of the first name of the search list that exists."""
    names = [_reverse(name)] if is_address(name) else candidates(name, search, ndots)
    first = "PTR" if is_address(name) else kind or "A"
    head = f"Server:\t\t{server}\nAddress:\t{server}#53\n\n"
    answer = Answer("NXDOMAIN")
    for full in names:
        for attempt in range(3):
            try:
                answer = dns.ask(call.world, call.proc.netns, server, full, first)
                break
            except ConnectError as failed:
                refused = failed.kind == "refused"
                if not refused:
                    yield Sleep(TIMEOUT)
                why = "connection refused" if refused else "timed out" if failed.kind == "timeout" else "host unreachable"
                call.out(f";; communications error to {server}#53: {why}\n")
                if attempt == 2:
                    call.out(";; no servers could be reached\n\n")
                    return 1
        if answer.rcode == "NOERROR":
            break
    if first == "PTR" and answer.records:
        call.out("".join(f"{full}\tname = {value}\n" for _, _, value in answer.records) + "\n")
        return 0
    if answer.rcode != "NOERROR":
        shown = names[0] if is_address(name) else name
        call.out(("" if first == "PTR" else head) + f"** server can't find {shown}: {answer.rcode}\n\n")
        return 1
    if not answer.records:
        call.out(head + f"*** Can't find {name}: No answer\n\n")
        return 0
    call.out(head + ("Non-authoritative answer:\n" if not full.endswith(".cluster.local") else ""))
    for owner, record, value in answer.records:
        call.out(f"{owner}\tcanonical name = {value}\n" if record == "CNAME" else f"Name:\t{owner}\nAddress: {value}\n")
    call.out("\n")
    return 0


def _busybox(call: Call, name: str, kind: str, server: str, search: list[str]) -> Code:
    """Every question at once, every answer printed; 1 when one of them was an error."""
    if is_address(name):
        questions = [(_reverse(name), "PTR")]
    else:
        names = [name] if "." in name or not search else [f"{name}.{domain}" for domain in search]
        questions = [(full, one) for one in ([kind] if kind else ["A", "AAAA"]) for full in names]
    answers: list[tuple[str, Answer]] = []
    for full, one in questions:
        try:
            answers.append((full, dns.ask(call.world, call.proc.netns, server, full, one)))
        except ConnectError as failed:
            if failed.kind == "refused":
                call.err(f"nslookup: write to '{server}': Connection refused\n")
            else:
                yield Sleep(3 * TIMEOUT)
            call.out(";; connection timed out; no servers could be reached\n\n")
            return 1
    call.out(f"Server:\t\t{server}\nAddress:\t{server}:53\n\n")
    code = 0
    for full, answer in answers:
        if answer.rcode != "NOERROR":
            call.out(f"** server can't find {full}: {answer.rcode}\n")
            code = 1
        elif answer.records and not full.endswith((".cluster.local", ".arpa")):
            call.out("Non-authoritative answer:\n")
        for owner, record, value in answer.records:
            if record == "PTR":
                call.out(f"{owner}\tname = {value.rstrip(chr(46))}\n")
            else:
                call.out(f"{owner}\tcanonical name = {value}\n" if record == "CNAME" else f"Name:\t{owner}\nAddress: {value}\n")
        call.out("\n")
    return code
