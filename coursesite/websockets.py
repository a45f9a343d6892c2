"""uvicorn's WebSocket protocol, with one leniency: names of subprotocols are the application's matter (`uvicorn --ws`).

kubectl's tunnel for port-forward is named `SPDY/3.1+portforward.k8s.io`, and a slash is no character of a token (RFC 9110 5.6.2), so a
strict parser refuses the handshake before anybody is asked.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol


class _Lenient(ServerProtocol):
    """Chooses no subprotocol: uvicorn sends the one that the application accepts with."""

    def process_subprotocol(self, headers: Headers) -> Subprotocol | None:
        """None, whatever was offered."""
        return None


class Protocol(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        strict = self.conn
        self.conn = _Lenient(extensions=strict.available_extensions, max_size=self.config.ws_max_size, logger=strict.logger)
