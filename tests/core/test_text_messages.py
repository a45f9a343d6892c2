"""What tools say that this machine may not have, or has in another version than the simulated Ubuntu."""

from __future__ import annotations

import pytest

from simulator.core.shell import runner

from .test_shell_language import SCRATCH, shell_world


@pytest.mark.parametrize(
    ("line", "out", "err", "code"),
    [
        ("echo '{bad' | jq .", "", "jq: parse error: Invalid numeric literal at line 2, column 0\n", 2),
        ("echo 'kind: Pod' | jq .", "", "jq: parse error: Invalid numeric literal at line 1, column 5\n", 2),
        ("echo '{\"a\":1,}' | jq .", "", "jq: parse error: Expected another key-value pair at line 1, column 8\n", 2),
        ("echo '[1 2]' | jq .", "", "jq: parse error: Expected separator between values at line 1, column 5\n", 2),
        ("echo '[1,2' | jq .", "", "jq: parse error: Unfinished JSON term at EOF at line 2, column 0\n", 2),
        ("echo '{} }' | jq -c .", "{}\n", "jq: parse error: Unmatched '}' at line 1, column 4\n", 2),
        ("jq . nofile", "", "jq: error: Could not open file nofile: No such file or directory\n", 2),
        ("jq -n 'foo'", "", "jq: error: foo/0 is not defined at <top-level>, line 1:\nfoo\njq: 1 compile error\n", 3),
        (
            "jq -n '.a['",
            "",
            "jq: error: syntax error, unexpected end of file (Unix shell quoting issues?) at <top-level>, line 1:\n.a[\njq: 1 compile error\n",
            3,
        ),
        ("echo hi > h; bzip2 h; ls; bunzip2 h.bz2; cat h; xz -k h; xzcat h.xz", "h.bz2\nhi\nhi\n", "", 0),
        ("echo x > f; bzip2 -d f", "", "bzip2: f is not a bzip2 file.\n", 2),
        ("xz -d nope.xz", "", "xz: nope.xz: No such file or directory\n", 1),
        (
            "touch a b; printf 'n\\ny\\n' | rm -i a b; ls",
            "a\n",
            "rm: remove regular empty file 'a'? rm: remove regular empty file 'b'? ",
            0,
        ),
        ("touch a; rm -if a; ls", "", "", 0),
        ("touch a b c d; rm -I a b c d < /dev/null; ls | wc -l", "4\n", "rm: remove 4 arguments? ", 0),
        ("P=1 envsubst '$P' <<< '$P ${Q}'; envsubst -v '$A ${B}'", "1 ${Q}\nA\nB\n", "", 0),
    ],
)
def test_a_line_says_what_the_tool_says(line: str, out: str, err: str, code: int) -> None:
    found = runner.run(shell_world(), line, cwd=SCRATCH, env={"HOME": "/root"})
    assert (found.stdout, found.stderr, found.code) == (out, err, code)
