"""`-o` of kubeadm's commands (util/output/output.go): text of the command's own, or kubectl's printers for its objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ...kernel.errors import BadInput
from .. import goyaml
from ..kubectl import gotemplate, jsonpath, kyaml
from ..kubectl.errors import CommandError
from .options import OUTPUT_FORMATS
from .run import Failure, Run

Json = dict[str, Any]
API = "output.kubeadm.k8s.io/v1alpha3"
ALLOWED = OUTPUT_FORMATS.split("|")


class Printer:
    """Prints objects in the format that a run asks for; `text` is the command's own form."""

    def __init__(self, run: Run, text: Callable[[Json], str]) -> None:
        self.run, self.text = run, text
        self.first = True
        self.form, equals, self.argument = run.values.text("output").partition("=")
        if self.form not in ALLOWED or (equals and not self._templated):
            raise Failure(
                f'could not construct output printer: unable to match a printer suitable for the output format "{self.form}", allowed '
                f"formats are: {','.join(sorted(ALLOWED))}"
            )
        if self._templated and not self.argument:
            raise Failure("could not construct output printer: template format specified but no template given")

    @property
    def _templated(self) -> bool:
        return self.form.startswith(("go-template", "template", "jsonpath"))

    @property
    def plain(self) -> bool:
        """Whether it is the text form."""
        return self.form == "text"

    def say(self, text: str) -> None:
        """Progress, which only the text form shows."""
        if self.plain:
            self.run.out(text)

    def show(self, kind: str, body: Json) -> None:
        """Print one object."""
        if self.plain:
            self.run.out(self.text(body))
            return
        obj = {"kind": kind, "apiVersion": API, **body}
        if self.form == "json":
            self.run.out(json.dumps(obj, indent=4, ensure_ascii=False) + "\n")
        elif self.form == "yaml":
            self.run.out(("" if self.first else "---\n") + goyaml.dump(obj))
        elif self.form == "kyaml":
            self.run.out(kyaml.dump(obj))
        else:
            self.run.out(self._template(obj))
        self.first = False

    def _template(self, obj: Json) -> str:
        text = self.argument
        try:
            if self.form.endswith("file"):
                text = self.run.read(text).decode("utf-8", "replace")
            if self.form.startswith("jsonpath"):
                missing = self.run.values.on("allow-missing-template-keys")
                return jsonpath.JSONPath(text, allow_missing=missing, as_json=self.form == "jsonpath-as-json").execute(obj)
            return gotemplate.Template(text).execute(obj)
        except (CommandError, BadInput, ValueError) as error:
            raise Failure(str(error)) from None
