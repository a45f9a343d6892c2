"""Log lines, for people (`LOG_FORMAT=line`) or as one JSON object each (`LOG_FORMAT=json`), with request, cluster and task.

What learners type is never logged, and neither are passwords, cookies, tokens or query strings.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime

import orjson

from simulator import context

#: Passwords in addresses of stores (`redis://:secret@…`) and bearer tokens, wherever a library puts them into a message.
_SECRETS = re.compile(r"(?P<scheme>\b[a-z+]{3,20}://[^:/@\s]{0,100}:)[^@\s]{1,200}@|(?P<bearer>[Bb]earer )[\w.~+/=-]{8,}")


def without_secrets(text: str) -> str:
    """The text with passwords and tokens taken out."""
    return _SECRETS.sub(lambda match: f"{match['scheme']}***@" if match["scheme"] else f"{match['bearer']}***", text)


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
