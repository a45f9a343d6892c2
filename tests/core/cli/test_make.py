"""`make`, commands that Python programs call, and what `kubectl proxy` lets through."""

from __future__ import annotations

import pytest

from simulator.core.cli.kubectl.commands.forward import FILTERS, lets_through
from simulator.core.kernel.clock import SECOND
from simulator.core.kube.api import regexp
from simulator.core.sandbox import Sandbox

FILE = r"""NAME ?= app
TAG := $(shell echo v1)
SRC = $(wildcard *.txt)
.PHONY: all clean help
all: out.bin help ## Build
	@echo built $(NAME):$(TAG) from $^
out.bin: a.txt b.txt
	cat $^ > $@
%.txt:
	@echo $* > $@
ifeq ($(NAME),app)
help: ## This
	@grep -cE '^[a-z]+:.*##' $(MAKEFILE_LIST); echo "$(SRC:.txt=.o) $(words a b c) $$HOME"
else
help:
	@echo other
endif
clean:
	-rm nofile
	rm -f *.txt out.bin
bad:
	false
"""


@pytest.fixture(scope="module")
def box() -> Sandbox:
    """A machine with make and a makefile."""
    made = Sandbox.boot("playground-ubuntu", 1)
    made.run(
        f"apt-get update -qq && apt-get install -y -qq make >/dev/null; mkdir -p /w && cat > /w/Makefile <<'X'\n{FILE}X",
        host="ubuntu",
        limit=300 * SECOND,
    )
    return made


def test_rules_variables_and_functions(box: Sandbox) -> None:
    """Targets in the order of what they need, patterns, phony ones, what is up to date, conditionals, errors as make words them."""

    def run(line: str) -> str:
        found = box.run(line, host="ubuntu", cwd="/w")
        return found.stdout + found.stderr

    assert run("make") == "cat a.txt b.txt > out.bin\n2\na.o b.o 3 /root\nbuilt app:v1 from out.bin help\n"
    assert run("make out.bin") == "make: 'out.bin' is up to date.\n"
    assert run("sleep 1; touch a.txt; make out.bin") == "cat a.txt b.txt > out.bin\n"
    assert run("make NAME=x help") == "other\n"
    assert run("make -n clean") == "rm nofile\nrm -f *.txt out.bin\n"
    assert "make: [Makefile:19: clean] Error 1 (ignored)\n" in run("make clean")
    assert run("make bad; echo $?") == "false\n2\nmake: *** [Makefile:22: bad] Error 1\n"
    assert run("make nothing") == "make: *** No rule to make target 'nothing'.  Stop.\n"
    assert run("make -C /w NAME=x help") == "make: Entering directory '/w'\nother\nmake: Leaving directory '/w'\n"
    assert run("cd /; make") == "make: *** No targets specified and no makefile found.  Stop.\n"
    assert (
        run("printf 'A = $(B)\\nB = $(A)\\nx:\\n\\t@echo $(A)\\n' > r.mk; make -f r.mk")
        == "make: *** Recursive variable references itself (eventually).  Stop.\n"
    )


def test_programs_call_commands(box: Sandbox) -> None:
    """`subprocess` and its sisters: outputs, statuses, errors."""
    text = """import os, subprocess
r = subprocess.run(["ls", "/w/Makefile"], capture_output=True, text=True)
print(r.returncode, r.stdout, end="")
try:
    subprocess.check_output("ls /nope", shell=True, stderr=subprocess.STDOUT)
except subprocess.CalledProcessError as e:
    print("failed", e.returncode)
try:
    subprocess.run(["nosuchthing"])
except FileNotFoundError as e:
    print(e)
print(subprocess.getoutput("echo hi | tr a-z A-Z"), os.system("exit 3") >> 8, os.popen("echo p").read().strip())
x = subprocess.run("cat; echo err >&2; exit 2", shell=True, input="in", capture_output=True, text=True)
print(x.stdout, x.stderr.strip(), x.returncode)
subprocess.run(["false"], check=True)
"""
    found = box.run(f"cat > v.py <<'X'\n{text}X\npython3 v.py", host="ubuntu")
    said = "0 /w/Makefile\nfailed 2\n[Errno 2] No such file or directory: 'nosuchthing'\nHI 3 p\nin err 2\n"
    assert found.stdout == said
    assert "subprocess.CalledProcessError: Command ['false'] returned non-zero exit status 1." in found.stderr


def test_what_a_proxy_lets_through() -> None:
    """kubectl's default filter, and one that accepts every host."""

    def passes(path: str, host: str, method: str = "GET", **changes: str) -> bool:
        filters = {
            name: [regexp.compile(part) for part in changes.get(name.replace("-", "_"), text).split(",")]
            for name, text in FILTERS.items()
        }
        return lets_through(filters, method, path, host)

    assert passes("/api/v1/pods", "localhost") and passes("/version", "[::1]")
    assert not passes("/api/v1/pods", "172.30.1.2") and passes("/api/v1/pods", "172.30.1.2", accept_hosts=".*")
    assert not passes("/api/v1/namespaces/default/pods/a/exec", "localhost")
    assert not passes("/api/v1/pods", "localhost", "POST", reject_methods="POST,PUT")
