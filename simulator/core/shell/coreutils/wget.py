"""`wget`: GNU's, and busybox's applet (`networking/wget.c`) in containers that have that."""

from __future__ import annotations

import base64
import posixpath
import re
from urllib.parse import parse_qs, unquote

from ...host.invocation import Call
from ...host.program import Sleep
from ...kernel.clock import MS
from ...kernel.errors import ConnectError, NotSimulated
from ...kernel.http import Request
from . import internet
from .common import Code, parse
from .curl import REASONS, CurlError, Target, body_of, fetch
from .names import busybox

#: `--header=NAME: VALUE` among the words of the command line, one a line.
HEADERS = re.compile(r"(?m)^--header(?:=|\n)(.+)$")


def _limit(options: dict[str, str], default: float) -> int:
    try:
        return int(float(options.get("T") or default) * 1000) * MS
    except ValueError:
        return int(default * 1000) * MS


def _applet(call: Call, options: dict[str, str], url: str) -> Code:
    """busybox: the first failure ends it with 1; `-q` hides progress, never errors."""
    try:
        target = Target(url if "://" in url else "http://" + url)
        for _ in range(6):
            headers = {"host": target.host, "user-agent": "Wget"}
            request = Request(method="GET", path=unquote(target.path), query=parse_qs(target.query), headers=headers)
            answer = fetch(call, target, request)
            yield Sleep(max(answer.latency, MS))
            if answer.status not in (301, 302, 307) or "location" not in answer.headers:
                break
            target = Target(answer.headers["location"])
    except CurlError as failed:
        yield Sleep(failed.lookup.waited)
        known = {6: f"bad address '{target.host}'", 1: f"not an http or ftp url: {url}", 52: "error getting response"}
        call.err(f"wget: {known.get(failed.code, str(failed))}\n")
        return 1
    except ConnectError as failed:
        if failed.kind == "timeout":
            limit = _limit(options, 127)
            yield Sleep(limit)
            if "T" in options:
                call.err("wget: download timed out\n")
                return 1
        why = {"refused": "Connection refused", "timeout": "Operation timed out"}.get(failed.kind, "Host is unreachable")
        call.err(f"wget: can't connect to remote host ({failed.address.rpartition(':')[0]}): {why}\n")
        return 1
    _absent(call, url, answer.body)
    if answer.status >= 400:
        call.err(f"wget: server returned error: HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}\n")
        return 1
    if "spider" in options:
        return 0
    name = options.get("O") or posixpath.basename(target.path) or "index.html"
    if name == "-":
        call.out(body_of(answer))
        return 0
    if "q" not in options:
        call.err(f"Connecting to {target.host}:{target.port}\nsaving to '{name}'\n'{name}' saved\n")
    call.write_file(posixpath.join(options.get("P", ""), name), body_of(answer))
    return 0


def _absent(call: Call, url: str, body: bytes) -> None:
    """Say of an address that the simulated internet does not have what that means."""
    if internet.ABSENT.encode() in body:
        call.err(f"wget: {url}: {internet.ABSENT}\n")


def _bad_status(call: Call, status: int) -> None:
    why = REASONS.get(status, "")
    call.err(f"HTTP request sent, awaiting response... {status} {why}\n{_stamp(call).strip('-')} ERROR {status}: {why}.\n\n")


def wget(call: Call) -> Code:
    """`wget [-q] [-O file] [-P dir] [--https-only] urls`."""
    options, urls = parse(
        call,
        "qO:P:cNST:t:a:o:i:n:Vhxr",
        "quiet:q https-only output-document=O directory-prefix=P no-check-certificate timeout=T tries=t spider no-verbose:nv continue:c "
        "timestamping:N server-response:S append-output=a output-file=o input-file=i header=header post-data=post user=user password=password "
        "http-user=user http-password=password method=method body-data=post user-agent=agent referer=referer no-clobber:nc recursive:r "
        "version:V no-directories:nd force-directories:x max-redirect=redirects",
        code=2,
    )
    if "V" in options:
        call.out("GNU Wget 1.21.4 built on linux-gnu.\n")
        return 0
    if "r" in options:
        raise NotSimulated("option '-r'")
    if "i" in options:
        try:
            urls += call.read_file(options["i"]).decode("utf-8", "replace").split()
        except OSError as failed:
            call.err(f"{options['i']}: {failed.strerror}\nNo URLs found in {options['i']}.\n")
            return 1
    sent = {"user-agent": options.get("agent", "Wget/1.21.4")}
    for given in HEADERS.findall("\n".join(call.argv)):
        name, _, value = given.partition(":")
        sent[name.strip().lower()] = value.strip()
    if "user" in options:
        pair = f"{options['user']}:{options.get('password', '')}"
        sent["authorization"] = "Basic " + base64.b64encode(pair.encode("utf-8", "surrogateescape")).decode()
    method = options.get("method", "POST" if "post" in options else "GET")
    log = options.get("o") or options.get("a")
    if log:
        call.write_file(log, b"" if "o" in options else call.read_file(log) if call.exists(log) else b"")
    if not urls:
        call.err("wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n")
        return 1
    quiet = "q" in options or bool(log) or options.get("n") == "v" or "nv" in options
    if busybox(call):
        return (yield from _applet(call, options, urls[0]))
    code = 0
    for url in urls:
        try:
            target = Target(url if "://" in url else "http://" + url)
            if not quiet:
                call.err(f"{_stamp(call)}  {target.url}\n")
            for _ in range(20):
                answer = fetch(
                    call,
                    target,
                    Request(
                        method=method,
                        path=unquote(target.path),
                        query=parse_qs(target.query),
                        headers={"host": target.host, **sent},
                        body=options.get("post", "").encode("utf-8", "surrogateescape"),
                    ),
                )
                yield Sleep(max(answer.latency, MS))
                if answer.status in (301, 302, 307) and "location" in answer.headers:
                    target = Target(answer.headers["location"])
                    continue
                break
        except ConnectError as failed:
            if failed.kind == "timeout":
                yield Sleep(_limit(options, 127))
            why = {"refused": "Connection refused", "timeout": "Connection timed out"}.get(failed.kind, "No route to host")
            if not quiet:
                call.err(f"Connecting to {target.host}:{target.port}... failed: {why}.\n")
            code = 4
            continue
        except CurlError as failed:
            yield Sleep(failed.lookup.waited)
            if failed.code == 6 and not quiet:
                call.err(
                    f"Resolving {target.host} ({target.host})... failed: {failed.lookup.error}.\nwget: unable to resolve host address ‘{target.host}’\n"
                )
            code = 4
            continue
        if answer.status >= 400:
            _absent(call, url, answer.body)
            if not quiet:
                _bad_status(call, answer.status)
            code = 8
            continue
        body = body_of(answer)
        name = options.get("O") or posixpath.basename(Target(url if "://" in url else "http://" + url).path) or "index.html"
        if name == "-":
            call.out(body)
            continue
        path = posixpath.join(options.get("P", ""), name) if "O" not in options else name
        call.write_file(path, body)
        if (options.get("n") == "v" or "nv" in options) and "q" not in options:
            call.err(f'{_stamp(call).strip("-")} URL:{target.url} [{len(body)}/{len(body)}] -> "{path}" [1]\n')
        if not quiet:
            call.err(
                f"HTTP request sent, awaiting response... 200 OK\nLength: {len(body)}\nSaving to: ‘{path}’\n\n{_stamp(call).strip('-')} ({len(body) / 1024:.1f} KB/s) - ‘{path}’ saved [{len(body)}/{len(body)}]\n\n"
            )
    return code


def _stamp(call: Call) -> str:
    from .dates import render

    return f"--{render(call.world.wall, '%F %T')}--"
