"""`kubeadm version` (cmd/version.go)."""

from __future__ import annotations

import json

from .. import goyaml
from ..cobra import Command, no_args
from ..flags import Flag
from .run import Failure, Run

BUILT = {
    "buildDate": "2026-08-21T00:00:00Z",
    "compiler": "gc",
    "gitCommit": "98b35193b2ac7a23a673325f5e9b830ecd5ba406",
    "gitTreeState": "clean",
    "goVersion": "go1.26.4",
    "platform": "linux/amd64",
}


def _version(run: Run) -> None:
    form, version = run.values.text("output"), run.version
    major, minor = version.removeprefix("v").split(".")[:2]
    body = {**BUILT, "gitVersion": version, "major": major, "minor": minor}
    if form == "":
        names = (
            ("Major", major), ("Minor", minor), ("EmulationMajor", ""), ("EmulationMinor", ""), ("MinCompatibilityMajor", ""),
            ("MinCompatibilityMinor", ""), ("GitVersion", version), ("GitCommit", BUILT["gitCommit"]), ("GitTreeState", "clean"),
            ("BuildDate", BUILT["buildDate"]), ("GoVersion", BUILT["goVersion"]), ("Compiler", "gc"), ("Platform", "linux/amd64"),
        )  # fmt: skip
        run.say("kubeadm version: &version.Info{" + ", ".join(f'{name}:"{value}"' for name, value in names) + "}")
    elif form == "short":
        run.say(version)
    elif form == "yaml":
        run.say(goyaml.dump({"clientVersion": body}))
    elif form == "json":
        order = ("major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform")
        run.say(json.dumps({"clientVersion": {name: body[name] for name in order}}, indent=2))
    else:
        raise Failure(f"invalid output format: {form}")


COMMAND = Command(
    "version",
    short="Print the version of kubeadm",
    flags=(Flag(name="output", short="o", usage="Output format; available options are 'yaml', 'json' and 'short'"),),
    args=no_args,
    run=_version,
)
