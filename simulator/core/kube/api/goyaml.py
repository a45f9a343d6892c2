"""What Go's YAML library (go-yaml v2, which Kubernetes reads with) says of text that is not YAML."""

from __future__ import annotations

import re


def message(error: Exception) -> str:
    """A parse error: `yaml: line 3: mapping values are not allowed in this context` (`yaml.go: fail`; errors of the parser, unlike
    those of the scanner, count lines from 0)."""
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", "") or error)
    if "\\t" in problem or "cannot start any token" in problem:
        problem = "found character that cannot start any token"
    if problem == "found undefined alias" and mark is not None:
        name = re.match(r"\*?([\w-]*)", mark.buffer[mark.pointer :] if mark.buffer else "")
        return f"yaml: unknown anchor '{name[1] if name else ''}' referenced"
    line = f"line {mark.line + 1}: " if mark is not None and mark.line > 0 else ""
    if "expected <block end>" in problem or "did not find expected" in problem:
        context = str(getattr(error, "context", "") or "")
        if "did not find expected" not in problem:
            problem = "did not find expected '-' indicator" if "sequence" in context else "did not find expected key"
        return f"yaml: line {mark.line}: {problem}" if mark is not None and mark.line else f"yaml: {problem}"
    return f"yaml: {line}{problem}"
