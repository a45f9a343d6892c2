"""`yq` (mikefarah's, version 4): reading and changing YAML with expressions of jq's language, which its own resembles.

Documents are separated by `---`; keys keep their order.  Comments are not kept by our reader, so `-i` on a file that has some is
refused instead of losing them.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from ..host.invocation import Call
from ..kernel.errors import NotSimulated
from ..shell.coreutils import jqlang, jqparse
from ..shell.coreutils.common import Code, inputs
from ..shell.coreutils.jq import render


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema as far as it matters: no dates, no `yes` and `no`."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, as yaml.v3's encoder does."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Never without indentation."""
        super().increase_indent(flow, False)

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Texts of several lines as literal blocks."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, "|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def shown(value: Any, form: str) -> str:
    """A value as yq prints it: scalars bare, the rest as YAML or JSON."""
    if form in ("json", "j"):
        return render(value, 2, False) + "\n"
    if isinstance(value, dict | list) and value:
        text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9)
        return text
    if isinstance(value, str):
        return value.rstrip("\n") + "\n"
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value)) + "\n"
        if not isinstance(value, dict | list)
        else f"{value}\n"
    )


def yq(call: Call) -> Code:
    """`yq [eval] [-r] [-o json|yaml] [-i] expression [files]`."""
    words, form, inplace, null = [], "yaml", False, False
    args = list(call.argv[1:])
    while args:
        word = args.pop(0)
        if word in ("-r", "-P", "-M", "--unwrapScalar", "--prettyPrint", "--no-colors"):
            continue
        if word in ("-i", "--inplace"):
            inplace = True
        elif word in ("-n", "--null-input"):
            null = True
        elif word in ("-o", "--output-format"):
            form = args.pop(0) if args else ""
        elif re.fullmatch(r"(-o|--output-format)=?(json|j|yaml|y)", word):
            form = word.rpartition("=")[2] if "=" in word else word[2:]
        elif word.startswith("-") and word != "-":
            raise NotSimulated(f"yq {word}")
        else:
            words.append(word)
    words = words[1:] if words[:1] in (["e"], ["eval"]) else words
    if form not in ("json", "j", "yaml", "y"):
        raise NotSimulated(f"yq -o {form}")
    expression = words.pop(0) if words and not (len(words) == 1 and call.exists(words[0])) else "."
    try:
        program = jqparse.parse(expression)
    except jqparse.JqSyntaxError:
        raise NotSimulated(f"yq with the expression {expression!r}") from None
    files, code = ([("-", b"null")], 0) if null else (yield from inputs(call, words))
    for name, data in files:
        text = data.decode("utf-8", "replace")
        try:
            out = _evaluated(call, program, text, form)
        except yaml.YAMLError as failed:
            mark = getattr(failed, "problem_mark", None)
            call.err(
                f"Error: bad file '{name}': yaml: line {mark.line + 1 if mark else 1}: {getattr(failed, 'problem', failed)}\n"
            )
            return 1
        except jqlang.JqError as failed:
            call.err(f"Error: {failed}\n")
            return 1
        if not inplace:
            call.out(out)
        elif re.search(r"(?m)(^|\s)#", text):
            raise NotSimulated("yq -i on a file with comments")
        else:
            call.write_file(name, out.encode())
    return code


def _evaluated(call: Call, program: Any, text: str, form: str) -> str:
    machine = jqlang.Machine({"ENV": dict(call.env), "__loc__": None})
    parts: list[str] = []
    for number, document in enumerate(yaml.load_all(text, Loader=_Loader)):
        rows = [shown(value, form) for value in machine.run(program, document)]
        if number and rows and form in ("yaml", "y"):
            parts.append("---\n")
        parts += rows
    return "".join(parts)
