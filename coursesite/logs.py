"""Log lines, for people (`LOG_FORMAT=line`) or as one JSON object each (`LOG_FORMAT=json`), with request, cluster and task.

What learners type is never logged, and neither are passwords, cookies, tokens or query strings.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime

import orjson

from simulator import context

#: What precedes a secret wherever a library puts one into a message, and the secret: passwords in addresses of stores (`redis://:secret@…`),
#: bearer tokens, tokens that are part of an address (`/kube/~…`); and, after that, query strings of WebSockets.
_SECRETS = (
    re.compile(
        r"(\b[a-z+]{3,20}://[^:/@\s]{0,100}:)[^@\s]{1,200}(?=@)|([Bb]earer )[\w.~+/=-]{8,}|(/kube/(?:~|%7[Ee]))[\w%-]{8,}"
    ),
    re.compile(r'("WebSocket [^"?\s]{0,2000}\?)[^"\s]+'),
)


def without_secrets(text: str) -> str:
    """The text with passwords and tokens taken out."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda match: f"{match[match.lastindex or 0]}***", text)
    return text


class Line(logging.Formatter):
    """`time LEVEL logger message [cluster=… request=…]`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback's."""
        about = " ".join(f"{name}={value}" for name, value in context.current().items())
        return without_secrets(super().format(record)) + (f" [{about}]" if about else "")


class Json(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        value = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": without_secrets(record.getMessage()),
            **context.current(),
        }
        if record.exc_info:
            value["exception"] = without_secrets(self.formatException(record.exc_info))
        return orjson.dumps(value, default=str).decode()
