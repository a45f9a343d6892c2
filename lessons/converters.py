"""Path converters of the site's addresses."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import IntConverter


class NumberConverter(IntConverter):
    """A row's number: as many digits as every database takes; with more the address is nobody's, instead of an error in a query."""

    regex = "[0-9]{1,18}"


def register() -> None:
    """Make it known as `<number:name>`."""
    register_converter(NumberConverter, "number")
