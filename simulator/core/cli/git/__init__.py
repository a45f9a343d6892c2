"""git: repositories in the machine's own files, with git's formats of objects, index, references and configuration (git 2.43).

Object names are those that the real git gives to the same content, authors and times.  What is not here says so.
"""

from __future__ import annotations

from .main import main

__all__ = ["main"]
