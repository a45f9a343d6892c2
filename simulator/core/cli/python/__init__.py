"""python3: small programs in a bounded part of the language, `-m json.tool`, `-m http.server`."""

from __future__ import annotations

from .main import main

__all__ = ["main"]
