"""Everyday options of the basic tools: what they print, and those that have nothing to change here."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Sandbox:
    """A machine with a few files."""
    made = Sandbox.boot("playground-ubuntu", 1)
    made.run("mkdir -p /w/a/b /w/a/.git; echo hi > /w/a/b/c; echo yo > /w/a/d; chmod 700 /w/a/d; seq 3 > /w/n", host="ubuntu")
    return made


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tree -I b a", "a\n└── d\n\n0 directories, 1 file\n"),
        ("tree --dirsfirst -F --noreport a", "a\n├── b/\n│   └── c\n└── d*\n"),
        ("tree -p --noreport -L 1 a", "[drwxr-xr-x]  a\n├── [drwxr-xr-x]  b\n└── [-rwx------]  d\n"),
        ("df -P / | head -1", "Filesystem 1024-blocks    Used Available Capacity Mounted on\n"),
        ("df --output=fstype,target /", "Type Mounted on\next4 /\n"),
        ("df -h --total | tail -1 | cut -c1-5", "total\n"),
        ("du -ab a/b", "3\ta/b/c\n4099\ta/b\n"),
        ("du -d x", "du: invalid maximum depth ‘x’\n"),
        ("du -sc --exclude=b --apparent-size -B1 a/d n", "3\ta/d\n6\tn\n9\ttotal\n"),
        ("tree -L x", "tree: Invalid level, must be greater than 0.\n"),
        ("free -m -t | tail -1 | cut -c1-6", "Total:\n"),
        ("ls -m a", "b, d\n"),
        ("ls -B --hide='d*' a", "b\n"),
        ("ls -Q a/d n", '"a/d"\n"n"\n'),
        ("ls --version | head -1; grep --version | head -1", "ls (GNU coreutils) 9.4\ngrep (GNU grep) 3.11\n"),
        ("ls --help | head -1", "Usage: ls [OPTION]... [FILE]...\n"),
        ("cp n m; echo new > n2; cp -b n2 m; cat m m~ | wc -l; rm m m~ n2", "4\n"),
        ("ln -sr a/d a/b/l; readlink a/b/l; rm a/b/l", "../d\n"),
        ("ln -sv a/d l; ln -sf a/b/c l; readlink l; rm l", "'l' -> 'a/d'\na/b/c\n"),
        (
            "chown -v daemon n; chown -c daemon n; chown --reference=a/d n; stat -c %U n",
            "changed ownership of 'n' from root to daemon\nroot\n",
        ),
        ("realpath --relative-to=/w/a n; realpath -s a/../n", "../n\n/w/n\n"),
        ("seq 3 | tac -s 2", "\n3\n1\n2"),
        ("sort --sort=numeric --parallel=4 -S 1M <<< $'10\\n9'", "9\n10\n"),
        ("sed --expression 's/1/x/' -u n | head -1", "x\n"),
        ("tar -cf t.tar --sort=name --exclude-vcs --no-acls a; tar tf t.tar; rm t.tar", "a/\na/b/\na/b/c\na/d\n"),
        (
            "sleep 50 & sleep 60 & pgrep -n sleep | wc -l; pgrep -P $$ -l sleep; pkill -o sleep; sleep 1; pgrep -c sleep; pkill sleep",
            None,
        ),
        ("shuf -e a -o s; cat s; rm s", "a\n"),
        ("curl -V | cut -d' ' -f1-2 | head -1", "curl 8.5.0\n"),
        (
            "curl -m x localhost",
            "curl: option -m: expected a proper numerical parameter\ncurl: try 'curl --help' for more information\n",
        ),
        ("wget -nv -O - localhost:9; echo $?", "4\n"),
        ("touch -h n && echo ok; uname -i", "ok\nx86_64\n"),
        ("source <(echo x=5); echo $x; echo 'source <(echo z=7)' > f; . ./f; echo $z; rm f", "5\n7\n"),
        ("source <(kubectl completion bash 2>/dev/null); echo w=1 | { . /dev/stdin; echo $w; }", "1\n"),
    ],
)
def test_an_option_does_what_it_says(box: Sandbox, line: str, said: str | None) -> None:
    """One line, in a folder that the lines leave as they found it."""
    found = box.run(line, host="ubuntu", cwd="/w")
    printed = found.stdout + found.stderr
    assert "not simulated" not in printed
    if said is not None:
        assert printed == said
    else:
        assert printed.splitlines()[-1] == "1", printed


def test_forms_and_cookies_are_sent(box: Sandbox) -> None:
    """`-F`, `--data-urlencode`, `-u`, `-T`, `-c` and `-b` as a server that tells what came sees them."""
    box.run("docker run -d --name echo -p 8090:80 traefik/whoami", host="ubuntu")
    told = box.run("curl -s -u bob:x -e http://from --data-urlencode 'q=a b&c' localhost:8090", host="ubuntu").stdout
    assert "POST / HTTP/1.1" in told and "Authorization: Basic Ym9iOng=" in told and "Referer: http://from" in told
    assert "PUT /up" in box.run("echo hi | curl -s -T - localhost:8090/up", host="ubuntu").stdout
    assert "multipart/form-data; boundary=" in box.run("curl -s -F file=@/w/n -F a=b localhost:8090", host="ubuntu").stdout
