"""Inserts and updates for the few statements that every typed command waits for.

The ORM builds an SQL statement anew each time, which costs more than running it (ADR 3).  Here the text is kept for each (model,
columns) and only the values are converted, by the model's own fields; so it stays portable and says the same as the ORM would.
Automatic fields (`auto_now`) and signals are the caller's concern: these models use none but `created_at`.
"""

from __future__ import annotations

import functools
from typing import Any

from django.db import connection, models
from django.db.models import Field, Model


@functools.cache
def _field(model: type[Model], name: str) -> Field[Any, Any]:
    found = (
        model._meta.pk
        if name == "pk"
        else next(field for field in model._meta.concrete_fields if name in (field.name, field.attname))
    )
    assert found is not None
    return found


@functools.cache
def _insert_text(vendor: str, model: type[Model], names: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(_field(model, name).column)) for name in names)
    marks = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608 (names of our own models only)


def _tests(model: type[Model], where: tuple[tuple[str, bool], ...]) -> str:
    quote = connection.ops.quote_name
    return " AND ".join(f"{quote(str(_field(model, name).column))} {'IS NULL' if null else '= %s'}" for name, null in where)


@functools.cache
def _update_text(vendor: str, model: type[Model], names: tuple[str, ...], where: tuple[tuple[str, bool], ...]) -> str:
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(str(_field(model, name).column))} = %s" for name in names)
    return f"UPDATE {quote(model._meta.db_table)} SET {sets} WHERE {_tests(model, where)}"  # noqa: S608 (names of our own models only)


@functools.cache
def _next_text(
    vendor: str, model: type[Model], counter: str, wanted: tuple[str, ...], where: tuple[tuple[str, bool], ...]
) -> str:
    quote = connection.ops.quote_name
    column = quote(str(_field(model, counter).column))
    columns = ", ".join(quote(str(_field(model, name).column)) for name in (counter, *wanted))
    table = quote(model._meta.db_table)
    return f"UPDATE {table} SET {column} = {column} + 1 WHERE {_tests(model, where)} AND {column} < %s RETURNING {columns}"  # noqa: S608


#: Fields whose values both databases take as they are.
_PLAIN = (models.IntegerField, models.CharField, models.BooleanField)


@functools.cache
def _is_plain(model: type[Model], name: str) -> bool:
    return isinstance(_field(model, name), _PLAIN)


def _value(model: type[Model], name: str, value: Any) -> Any:
    if value.__class__ in (int, str, bool) and _is_plain(model, name):
        return value
    return _field(model, name).get_db_prep_save(value, connection)


def insert(model: type[Model], **values: Any) -> None:
    """Insert one row.  Every column without a database default must be given."""
    text = _insert_text(connection.vendor, model, tuple(values))
    with connection.cursor() as cursor:
        cursor.execute(text, [_value(model, name, value) for name, value in values.items()])


def update(model: type[Model], values: dict[str, Any], **where: Any) -> int:
    """Update the rows where all of `where` hold (None: IS NULL); returns how many there were."""
    text = _update_text(connection.vendor, model, tuple(values), tuple((name, value is None) for name, value in where.items()))
    parameters = [_value(model, name, value) for name, value in values.items()]
    parameters += [_value(model, name, value) for name, value in where.items() if value is not None]
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return int(cursor.rowcount)


def next_number(model: type[Model], counter: str, limit: int, wanted: tuple[str, ...], **where: Any) -> tuple[Any, ...] | None:
    """Count a row's `counter` up while it is below `limit` and all of `where` hold; returns it and the `wanted` columns.

    Reading, checking and counting in one statement; None when there is no such row.  `wanted` are columns that need no conversion.
    """
    text = _next_text(connection.vendor, model, counter, wanted, tuple((name, value is None) for name, value in where.items()))
    parameters = [_value(model, name, value) for name, value in where.items() if value is not None]
    with connection.cursor() as cursor:
        cursor.execute(text, [*parameters, limit])
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found
