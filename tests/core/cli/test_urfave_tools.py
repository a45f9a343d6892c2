"""The command lines of ctr and crictl: help and refusals as urfave/cli gives them, compared with the tools themselves."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox

HELP_ROW = "\nCOMMANDS:\n   help, h  Shows a list of commands or help for one command\n"


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox.boot("kubeadm-ready")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("ctr snapshots --help", 0, "USAGE:\n   ctr snapshots [command options]\n\nCOMMANDS:\n   commit                   Commit an active snapshot into the provided name\n   diff "),
        ("ctr tasks ls --help", 0, "OPTIONS:\n   --quiet, -q  Print only the task id (default: false)\n   --help, -h   Show help\n"),
        ("ctr snapshots info", 0, HELP_ROW),
        ("ctr snapshots commit a", 0, "USAGE:\n   ctr snapshots commit [command options] <key> <active>\n"),
        ("ctr images pull --nosuch x", 1, "Incorrect Usage: flag provided but not defined: -nosuch\n\nNAME:\n   ctr images pull - Pull an image from a remote\n"),
        ("ctr images pull --nosuch x", 1, HELP_ROW),
        ("ctr containers create", 1, "ctr: image ref must be provided: invalid argument\n"),
        ("ctr tasks exec x", 1, 'ctr: Required flag "exec-id" not set\n'),
        ("ctr shim state", 1, "ctr: ctr shim state: not simulated in Slipway yet\n"),
        ("ctr run --rootfs /x a", 1, "ctr run --rootfs: not simulated in Slipway yet\n"),
        ("crictl update", 1, "ID cannot be empty"),
        ("crictl exec", 0, HELP_ROW),
        ("crictl images --help", 0, "\n      Available filters: \n      * dangling=(boolean - true or false)\n"),
        ("crictl images --help", 0, "\n   --no-trunc                Show output without truncating the ID (default: false)\n"),
        ("crictl config --help", 0, "\nEXAMPLES:\n   # Set the key \"debug\" to \"true\"\n   crictl config --set debug=true\n"),
        ("crictl runp jsonschema --help", 0, "crictl runp jsonschema"),
        ("crictl exec --help", 0, "   --parallel, -x                            Run the command in parallel if multiple containers are selected (default: false)\n"),
    ],
)  # fmt: skip
def test_what_is_said(box: Sandbox, command: str, code: int, said: str) -> None:
    done = box.run(command, host="controlplane")
    assert done.code == code, done.stderr
    assert said in done.stdout + done.stderr
