"""The line icons of the interface, as inline SVG (templates use the same through `{% icon %}`)."""

from __future__ import annotations

ICONS = {
    "copy": "M5 5h8v9H5zM3 11V2h7",
    "run": "M2 3l5 5-5 5M8 13h6",
    "play": "M4 3l9 5-9 5z",
    "step": "M3 3l6 5-6 5zM12 3v10",
    "undo": "M6 3L2 7l4 4M2 7h8a4 4 0 010 8",
    "skip": "M2 3l5 5-5 5zM8 3l5 5-5 5",
    "fork": "M4 2v12M4 9c0-4 8-1 8-6M10 4l2-2 2 2",
    "up": "M3 10l5-5 5 5",
    "down": "M3 6l5 5 5-5",
    "grip": "M3 5h10M3 8h10M3 11h10",
    "find": "M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9M10.4 10.4L14 14",
    "eye": "M1 8c4-6 10-6 14 0-4 6-10 6-14 0z",
}


def svg(name: str) -> str:
    """One icon; decoration only, so hidden from assistive technology."""
    return f'<svg class="i" viewBox="0 0 16 16" aria-hidden="true"><path d="{ICONS[name]}"></path></svg>'
