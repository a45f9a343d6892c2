"""QR codes as one SVG path."""

from __future__ import annotations

from dataclasses import dataclass

from qrcode.main import QRCode


@dataclass(frozen=True, slots=True)
class Code:
    """`path` draws the dark modules, one unit wide each, in a square of `size` units with its quiet zone."""

    size: int
    path: str


def qr(text: str) -> Code:
    """The code of a text, with medium error correction."""
    code = QRCode(border=4)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return Code(len(rows), path)
