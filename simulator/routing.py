"""WebSocket addresses."""

from __future__ import annotations

from django.urls import path

from .consumers import TerminalConsumer

websocket_urlpatterns = [path("ws/cluster/<uuid:session_id>/", TerminalConsumer.as_asgi())]
