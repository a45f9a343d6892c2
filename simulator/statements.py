"""Inserts and updates for the few statements that every typed command waits for.

The ORM builds an SQL statement anew each time, which costs more than running it (ADR 3).  Here the text is kept for each (model,
columns) and only the values are converted, by the model's own fields; so it stays portable and says the same as the ORM would.
Automatic fields (`auto_now`) and signals are the caller's concern: these models use none but `created_at`.

On PostgreSQL values are bound by the server, which lets it keep the plan of a statement (`prepare_threshold` in the settings): Django's own
cursors write them into the text, so that each is parsed and planned anew, and a picture or snapshot is quoted and unquoted.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection, models, transaction
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


def read(model: type[Model], wanted: tuple[str, ...], **where: Any) -> tuple[Any, ...] | None:
    """Columns, which need no conversion, of the one row where all of `where` hold (None: IS NULL); None when there is none."""
    text = _read_text(connection.vendor, model, wanted, tuple((name, value is None) for name, value in where.items()))
    parameters = [_value(model, name, value) for name, value in where.items() if value is not None]
    with _cursor() as cursor:
        cursor.execute(text, parameters)
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


@functools.cache
def _read_text(vendor: str, model: type[Model], wanted: tuple[str, ...], where: tuple[tuple[str, bool], ...]) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(_field(model, name).column)) for name in wanted)
    return f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE {_tests(model, where)}"  # noqa: S608 (our own names)


#: Fields whose values both databases take as they are.
_PLAIN = (models.IntegerField, models.CharField, models.BooleanField)


@functools.cache
def _is_plain(model: type[Model], name: str) -> bool:
    return isinstance(_field(model, name), _PLAIN)


def _value(model: type[Model], name: str, value: Any) -> Any:
    if value.__class__ in (int, str, bool) and _is_plain(model, name):
        return _int8()(value) if value.__class__ is int else value
    if _is_json(model, name) and connection.vendor == "postgresql":
        return _jsonb()(value, _dumps)
    return _field(model, name).get_db_prep_save(value, connection)


@functools.cache
def _is_json(model: type[Model], name: str) -> bool:
    field = _field(model, name)
    return isinstance(field, models.JSONField) and field.encoder is None


def _int8() -> Callable[[int], int]:
    """All integers as of one size, where a small one would make another statement of it than a large one."""
    return _psycopg()[0] if connection.vendor == "postgresql" else int


def _jsonb() -> Callable[..., Any]:
    made: Callable[..., Any] = _psycopg()[1]
    return made


@functools.cache
def _psycopg() -> tuple[Any, Any, Any]:
    import psycopg
    from psycopg.types.json import Jsonb
    from psycopg.types.numeric import Int8

    return Int8, Jsonb, psycopg.Cursor


def _dumps(value: Any) -> bytes | str:
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer of more than 64 bits, say
        return json.dumps(value)


def _cursor() -> Any:
    """Django's cursor, on PostgreSQL of the kind whose values the server binds."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.ensure_connection()
    connection.validate_thread_sharing()
    bound = _psycopg()[2](connection.connection)
    return connection.make_debug_cursor(bound) if connection.queries_logged else connection.make_cursor(bound)


@functools.cache
def _mark(model: type[Model], name: str) -> str:
    """The place of a value among those that are selected, where PostgreSQL asks for its type."""
    kind = str(_field(model, name).db_type(connection)).partition("(")[0]
    return f"%s::{kind}"


def insert(model: type[Model], **values: Any) -> None:
    """Insert one row.  Every column without a database default must be given."""
    text = _insert_text(connection.vendor, model, tuple(values))
    with _cursor() as cursor:
        cursor.execute(text, [_value(model, name, value) for name, value in values.items()])


def update(model: type[Model], values: dict[str, Any], **where: Any) -> int:
    """Update the rows where all of `where` hold (None: IS NULL); returns how many there were."""
    text = _update_text(connection.vendor, model, tuple(values), tuple((name, value is None) for name, value in where.items()))
    parameters = [_value(model, name, value) for name, value in values.items()]
    parameters += [_value(model, name, value) for name, value in where.items() if value is not None]
    with _cursor() as cursor:
        cursor.execute(text, parameters)
        return int(cursor.rowcount)


def next_number(model: type[Model], counter: str, limit: int, wanted: tuple[str, ...], **where: Any) -> tuple[Any, ...] | None:
    """Count a row's `counter` up while it is below `limit` and all of `where` hold; returns it and the `wanted` columns.

    Reading, checking and counting in one statement; None when there is no such row.  `wanted` are columns that need no conversion.
    """
    text = _next_text(connection.vendor, model, counter, wanted, tuple((name, value is None) for name, value in where.items()))
    parameters = [_value(model, name, value) for name, value in where.items() if value is not None]
    with _cursor() as cursor:
        cursor.execute(text, [*parameters, limit])
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


# -- several changes that belong together ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Update:
    """Rows of a model where all of `where` hold (None: IS NULL) get `values`; there must be at least one."""

    model: type[Model]
    values: dict[str, Any]
    where: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row; with `key` it takes the place of the one that has the same values there."""

    model: type[Model]
    values: dict[str, Any]
    where: dict[str, Any] = field(default_factory=dict)
    key: tuple[str, ...] = ()


class NotThere(Exception):
    """A row that was to be changed is not there: nothing has been changed."""


def together(guard: Update, parts: Sequence[Update | Insert]) -> None:
    """Change all of these or, where a row of an update is not there, none (`NotThere`).

    On PostgreSQL it is one statement, which is its own transaction: one round trip instead of one for each part and two more.
    """
    if connection.vendor == "postgresql":
        text = _together_text(_shape(guard), tuple(map(_shape, parts)))
        inside = (
            transaction.atomic() if connection.in_atomic_block else contextlib.nullcontext()
        )  # a failure is this statement's alone
        with inside, _cursor() as cursor:
            cursor.execute(text, _parameters(guard, parts))
            if not cursor.fetchone()[0]:
                raise NotThere
        return
    with transaction.atomic():
        for part in (guard, *parts):
            if isinstance(part, Update):
                if not update(part.model, part.values, **part.where):
                    raise NotThere
            else:
                with _cursor() as cursor:
                    values = [_value(part.model, name, value) for name, value in part.values.items()]
                    cursor.execute(
                        _insert_text(connection.vendor, part.model, tuple(part.values)) + _conflict(_shape(part)), values
                    )


#: What the text of a part depends on: its model, columns, conditions and key.
_Shape = tuple[type[Model], tuple[str, ...], tuple[tuple[str, bool], ...], tuple[str, ...] | None]


def _shape(part: Update | Insert) -> _Shape:
    tests = tuple((name, value is None) for name, value in part.where.items())
    return part.model, tuple(part.values), tests, part.key if isinstance(part, Insert) else None


def _given(where: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in where.items() if value is not None}


def _parameters(guard: Update, parts: Sequence[Update | Insert]) -> list[Any]:
    groups = [(guard.model, guard.values), (guard.model, _given(guard.where))]
    groups += [(part.model, _given(part.where)) for part in parts if isinstance(part, Update)]
    for part in parts:
        groups += [(part.model, part.values), (part.model, _given(part.where))]
    return [_value(model, name, value) for model, values in groups for name, value in values.items()]


@functools.cache
def _together_text(guard: _Shape, parts: tuple[_Shape, ...]) -> str:
    quote = connection.ops.quote_name
    there = "".join(
        f" AND EXISTS (SELECT 1 FROM {quote(model._meta.db_table)} WHERE {_tests(model, where)})"  # noqa: S608 (our own names)
        for model, _names, where, key in parts
        if key is None
    )
    steps = [f"guard AS (UPDATE {_set(guard)} WHERE {_tests(guard[0], guard[2])}{there} RETURNING 1 AS one)"]
    for number, shape in enumerate(parts):
        model, names, where, key = shape
        if key is None:
            steps.append(f"part{number} AS (UPDATE {_set(shape)} FROM guard WHERE {_tests(model, where)})")
        else:
            columns = ", ".join(quote(str(_field(model, name).column)) for name in names)
            marks = ", ".join(_mark(model, name) for name in names)
            text = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) SELECT {marks} FROM guard{_conflict(shape)}"  # noqa: S608
            steps.append(f"part{number} AS ({text})")
    return f"WITH {', '.join(steps)} SELECT count(*) FROM guard"  # noqa: S608


def _set(shape: _Shape) -> str:
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(str(_field(shape[0], name).column))} = %s" for name in shape[1])
    return f"{quote(shape[0]._meta.db_table)} SET {sets}"


def _conflict(shape: _Shape) -> str:
    """What an insert does when there is such a row already; "" where that is an error."""
    model, names, _where, key = shape
    if not key:
        return ""
    quote = connection.ops.quote_name
    columns = [quote(str(_field(model, name).column)) for name in names if name not in key]
    keys = ", ".join(quote(str(_field(model, name).column)) for name in key)
    return f" ON CONFLICT ({keys}) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in columns)}"


def numbered(
    model: type[Model], counter: str, limit: int, wanted: tuple[str, ...], where: dict[str, Any], row: Insert, number: str
) -> tuple[Any, ...] | None:
    """Count up (`next_number`) and insert a row under the number, in the column `number`; None, and no row, when nothing was counted.

    `row.values` may name one of the `wanted` columns in the place of a value: `Column(name)`.
    """
    if connection.vendor != "postgresql":
        found = next_number(model, counter, limit, wanted, **where)
        if found is not None:
            taken = dict(zip((counter, *wanted), found, strict=True))
            values = {name: taken[value.name] if isinstance(value, Column) else value for name, value in row.values.items()}
            insert(row.model, **{**values, number: found[0]})
        return found
    taken_from = tuple((name, value.name) for name, value in row.values.items() if isinstance(value, Column))
    names = tuple(name for name, value in row.values.items() if not isinstance(value, Column))
    tests = tuple((name, value is None) for name, value in where.items())
    text = _numbered_text(model, counter, wanted, tests, row.model, names, ((number, counter), *taken_from))
    parameters = [_value(model, name, value) for name, value in _given(where).items()]
    parameters += [limit, *(_value(row.model, name, row.values[name]) for name in names)]
    with _cursor() as cursor:
        cursor.execute(text, parameters)
        answer: tuple[Any, ...] | None = cursor.fetchone()
    return answer


@dataclass(frozen=True, slots=True)
class Column:
    """What stands in a column of the row that was counted up."""

    name: str


@functools.cache
def _numbered_text(
    model: type[Model],
    counter: str,
    wanted: tuple[str, ...],
    where: tuple[tuple[str, bool], ...],
    target: type[Model],
    names: tuple[str, ...],
    taken: tuple[tuple[str, str], ...],
) -> str:
    quote = connection.ops.quote_name
    counted = _next_text(connection.vendor, model, counter, wanted, where)
    columns = ", ".join(quote(str(_field(target, name).column)) for name in (*names, *(name for name, _from in taken)))
    values = ", ".join(
        [*(_mark(target, name) for name in names), *(quote(str(_field(model, source).column)) for _name, source in taken)]
    )
    shown = ", ".join(quote(str(_field(model, name).column)) for name in (counter, *wanted))
    insert_text = f"INSERT INTO {quote(target._meta.db_table)} ({columns}) SELECT {values} FROM counted"  # noqa: S608 (our own names)
    return f"WITH counted AS ({counted}), row AS ({insert_text}) SELECT {shown} FROM counted"  # noqa: S608
