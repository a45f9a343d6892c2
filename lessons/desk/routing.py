"""WebSocket addresses of the desk."""

from __future__ import annotations

from django.urls import path

from lessons.desk.consumers import DeskConsumer, WatchConsumer

websocket_urlpatterns = [
    path("ws/cohort/<number:cohort>/", DeskConsumer.as_asgi()),
    path("ws/watch/<uuid:session_id>/", WatchConsumer.as_asgi()),
]
