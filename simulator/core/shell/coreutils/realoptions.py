"""Options that the real tools have (coreutils 9.4, grep 3.11, procps 4.0, findutils 4.9, tar 1.35, curl 8.5, diffutils 3.10 …).

An option of this table that a command here does not handle is refused as not simulated; one that is not in it does not exist in
reality either and gets the real tool's own error.  A row: short letters, then long names.
"""

from __future__ import annotations

REAL: dict[str, tuple[str, str]] = {
    "base64": ("diw", "decode ignore-garbage wrap"),
    "basename": ("asz", "multiple suffix zero"),
    "cat": ("AbeEnstTuv", "show-all number-nonblank show-ends number squeeze-blank show-tabs show-nonprinting"),
    "chmod": ("cfvR", "changes silent quiet verbose no-preserve-root preserve-root reference recursive"),
    "chown": (
        "cfvhRHLP",
        "changes silent quiet verbose dereference no-dereference from no-preserve-root preserve-root reference recursive",
    ),
    "comm": ("123z", "check-order nocheck-order output-delimiter total zero-terminated"),
    "cp": (
        "abdfilLnPpRrsStTuvxZ",
        "archive attributes-only backup copy-contents force interactive link dereference no-clobber no-dereference preserve no-preserve "
        "parents recursive reflink remove-destination sparse strip-trailing-slashes symbolic-link suffix target-directory "
        "no-target-directory update verbose one-file-system context debug",
    ),
    "curl": (
        "0123456#:aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwxXyYzZ",
        "anyauth basic cacert capath cert cert-type ciphers compressed config connect-timeout connect-to cookie cookie-jar data data-ascii "
        "data-binary data-raw data-urlencode digest dns-servers dump-header fail fail-early form ftp-create-dirs get haproxy-protocol head "
        "header http0.9 http1.0 http2 http2-prior-knowledge http3 include insecure interface ipv4 ipv6 key key-type limit-rate location "
        "location-trusted max-filesize max-redirs max-time negotiate netrc noproxy ntlm oauth2-bearer parallel pass pinnedpubkey post301 "
        "post302 proto proxy proxy-user range raw referer remote-header-name remote-time retry-all-errors retry-connrefused retry-delay "
        "retry-max-time sasl-ir socks4 socks5 stderr tcp-fastopen tcp-nodelay telnet-option tls-max tlsv1 tlsv1.3 trace trace-ascii "
        "trace-time tr-encoding unix-socket upload-file url url-query xattr",
    ),
    "cut": ("bcdfnsz", "bytes characters delimiter fields complement only-delimited output-delimiter zero-terminated"),
    "date": ("dfIrRsu", "date debug file iso-8601 rfc-email rfc-3339 reference set resolution utc universal uct"),
    "df": (
        "aBhHiklPtTvx",
        "all block-size human-readable si inodes local no-sync output portability sync total type print-type exclude-type",
    ),
    "diff": (
        "abBcCdDeEfFiIlnNpqrsStTuUvwWxXyZ",
        "normal brief report-identical-files context unified ed rcs side-by-side width left-column suppress-common-lines show-c-function "
        "show-function-line label expand-tabs initial-tab tabsize suppress-blank-empty paginate recursive no-dereference new-file "
        "unidirectional-new-file ignore-file-name-case exclude exclude-from starting-file from-file to-file ignore-case "
        "ignore-tab-expansion ignore-trailing-space ignore-space-change ignore-all-space ignore-blank-lines ignore-matching-lines text "
        "strip-trailing-cr ifdef minimal horizon-lines speed-large-files color palette",
    ),
    "du": (
        "0abBcdDhHklLmPsStxX",
        "all apparent-size block-size bytes total dereference-args max-depth files0-from human-readable inodes kilobytes dereference "
        "count-links no-dereference separate-dirs si summarize threshold time time-style exclude-from exclude one-file-system null",
    ),
    "env": (
        "0CiSuv",
        "ignore-environment null unset chdir split-string block-signal default-signal ignore-signal list-signal-handling debug",
    ),
    "fold": ("bsw", "bytes spaces width"),
    "free": (
        "bchklmgstvw",
        "bytes kilo mega giga tera peta kibi mebi gibi tebi pebi human si lohi line total seconds count wide committed",
    ),
    "grep": (
        "0123456789abcdeEfFGhHiIlLmnNoPqrRsTUuvVwxyzZABCDZ",
        "extended-regexp fixed-strings basic-regexp perl-regexp regexp file ignore-case no-ignore-case word-regexp line-regexp null-data "
        "no-messages invert-match max-count byte-offset line-number line-buffered with-filename no-filename label only-matching quiet "
        "silent binary-files text directories devices recursive dereference-recursive include exclude exclude-from exclude-dir "
        "files-without-match files-with-matches count initial-tab null before-context after-context context group-separator "
        "no-group-separator color colour binary",
    ),
    "gzip": (
        "cdfhklLnNqrStvV123456789",
        "stdout to-stdout decompress uncompress force keep list license no-name name quiet recursive rsyncable suffix synchronous test verbose fast best",
    ),
    "head": ("cnqvz", "bytes lines quiet silent verbose zero-terminated"),
    "id": ("agGnruzZ", "context group groups name real user zero"),
    "install": (
        "bcCdDgmopsStTvZ",
        "backup compare directory group mode owner preserve-timestamps strip strip-program suffix target-directory no-target-directory verbose preserve-context context",
    ),
    "join": ("aeijotv12z", "ignore-case check-order nocheck-order header zero-terminated"),
    "ln": (
        "bdfFiLnPrsStTv",
        "backup directory force interactive logical no-dereference physical relative symbolic suffix target-directory no-target-directory verbose",
    ),
    "ls": (
        "aAbBcCdDfFgGhHiIklLmnNopqQrRsStTuUvwxXZ1",
        "all almost-all author escape block-size ignore-backups color directory dired classify file-type format full-time group-directories-first "
        "no-group human-readable si dereference-command-line hide hyperlink indicator-style inode ignore kibibytes dereference "
        "numeric-uid-gid literal hide-control-chars show-control-chars quote-name quoting-style reverse recursive size sort time "
        "time-style tabsize width context zero",
    ),
    "mkdir": ("mpvZ", "mode parents verbose context"),
    "mktemp": ("dqtpu", "directory dry-run quiet suffix tmpdir"),
    "mv": (
        "bfinStTuvZ",
        "backup debug force interactive no-clobber no-copy strip-trailing-slashes suffix target-directory no-target-directory update verbose context exchange",
    ),
    "nl": (
        "bdfhilnpsvw",
        "body-numbering section-delimiter footer-numbering header-numbering line-increment join-blank-lines number-format no-renumber number-separator starting-line-number number-width",
    ),
    "paste": ("dsz", "delimiters serial zero-terminated"),
    "pgrep": (
        "acdfFgGHilLnorsOtuUvwxP",
        "delimiter list-name list-full inverse lightweight count full pgroup group ignore-case newest oldest older parent session signal terminal euid uid exact pidfile logpidfile runstates cgroup ns nslist env",
    ),
    "pkill": (
        "cefFgGHilLnoOPqrsStuUvx",
        "echo count full pgroup group ignore-case newest oldest older parent session signal terminal euid uid exact pidfile logpidfile runstates cgroup ns nslist queue inverse env mrelease",
    ),
    "readlink": ("efmnqsvz", "canonicalize canonicalize-existing canonicalize-missing no-newline quiet silent verbose zero"),
    "realpath": (
        "eLmPqsz",
        "canonicalize-existing canonicalize-missing logical physical quiet relative-to relative-base strip no-symlinks zero",
    ),
    "rm": ("dfiIrRv", "force interactive one-file-system no-preserve-root preserve-root recursive dir verbose"),
    "rmdir": ("pv", "ignore-fail-on-non-empty parents verbose"),
    "sed": (
        "bEefilnrsuz",
        "quiet silent debug expression file follow-symlinks in-place line-length posix regexp-extended separate sandbox unbuffered null-data binary",
    ),
    "seq": ("fsw", "format separator equal-width"),
    "shuf": ("einorz", "echo input-range head-count output random-source repeat zero-terminated"),
    "sort": (
        "bcCdfghikmMnorRsStTuVz",
        "ignore-leading-blanks dictionary-order ignore-case general-numeric-sort ignore-nonprinting month-sort human-numeric-sort "
        "numeric-sort random-sort random-source reverse sort version-sort batch-size check compress-program debug files0-from key merge "
        "output stable buffer-size field-separator temporary-directory parallel unique zero-terminated",
    ),
    "stat": ("Lfct", "dereference file-system cached format printf terse"),
    "strings": (
        "adefnosTtuUwv",
        "all data print-file-name bytes radix include-all-whitespace encoding unicode target output-separator",
    ),
    "tac": ("brs", "before regex separator"),
    "tail": ("0cfFnqsvz", "bytes follow lines max-unchanged-stats pid quiet silent retry sleep-interval verbose zero-terminated"),
    "tar": (
        "AaBbcCdFfgGhHijJklLmMnNOopPrRsStTuUvVwWxXzZ",
        "append catenate concatenate create delete diff compare extract get list test-label update absolute-names acls add-file after-date "
        "anchored atime-preserve auto-compress backup block-number blocking-factor bzip2 check-device checkpoint checkpoint-action clamp-mtime "
        "compress confirmation delay-directory-restore dereference directory exclude exclude-backups exclude-caches exclude-from "
        "exclude-ignore exclude-vcs file files-from force-local format full-time group group-map gunzip gzip hard-dereference "
        "ignore-case ignore-command-error ignore-failed-read ignore-zeros incremental index-file info-script interactive keep-newer-files "
        "keep-old-files label level listed-incremental lzip lzma lzop mode mtime multi-volume new-volume-script newer newer-mtime no-acls "
        "no-anchored no-recursion no-same-owner no-same-permissions null numeric-owner occurrence old-archive one-file-system one-top-level "
        "overwrite overwrite-dir owner owner-map pax-option permissions portability posix preserve-permissions read-full-records record-size "
        "recursion recursive-unlink remove-files restrict same-order same-owner same-permissions seek selinux show-defaults "
        "show-omitted-dirs show-snapshot-field-ranges show-transformed-names skip-old-files sort sparse starting-file strip-components "
        "suffix tape-length to-command to-stdout totals touch transform unlink-first use-compress-program utc verbatim-files-from verbose "
        "verify volno-file warning wildcards xattrs xform xz zstd",
    ),
    "tee": ("aip", "append ignore-interrupts output-error"),
    "timeout": ("fkpsv", "foreground kill-after preserve-status signal verbose"),
    "touch": ("acdfhmrt", "date no-create no-dereference reference time"),
    "tr": ("cCdst", "complement delete squeeze-repeats truncate-set1"),
    "tree": (
        "adfhilpqstuvrcxACDFIJLNPQRSTHUXosg",
        "dirsfirst noreport du si inodes device prune sort timefmt filelimit charset matchdirs ignore-case fromfile metafirst gitignore",
    ),
    "truncate": ("cors", "no-create io-blocks reference size"),
    "uname": (
        "asnrvmpio",
        "all kernel-name nodename kernel-release kernel-version machine processor hardware-platform operating-system",
    ),
    "uniq": (
        "cdDfisuwz",
        "count repeated all-repeated group skip-fields ignore-case skip-chars unique zero-terminated check-chars",
    ),
    "wc": ("clLmw", "bytes chars lines files0-from max-line-length words total"),
    "wget": (
        "46abBcCdDeEFghHiIkKlLmnNoOpPqQrRsStTUvVwXx",
        "background execute output-file append-output debug verbose no-verbose report-speed input-file config no-config force-html base "
        "tries retry-connrefused retry-on-http-error no-clobber continue start-pos progress show-progress timestamping "
        "no-use-server-timestamps server-response dns-timeout connect-timeout read-timeout wait waitretry random-wait no-proxy quota "
        "bind-address limit-rate no-dns-cache inet4-only inet6-only user password ask-password no-directories force-directories "
        "no-host-directories protocol-directories cut-dirs http-user http-password no-cache default-page adjust-extension header "
        "compression max-redirect proxy-user referer save-headers user-agent no-http-keep-alive no-cookies load-cookies save-cookies "
        "post-data post-file method body-data body-file content-disposition content-on-error trust-server-names secure-protocol "
        "certificate private-key ca-certificate recursive level delete-after convert-links mirror page-requisites accept reject",
    ),
    "xargs": (
        "0aEdeIiLlnoPprstx",
        "null arg-file delimiter eof replace max-lines max-args open-tty max-procs interactive process-slot-var no-run-if-empty max-chars "
        "show-limits verbose exit",
    ),
}
ALIASES = {"egrep": "grep", "fgrep": "grep", "gunzip": "gzip", "zcat": "gzip", "chgrp": "chown", "base32": "base64"}


def exists(name: str, option: str) -> bool:
    """Whether the real tool has an option, given as `-Q`, `--word` or the beginning of a word."""
    short, long = REAL.get(ALIASES.get(name, name), ("", ""))
    if option.startswith("--"):
        return option in ("--help", "--version") or any(word.startswith(option[2:]) for word in long.split())
    return option[1:2] in short
