"""IMS QTI: version 1.2 in (also inside Common Cartridge), versions 2.1 and 3.0 in and out."""

from __future__ import annotations

from lessons.interchange.qti.package import QtiError, read
from lessons.interchange.qti.write import write

__all__ = ["QtiError", "read", "write"]
