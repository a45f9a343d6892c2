"""What tools say of themselves: `--version` and `--help`."""

from __future__ import annotations

#: Tools of other projects than coreutils: the first line of `--version`.
_VERSIONS = {
    "awk": "mawk 1.3.4 20240123", "bc": "bc 1.07.1", "cmp": "cmp (GNU diffutils) 3.10", "diff": "diff (GNU diffutils) 3.10",
    "egrep": "grep (GNU grep) 3.11", "fgrep": "grep (GNU grep) 3.11", "find": "find (GNU findutils) 4.9.0", "free": "free from procps-ng 4.0.4",
    "grep": "grep (GNU grep) 3.11", "gunzip": "gunzip (gzip) 1.12", "gzip": "gzip 1.12", "hexdump": "hexdump from util-linux 2.39.3",
    "column": "column from util-linux 2.39.3", "logger": "logger from util-linux 2.39.3", "patch": "GNU patch 2.7.6",
    "pgrep": "pgrep from procps-ng 4.0.4", "pkill": "pkill from procps-ng 4.0.4", "ps": "ps from procps-ng 4.0.4", "sed": "sed (GNU sed) 4.9",
    "tar": "tar (GNU tar) 1.35", "top": "top from procps-ng 4.0.4", "uptime": "uptime from procps-ng 4.0.4", "w": "w from procps-ng 4.0.4",
    "watch": "watch from procps-ng 4.0.4", "wget": "GNU Wget 1.21.4 built on linux-gnu.", "xargs": "xargs (GNU findutils) 4.9.0",
    "file": "file-5.45", "rev": "rev from util-linux 2.39.3", "more": "more from util-linux 2.39.3",
    "tree": "tree v2.1.1 © 1996 - 2023 by Steve Baker, Thomas Moore, Francesc Rocher, Florian Sesser, Kyosuke Tokoro",
}  # fmt: skip
#: Programs of GNU coreutils.
_COREUTILS = frozenset(
    """arch b2sum base32 base64 basename cat chgrp chmod chown cksum comm cp csplit cut date dd df dir dirname du echo env expand expr factor
    fmt fold groups head hostid id install join link ln logname ls md5sum mkdir mkfifo mktemp mv nice nl nohup nproc numfmt od paste printenv
    printf pwd readlink realpath rm rmdir seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stty sum sync
    tac tail tee timeout touch tr truncate tsort tty uname unexpand uniq unlink users wc who whoami yes""".split()
)
_OPERANDS = {
    "cp": "[OPTION]... [-T] SOURCE DEST", "mv": "[OPTION]... [-T] SOURCE DEST", "ln": "[OPTION]... [-T] TARGET LINK_NAME",
    "mkdir": "[OPTION]... DIRECTORY...", "rmdir": "[OPTION]... DIRECTORY...", "chmod": "[OPTION]... MODE[,MODE]... FILE...",
    "chown": "[OPTION]... [OWNER][:[GROUP]] FILE...", "grep": "[OPTION]... PATTERNS [FILE]...", "touch": "[OPTION]... FILE...",
    "rm": "[OPTION]... [FILE]...", "sleep": "NUMBER[SUFFIX]...", "tr": "[OPTION]... STRING1 [STRING2]", "date": "[OPTION]... [+FORMAT]",
    "xargs": "[OPTION]... COMMAND [INITIAL-ARGS]...", "find": "[-H] [-L] [-P] [-Olevel] [-D debugopts] [path...] [expression]",
    "timeout": "[OPTION] DURATION COMMAND [ARG]...", "seq": "[OPTION]... LAST", "diff": "[OPTION]... FILES",
}  # fmt: skip


def said(command: str, word: str, longs: dict[str, tuple[str, str]]) -> str:
    """The answer to `--help` or `--version`; "" for a command of which it is not known.

    The help names the options that are here, without the manual's sentences.
    """
    if word == "version":
        if command in _VERSIONS:
            return _VERSIONS[command] + "\n"
        if command not in _COREUTILS:
            return ""
        return f"{command} (GNU coreutils) 9.4\nCopyright (C) 2023 Free Software Foundation, Inc.\nLicense GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>.\n"
    if command not in _VERSIONS and command not in _COREUTILS:
        return ""
    rows = [f"Usage: {command} {_OPERANDS.get(command, '[OPTION]... [FILE]...')}\n\n"]
    for name, (key, mark) in sorted(longs.items()):
        takes = {"=": "=" + name.upper().replace("-", "_"), "?": f"[={name.upper().replace('-', '_')}]"}.get(mark, "")
        rows.append(f"  -{key}, --{name}{takes}\n" if len(key) == 1 else f"      --{name}{takes}\n")
    return (
        "".join(rows)
        + "      --help        display this help and exit\n      --version     output version information and exit\n"
    )
