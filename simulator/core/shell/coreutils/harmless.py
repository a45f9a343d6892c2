"""Options without an effect that could be seen on these machines: what is about speed, buffers, labels of SELinux, protocols and progress.

They are taken and change nothing, as on a file system without such labels.  A row is getopt's letters, then long names; `=` takes an
argument, `?` may have one.
"""

from __future__ import annotations

HARMLESS: dict[str, tuple[str, str]] = {
    "chmod": ("", "no-preserve-root preserve-root"),
    "chown": ("HLP", "no-preserve-root preserve-root dereference"),
    "cp": ("Z", "context? reflink? sparse= one-file-system strip-trailing-slashes copy-contents"),
    "curl": ("46aqjJZ", "ipv4 ipv6 basic anyauth ciphers= tls-max= limit-rate= noproxy= dns-servers= tcp-nodelay tcp-fastopen parallel fail-early "
             "raw tr-encoding sasl-ir remote-header-name http2-prior-knowledge http3 http1.0 max-redirs= max-filesize= keepalive-time= "
             "no-keepalive path-as-is location-trusted post301 post302 interface= netrc-optional no-sessionid tlsv1 tlsv1.0 tlsv1.1 "
             "ssl-no-revoke speed-limit= speed-time= progress-meter no-alpn styled-output no-styled-output remote-time"),
    "df": ("lP", "local no-sync sync portability"),
    "diff": ("d", "minimal speed-large-files horizon-lines= palette="),
    "du": ("DHPLlx", "dereference-args dereference no-dereference count-links one-file-system"),
    "grep": ("uD:", "devices= no-ignore-case"),
    "gzip": ("", "rsyncable synchronous"),
    "id": ("a", ""),
    "install": ("pbZ", "preserve-timestamps preserve-context context? strip-program="),
    "ls": ("NkT:HZ", "literal kibibytes tabsize= show-control-chars hyperlink? dereference-command-line quoting-style="),
    "mkdir": ("Z", "context?"),
    "mktemp": ("", "quiet"),
    "mv": ("Z", "context strip-trailing-slashes no-copy debug"),
    "nl": ("", "no-renumber section-delimiter= join-blank-lines="),
    "pgrep": ("", "ns= nslist="),
    "realpath": ("P", "physical"),
    "rm": ("I", "one-file-system interactive?"),
    "sed": ("bl:", "follow-symlinks line-length= sandbox unbuffered binary"),
    "sort": ("S:T:", "parallel= batch-size= compress-program= buffer-size= temporary-directory= debug"),
    "stat": ("", "cached="),
    "tail": ("", "max-unchanged-stats= silent"),
    "tar": ("oBnUilb:", "acls no-acls xattrs no-xattrs selinux no-selinux sparse warning= format= posix sort= blocking-factor= record-size= utc "
            "read-full-records force-local seek hard-dereference delay-directory-restore ignore-zeros check-device no-check-device "
            "one-file-system overwrite-dir atime-preserve? unlink-first same-order checkpoint? full-time no-overwrite-dir old-archive "
            "portability ignore-failed-read verbatim-files-from show-defaults"),
    "tee": ("p", "ignore-interrupts output-error?"),
    "timeout": ("", ""),
    "touch": ("fh", "no-dereference"),
    "tree": ("", "charset= noreport-x"),
    "wget": ("4bdvUw:e:", "inet4-only no-config no-proxy progress= show-progress limit-rate= no-http-keep-alive no-dns-cache wait= random-wait "
             "secure-protocol= dns-timeout= connect-timeout= read-timeout= waitretry= retry-connrefused no-use-server-timestamps "
             "compression= no-cache execute= trust-server-names content-disposition verbose debug no-hsts no-cookies auth-no-challenge "
             "retry-on-http-error= prefer-family= report-speed="),
    "xargs": ("o", "open-tty"),
}  # fmt: skip


def short(command: str, letter: str) -> str | None:
    """How a letter is taken: "" without an argument, ":" with one; None for one that is not here."""
    letters = HARMLESS.get(command, ("", ""))[0]
    at = letters.find(letter)
    if at < 0 or letter == ":":
        return None
    return ":" if letters[at + 1 : at + 2] == ":" else ""


def long(command: str, name: str) -> str | None:
    """How a long name is taken: "", "=" or "?"; None for one that is not here."""
    for word in HARMLESS.get(command, ("", ""))[1].split():
        if word.rstrip("=?") == name:
            return word[len(name) :]
    return None
