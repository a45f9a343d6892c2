"""Answers in the format that was chosen (printer.go, printer_fields.go, printer_json.go, printer_protobuf.go).

`simple` is each command's own text.  `json` and `protobuf` are the response message; `fields` is not there for every answer; `table` is
there only for those that print it themselves (members and endpoints).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...etcd import protobuf
from ...etcd.mvcc import DeleteResult, Event, KeyValue, PutResult, RangeResult, TxnResult
from ...host.program import Wait
from . import render
from .session import EXIT_BAD_FEATURE, Failed, Session

Run = Generator[Wait, Any, int]
Body = dict[str, Any]
Header = dict[str, int]


def show(
    session: Session,
    message: str,
    text: str | bytes,
    body: Body | None = None,
    fields: str | None = "",
    *,
    header: Header | None = None,
    flat: bool = False,
) -> Run:
    """Print an answer: `text` for people; `body` (the response without its header) as json or the protobuf `message`; `fields` after those of
    the header, None where the fields printer does not know the answer.

    `flat` answers of the client library have the header's values beside their own, and are no messages: protobuf is their header alone.
    """
    form = session.form
    if form == "simple":
        session.inv.out(text)
        return 0
    if form == "table" or (form == "fields" and fields is None):
        raise Failed(EXIT_BAD_FEATURE, f"{form} not supported as output format")
    if header is None:
        header = yield from session.header()
    body = body or {}
    if form == "fields":
        session.inv.out(render.header_fields(header, session.hex) + (fields or ""))
    elif form == "json":
        session.inv.out(render.dumps({**header, **body} if flat else {"header": header, **body}))
    else:
        whole = protobuf.encode("ResponseHeader", header) if flat else protobuf.encode(message, {"header": header, **body})
        session.inv.out(whole)
    return 0


def kv_text(session: Session, kv: KeyValue, *, value_only: bool = False) -> bytes:
    """A key-value as the simple printer writes it; without its value there is an empty line."""
    key = b"" if value_only else render.text(kv.key, session.hex) + b"\n"
    return key + render.text(kv.value, session.hex) + b"\n"


def range_body(found: RangeResult) -> Body:
    """RangeResponse."""
    out: Body = {"kvs": [render.kv_json(kv) for kv in found.kvs], "more": found.more, "count": found.count}
    return {name: value for name, value in out.items() if value}


def put_body(found: PutResult) -> Body:
    """PutResponse."""
    return {"prev_kv": render.kv_json(found.prev)} if found.prev is not None else {}


def delete_body(found: DeleteResult) -> Body:
    """DeleteRangeResponse."""
    out: Body = {"deleted": found.deleted, "prev_kvs": [render.kv_json(kv) for kv in found.prevs]}
    return {name: value for name, value in out.items() if value}


def one_fields(session: Session, found: RangeResult | PutResult | DeleteResult) -> str:
    """The answer to one request as the fields printer writes it, without the header."""
    if isinstance(found, RangeResult):
        rows = "".join(render.kv_fields(kv, hexed=session.hex) for kv in found.kvs)
        return rows + f'"More" : {"true" if found.more else "false"}\n"Count" : {found.count}\n'
    if isinstance(found, PutResult):
        return render.kv_fields(found.prev, "Prev", hexed=session.hex) if found.prev is not None else ""
    prevs = "".join(render.kv_fields(kv, "Prev", hexed=session.hex) for kv in found.prevs)
    return f'"Deleted" : {found.deleted}\n' + prevs


def one_text(session: Session, found: RangeResult | PutResult | DeleteResult) -> bytes:
    """The answer to one request for people."""
    if isinstance(found, RangeResult):
        return b"".join(kv_text(session, kv) for kv in found.kvs)
    if isinstance(found, PutResult):
        return b"OK\n" + (kv_text(session, found.prev) if found.prev is not None else b"")
    return f"{found.deleted}\n".encode() + b"".join(kv_text(session, kv) for kv in found.prevs)


def show_txn(session: Session, found: TxnResult) -> Run:
    """TxnResponse; the answers in it have headers of their own, with a revision alone."""
    inner = {"revision": found.revision}
    text, fields = b"SUCCESS\n" if found.succeeded else b"FAILURE\n", f'"Succeeded" : {"true" if found.succeeded else "false"}\n'
    responses: list[Body] = []
    for one in found.responses:
        if isinstance(one, TxnResult):
            continue  # the text form has no nested transactions
        text += b"\n" + one_text(session, one)
        fields += render.header_fields(inner, session.hex) + one_fields(session, one)
        if isinstance(one, RangeResult):
            responses.append({"response_range": {"header": inner, **range_body(one)}})
        elif isinstance(one, PutResult):
            responses.append({"response_put": {"header": inner, **put_body(one)}})
        else:
            responses.append({"response_delete_range": {"header": inner, **delete_body(one)}})
    if session.form == "json":
        responses = [{"Response": one} for one in responses]
    body = {"succeeded": found.succeeded, "responses": responses}
    return (yield from show(session, "TxnResponse", text, {name: value for name, value in body.items() if value}, fields))


def show_events(session: Session, events: list[Event], prev: bool) -> Run:
    """WatchResponse; the library's own has other names in json."""
    if session.form == "table":
        raise Failed(EXIT_BAD_FEATURE, "table not supported as output format")
    text, fields, rows = b"", "", []
    for event in events:
        before = event.prev if prev else None
        text += (
            f"{event.type}\n".encode() + (kv_text(session, before) if before is not None else b"") + kv_text(session, event.kv)
        )
        fields += f'"Type" : {event.type}\n' + (render.kv_fields(before, "Prev", hexed=session.hex) if before is not None else "")
        fields += render.kv_fields(event.kv, hexed=session.hex)
        row: Body = {} if event.type == "PUT" else {"type": 1}
        rows.append(
            {**row, "kv": render.kv_json(event.kv), **({"prev_kv": render.kv_json(before)} if before is not None else {})}
        )
    if session.form == "json":
        header = yield from session.header()
        whole = {"Header": header, "Events": rows, "CompactRevision": 0, "Canceled": False, "Created": False}
        session.inv.out(render.dumps(whole))
        return 0
    return (yield from show(session, "WatchResponse", text, {"events": rows}, fields))
