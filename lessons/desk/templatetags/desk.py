"""Figures as the desk's pages write them."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

register = template.Library()


@register.inclusion_tag("desk/signals.html", takes_context=True)
def desk_signals(context: Context, lesson: Any) -> dict[str, Any]:
    """The box of signals and messages on a lesson's page, for learners of a cohort."""
    from lessons.desk.pages import signals_context

    request = context["request"]
    return {"request": request, "csrf_token": context.get("csrf_token"), **signals_context(request.user, lesson)}


@register.filter
def after_dot(label: str) -> str:
    """`1.Q` without its chapter, for narrow columns under the chapter's name."""
    return label.partition(".")[2] or label


@register.filter
def figure(value: float | None, digits: int = 2) -> str:
    """A number with so many digits after the point; a dash for none."""
    return "–" if value is None else f"{value:.{int(digits)}f}".replace("-", "−")


@register.filter
def percent(value: float | None) -> str:
    """A share of 0 to 1 in percent."""
    return "–" if value is None else f"{100 * value:.0f}%"
