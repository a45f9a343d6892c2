"""Paths that are no resources: discovery, version, health, OpenAPI (`apiserver/pkg/server/routes`)."""

from __future__ import annotations

from typing import Any

from ...kernel.http import Request, Response
from ..api import errors
from .call import User
from .server import Server

Obj = dict[str, Any]


def serve(server: Server, request: Request, user: User) -> Response:
    """Answer a GET on a path."""
    raise errors.path_not_found()
