"""Server-side printers: which columns a kind has in a Table, and the cells of an object (`pkg/printers/internalversion`)."""

from __future__ import annotations

from .base import Printer, Row
from .table import columns_of

__all__ = ["Printer", "Row", "columns_of"]
