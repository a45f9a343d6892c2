"""What `-v=6` and above tell of each request (`client-go/transport/round_trippers.go`, `rest/request.go`: glogBody).

From 6 on the answer's status and time, from 7 the request with its headers, from 8 the answer's headers and both bodies, cut at 1,024
characters (10,240 from 9 on; whole from 10 on).
"""

from __future__ import annotations

import hashlib
from typing import Any

from ...kernel.clock import to_datetime
from ...kernel.http import Request, Response
from ..flags import quote
from .jsontext import compact, indented

LIMITS = {8: 1024, 9: 10240}
MS = 1_000_000


def _block(lines: list[str]) -> str:
    """Several lines as one value of a structured log line."""
    return "<\n" + "".join(f"\t{line}\n" for line in lines) + " >"


def _body(text: str, verbosity: int) -> str:
    limit = LIMITS.get(verbosity, 1 << 30)
    if len(text) > limit:
        text = f"{text[:limit]} [truncated {len(text) - limit} chars]"
    return _block(text.rstrip("\n").split("\n")) if text.endswith("\n") else quote(text)


def request(s: Any, sent: Request, url: str, agent: str) -> None:
    """Before it is sent."""
    if s.verbosity >= 8:
        s.klog(
            "I", "helper.go:105", f'"Request Body" body={_body(compact(sent.obj) if sent.obj is not None else "", s.verbosity)}'
        )
    if s.verbosity >= 7:
        headers = sorted({**sent.headers, "user-agent": agent}.items())
        lines = [f"{name.title()}: {text}" for name, text in headers]
        s.klog("I", "round_trippers.go:527", f'"Request" verb="{sent.method}" url="{url}" headers={_block(lines)}')


def response(s: Any, sent: Request, url: str, answer: Response | None, status: str, spent: int) -> None:
    """After the answer came, or did not (`status` is empty then); `spent` is in nanoseconds."""
    if s.verbosity < 6:
        return
    told = f'status="{status}"' if s.verbosity >= 7 else f'verb="{sent.method}" url="{url}" status="{status}"'
    body = body_text(answer) if answer is not None and s.verbosity >= 8 else ""
    if answer is not None and s.verbosity >= 8:
        told += f" headers={_block(_headers(s, sent, answer, len(body.encode())))}"
    s.klog("I", "round_trippers.go:632", f'"Response" {told} milliseconds={spent // MS}')
    if answer is not None and s.verbosity >= 8:
        s.klog("I", "helper.go:105", f'"Response Body" body={_body(body, s.verbosity)}')


def body_text(answer: Response) -> str:
    """An answer as it comes over the wire: the items of a list do not repeat kind and apiVersion, a line ends it."""
    obj = answer.obj
    if obj is None:
        return answer.body.decode("utf-8", "replace")
    if isinstance(obj, dict) and str(obj.get("kind", "")).endswith("List") and isinstance(obj.get("items"), list):
        obj = {**obj, "items": [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")} for item in obj["items"]]}
    return compact(obj, sort=False, html=False) + "\n"


def _headers(s: Any, sent: Request, answer: Response, length: int) -> list[str]:
    digits = hashlib.sha256(f"{s.world.now} {sent.path}".encode()).hexdigest()
    audit = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
    date = f"{to_datetime(s.world.wall):%a, %d %b %Y %H:%M:%S} GMT"
    found = {"Audit-Id": audit, "Cache-Control": "no-cache, private", "Content-Length": str(length),
             "Content-Type": answer.headers.get("content-type", "application/json"), "Date": date}  # fmt: skip
    if answer.headers.get("warning"):
        found["Warning"] = answer.headers["warning"]
    return [f"{name}: {found[name]}" for name in sorted(found)]


def refusal(s: Any, status: dict[str, Any]) -> None:
    """The Status of an error that ends the command (`cmd/util/helpers.go`: checkErr)."""
    if s.verbosity >= 6:
        s.klog("I", "helpers.go:246", f"server response object: %s[{indented(status, 2, sort=False)}]")
