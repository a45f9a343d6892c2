"""Output formats (`cli-runtime/pkg/printers`, `genericclioptions/print_flags.go`): one row a format in `FORMATS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...kube.api.kinds import split_api_version
from .. import goyaml
from ..flags import quote
from . import kyaml
from .customcolumns import ColumnError, CustomColumns
from .errors import CommandError
from .gotemplate import Template
from .gotemplate_parse import TemplateError
from .jsonpath import JSONPath, JSONPathError
from .jsontext import indented
from .session import Session

Obj = dict[str, Any]
Printer = Callable[[Obj], None]

#: Formats every command has, and those of `get` besides; the error message lists them sorted.
PLAIN = (
    "json",
    "yaml",
    "kyaml",
    "name",
    "go-template",
    "go-template-file",
    "template",
    "templatefile",
    "jsonpath",
    "jsonpath-as-json",
    "jsonpath-file",
)
#: Formats whose names may be written in any case.
UNFOLDED = ("json", "yaml", "kyaml", "name")
OF_GET = ("custom-columns", "custom-columns-file", "wide")


def is_list(obj: Obj) -> bool:
    """A list of objects."""
    return str(obj.get("kind", "")).endswith("List") and isinstance(obj.get("items"), list)


def without_managed_fields(obj: Obj) -> Obj:
    """The object, and the items of a list, without `managedFields`."""
    if is_list(obj):
        return {**obj, "items": [without_managed_fields(item) for item in obj["items"]]}
    meta = obj.get("metadata")
    if isinstance(meta, dict) and "managedFields" in meta:
        return {**obj, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}
    return obj


def reference(obj: Obj) -> str:
    """`deployment.apps/web`."""
    group, _ = split_api_version(str(obj.get("apiVersion") or ""))
    kind = str(obj.get("kind") or "<unknown>").lower()
    name = str((obj.get("metadata") or {}).get("name") or "<unknown>")
    return f"{kind}.{group}/{name}" if group else f"{kind}/{name}"


def go_syntax(value: Any) -> str:
    """A value as Go's `%#v` prints unstructured data."""
    if isinstance(value, dict):
        return "map[string]interface {}{" + ", ".join(f"{quote(key)}:{go_syntax(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(go_syntax(item) for item in value) + "}"
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "interface {}(nil)"
    return ("true" if value else "false") if isinstance(value, bool) else goyaml.format_number(value)


class Output:
    """The printer that `-o` (and `--template`) asks for.

    `operation` is what the name printer says of an object (`created`); `typed` prints JSON in the order of the Go struct.
    """

    def __init__(
        self,
        session: Session,
        *,
        operation: str = "",
        of_get: bool = False,
        default: str = "",
        typed: bool = False,
        write: Callable[[str], None] | None = None,
    ) -> None:
        self.s, self.operation, self.typed = session, operation, typed
        #: Where the text goes: standard output, unless the caller takes it.
        self.write = write or session.out
        values = session.values
        self.format = values.text("output") if values.has("output") else ""
        self.template = values.text("template") if values.has("template") else ""
        if self.template and not self.format:
            self.format = "go-template"
        self.format = self.format or default
        self.count = 0
        self.name, equals, argument = self.format.partition("=")
        if self.name.lower() in UNFOLDED:
            self.name = self.name.lower()
        if argument:
            self.template = argument
        self.keep_fields = values.has("show-managed-fields") and values.on("show-managed-fields")
        allowed = PLAIN + (OF_GET if of_get else ())
        if self.name and (self.name not in allowed or (equals and self.name in ("json", "yaml", "kyaml", "name", "wide"))):
            raise CommandError(f"unable to match a printer suitable for the output format {quote(self.format)}, allowed formats are: "
                               + ",".join(sorted(allowed)))  # fmt: skip
        self._print = self._choose()

    @property
    def given(self) -> bool:
        """A format was asked for."""
        return bool(self.name)

    def print(self, obj: Obj) -> None:
        """Print one object (or list)."""
        self.count += 1
        self._print(obj)

    def event(self, word: str, obj: Obj) -> None:
        """Print one change of a watch with its type, JSON on a line of its own (`metav1.WatchEvent`)."""
        self.count += 1
        whole = {"type": word, "object": self._shown(obj)}
        if self.name == "name":
            self._print(obj)
        elif self.name == "json":
            self.write('{"type":' + _raw(word) + ',"object":' + _raw(whole["object"]) + "}\n")
        elif self.name == "kyaml":
            self.write(kyaml.dump(whole, sort=False))
        else:
            self._print(whole)

    def done(self, obj: Obj, operation: str) -> None:
        """Say what was done to an object, or print it when a format was asked for."""
        if not self.name or self.name == "name":
            self.write(reference(obj) + (f" {operation}" if operation and not self.name else "") + "\n")
        else:
            self.print(obj)

    # -- formats ----------------------------------------------------------------------------------------------------------
    def _choose(self) -> Printer:
        if self.name in ("", "wide"):
            return self._name
        if self.name.startswith(("jsonpath", "go-template", "template", "custom-columns")):
            return self._templated()
        return {"json": self._json, "yaml": self._yaml, "kyaml": self._kyaml, "name": self._name}[self.name]

    def _templated(self) -> Printer:
        template = self.template
        if not template:
            raise CommandError("custom-columns format specified but no custom columns given" if self.name == "custom-columns" else
                               "template format specified but no template given")  # fmt: skip
        path = template
        if self.name in ("jsonpath-file", "go-template-file", "templatefile", "custom-columns-file"):
            try:
                template = self.s.inv.read_file(path).decode("utf-8", "replace")
            except OSError as error:
                prefix = f"error reading template {path}, " if "columns" in self.name else f"error reading --template {path}, "
                raise CommandError(f"{prefix}open {path}: {(error.strerror or '').lower()}") from None
        if self.name.startswith("custom-columns"):
            headers = not (self.s.values.has("no-headers") and self.s.values.on("no-headers"))
            columns = CustomColumns(template, from_file=self.name.endswith("-file"), headers=headers)
            return lambda obj: self._columns(columns, obj)
        missing = not self.s.values.has("allow-missing-template-keys") or self.s.values.on("allow-missing-template-keys")
        if self.name.startswith("jsonpath"):
            return self._jsonpath(template, missing)
        return self._gotemplate(template, missing)

    def _columns(self, columns: CustomColumns, obj: Obj) -> None:
        try:
            self.write(columns.text(obj))
        except ColumnError as error:
            self.write(error.partial)
            raise

    def _jsonpath(self, template: str, missing: bool) -> Printer:
        try:
            parsed = JSONPath(template, allow_missing=missing, as_json=self.name == "jsonpath-as-json")
        except JSONPathError as error:
            raise CommandError(f"error parsing jsonpath {template}, {error}") from None

        def run(obj: Obj) -> None:
            try:
                self.write(parsed.execute(obj))
            except JSONPathError as error:
                raise CommandError(f"error executing jsonpath {quote(template)}: Error executing template: {error}. Printing more information for "
                                   f"debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t"
                                   f"{go_syntax(obj)}\n\n\n") from None  # fmt: skip

        return run

    def _gotemplate(self, template: str, missing: bool) -> Printer:
        try:
            parsed = Template(template, missing_keys=missing)
        except TemplateError as error:
            raise CommandError(f"error parsing template {template}, {error}") from None

        def run(obj: Obj) -> None:
            try:
                self.write(parsed.execute(obj))
            except TemplateError as error:
                self.write(f"{error.partial}Error executing template: {error}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{template}\n"
                           f"\traw data was:\n\t\t{_raw(obj)}\n\tobject given to template engine was:\n\t\t"
                           f"{_show(obj)}\n\n")  # fmt: skip
                raise CommandError(f"error executing template {quote(template)}: {error}") from None

        return run

    def _shown(self, obj: Obj) -> Obj:
        return obj if self.keep_fields else without_managed_fields(obj)

    def _json(self, obj: Obj) -> None:
        self.write(indented(self._shown(obj), 4, sort=not self.typed) + "\n")

    def _yaml(self, obj: Obj) -> None:
        if self.count > 1:
            self.write("---\n")
        self.write(goyaml.dump(self._shown(obj)))

    def _kyaml(self, obj: Obj) -> None:
        self.write(kyaml.dump(self._shown(obj), sort=not self.typed))

    def _name(self, obj: Obj) -> None:
        for item in obj["items"] if is_list(obj) else [obj]:
            self.write(reference(item) + (f" {self.operation}" if self.operation and self.name != "name" else "") + "\n")


def _raw(obj: Any) -> str:
    from .jsontext import compact

    return compact(obj)


def _show(obj: Obj) -> str:
    from .jsonpath import go_value

    return go_value(obj)
