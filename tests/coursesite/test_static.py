"""Static files over plain ASGI."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from coursesite.static import StaticFiles


async def get(app: StaticFiles, path: str, *, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await app({"type": "http", "method": method, "path": path, "headers": pairs}, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def app(tmp_path: Path) -> StaticFiles:
    root = tmp_path / "static"
    (root / "js").mkdir(parents=True)
    (root / "js" / "app.js").write_text("export {}\n")
    (root / "js" / "app.0123456789ab.js").write_text("export {}\n")
    (root / "js" / "app.0123456789ab.js.gz").write_bytes(gzip.compress(b"export {}\n"))
    (root / "staticfiles.json").write_text("{}")
    (tmp_path / "secret").write_text("no")
    return StaticFiles("/static/", root)


async def test_files_with_a_hash_may_be_kept_for_ever(app: StaticFiles) -> None:
    status, headers, body = await get(app, "/static/js/app.0123456789ab.js")
    assert (status, body) == (200, b"export {}\n")
    assert "immutable" in headers["cache-control"]
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"


async def test_others_are_asked_for_again_and_not_sent_again(app: StaticFiles) -> None:
    _, headers, _ = await get(app, "/static/js/app.js")
    assert headers["cache-control"] == "no-cache"
    status, _, body = await get(app, "/static/js/app.js", if_none_match=headers["etag"])
    assert (status, body) == (304, b"")
    assert (await get(app, "/static/js/app.js", if_none_match='"other"'))[0] == 200


async def test_compressed_copies_go_to_those_who_take_them(app: StaticFiles) -> None:
    _, headers, body = await get(app, "/static/js/app.0123456789ab.js", accept_encoding="br, gzip")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == b"export {}\n"
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    "path",
    ["/static/../secret", "/static/%2e%2e/secret", "/static//etc/passwd", "/static/js", "/static/", "/static/staticfiles.json"],
)
async def test_nothing_else_is_served(app: StaticFiles, path: str) -> None:
    assert (await get(app, path))[0] == 404


async def test_only_reading(app: StaticFiles) -> None:
    assert (await get(app, "/static/js/app.js", method="POST"))[0] == 405
    status, headers, body = await get(app, "/static/js/app.js", method="HEAD")
    assert (status, headers["content-length"], body) == (200, "10", b"")


async def test_with_debug_the_source_files_are_served_as_they_are_now(tmp_path: Path) -> None:
    path = tmp_path / "a.css"
    app = StaticFiles("/static/", None, lambda name: str(path) if name == "a.css" else None)
    assert (await get(app, "/static/a.css"))[0] == 404
    path.write_text("a{}")
    assert (await get(app, "/static/a.css"))[2] == b"a{}"
    path.write_text("b{}")
    assert (await get(app, "/static/a.css"))[2] == b"b{}"
    assert (await get(app, "/static/../a.css"))[0] == 404
