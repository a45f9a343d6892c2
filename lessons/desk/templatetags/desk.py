"""Figures as the desk's pages write them."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def figure(value: float | None, digits: int = 2) -> str:
    """A number with so many digits after the point; a dash for none."""
    return "–" if value is None else f"{value:.{int(digits)}f}".replace("-", "−")


@register.filter
def percent(value: float | None) -> str:
    """A share of 0 to 1 in percent."""
    return "–" if value is None else f"{100 * value:.0f}%"
