"""What templates need besides Django's own: icons, short Markdown, both-language texts, addresses in the other language."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context
from django.urls import reverse, translate_url
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_from_path

from lessons.authoring import note
from lessons.models import Course, Lesson
from lessons.models.content import in_language
from lessons.rendering import icons, markdown

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "copy" %}`: one line icon, decoration only."""
    return mark_safe(icons.svg(name))


@register.filter
def both(value: Any) -> str:
    """A `{ko, en}` text in the page's language."""
    return in_language(value)


@register.filter
def line(value: Any) -> SafeString:
    """One line of Markdown: code, emphasis, links.  Sanitised."""
    return mark_safe(markdown.inline(in_language(value)))


@register.filter
def text(value: Any) -> SafeString:
    """Several paragraphs of Markdown.  Sanitised."""
    return mark_safe(markdown.paragraphs(in_language(value)))


@register.filter
def rendered(value: str) -> SafeString:
    """HTML of a lesson's part; it was sanitised when it was rendered."""
    return mark_safe(value)


@register.filter
def points(value: float | None) -> str:
    """Points without a needless fraction."""
    if value is None:
        return "–"
    return f"{round(value, 2):g}"


@register.simple_tag(takes_context=True)
def in_other_language(context: Context, language: str) -> str:
    """This page's address in `language`; one that carries no language is asked for it."""
    request = context["request"]
    return translate_url(request.get_full_path(), language) if get_language_from_path(request.path_info) else f"?lang={language}"


@register.simple_tag(takes_context=True)
def authoring(context: Context) -> SafeString:
    """What tells a page's script that the page's course is being written; nothing otherwise."""
    lesson = context.get("lesson")
    course = lesson.chapter.course if isinstance(lesson, Lesson) else context.get("course")
    if not isinstance(course, Course) or (said := note(course.slug)) is None:
        return mark_safe("")
    url = reverse("lessons:authoring", args=[course.slug])
    return format_html('<meta name="authoring" content="{}" data-stamp="{}">\n', url, said.stamp)


@register.simple_tag
def page_language() -> str:
    """`ko` or `en`."""
    return (get_language() or "en").split("-")[0]
