"""nginx's configuration: reading (`src/core/ngx_conf_file.c`), and which server and location a request belongs to.

Pure: texts in, a tree out.  Directives are known by name, by the blocks that they may stand in and by how many arguments they take; many
are taken and change nothing here (buffers, time-outs, workers).  Order of locations: `=`, the longest prefix when it is `^~`, regular
expressions as they stand, the longest prefix (`ngx_http_core_find_location`).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from ...kernel.backtracking import BadPattern, guard

#: Blocks by letter: main, events, http, server, location, upstream, `if` in a server or location, stream, and those that hold pairs.
_CONTEXTS = {
    "main": "m",
    "events": "e",
    "http": "h",
    "server": "s",
    "location": "l",
    "upstream": "u",
    "if": "i",
    "limit_except": "l",
}
#: name → where it may stand, fewest and most arguments; blocks are marked by `{`.
_TABLE = """
events m{ 0 0|http m{ 0 0|stream m{ 0 0|mail m{ 0 0|server h{ 0 0|location sl{ 1 2|upstream h{ 1 1|if sli{ 1 9|map h{ 2 2|geo h{ 1 2|types hsl{ 0 0
limit_except l{ 1 9|split_clients h{ 2 2|user m 1 2|worker_processes m 1 1|error_log mhsl 1 2|pid m 1 1|daemon m 1 1|master_process m 1 1
worker_rlimit_nofile m 1 1|worker_cpu_affinity m 1 9|worker_priority m 1 1|load_module m 1 1|env m 1 1|pcre_jit m 1 1|worker_shutdown_timeout m 1 1
lock_file m 1 1|timer_resolution m 1 1|thread_pool m 2 3|include mehsluif 1 1|worker_connections e 1 1|use e 1 1|multi_accept e 1 1|accept_mutex e 1 1
listen s 1 9|server_name s 1 99|root hsli 1 1|alias l 1 1|index hsl 1 99|try_files sl 2 99|return sli 1 2|rewrite sli 2 3|set sli 2 2|break sli 0 0
error_page hsli 2 99|default_type hsl 1 1|add_header hsli 2 3|add_trailer hsli 2 3|expires hsli 1 2|autoindex hsl 1 1|autoindex_exact_size hsl 1 1
autoindex_localtime hsl 1 1|autoindex_format hsl 1 1|proxy_pass li 1 1|proxy_set_header hsl 2 2|proxy_hide_header hsl 1 1|proxy_pass_header hsl 1 1
proxy_http_version hsl 1 1|proxy_redirect hsl 1 2|proxy_buffering hsl 1 1|proxy_buffers hsl 2 2|proxy_buffer_size hsl 1 1|proxy_busy_buffers_size hsl 1 1
proxy_connect_timeout hsl 1 1|proxy_read_timeout hsl 1 1|proxy_send_timeout hsl 1 1|proxy_cache hsl 1 1|proxy_cache_path h 2 99|proxy_cache_valid hsl 1 99
proxy_cache_key hsl 1 1|proxy_cache_bypass hsl 1 99|proxy_cache_use_stale hsl 1 99|proxy_no_cache hsl 1 99|proxy_cache_methods hsl 1 9|proxy_cache_lock hsl 1 1
proxy_cache_min_uses hsl 1 1|proxy_cache_revalidate hsl 1 1|proxy_cache_background_update hsl 1 1|proxy_temp_path hsl 1 4|proxy_max_temp_file_size hsl 1 1
proxy_next_upstream hsl 1 99|proxy_next_upstream_tries hsl 1 1|proxy_next_upstream_timeout hsl 1 1|proxy_intercept_errors hsl 1 1|proxy_ignore_headers hsl 1 9
proxy_request_buffering hsl 1 1|proxy_method hsl 1 1|proxy_set_body hsl 1 1|proxy_bind hsl 1 2|proxy_cookie_path hsl 1 9|proxy_cookie_domain hsl 1 9
proxy_ssl_verify hsl 1 1|proxy_ssl_name hsl 1 1|proxy_ssl_server_name hsl 1 1|proxy_ssl_certificate hsl 1 1|proxy_ssl_certificate_key hsl 1 1
proxy_ssl_trusted_certificate hsl 1 1|proxy_ssl_protocols hsl 1 9|proxy_ssl_session_reuse hsl 1 1|fastcgi_pass li 1 1|fastcgi_param hsl 2 3
fastcgi_index hsl 1 1|fastcgi_split_path_info hsl 1 1|fastcgi_buffers hsl 2 2|fastcgi_buffer_size hsl 1 1|fastcgi_read_timeout hsl 1 1|uwsgi_pass li 1 1
uwsgi_param hsl 2 3|scgi_pass li 1 1|grpc_pass li 1 1|grpc_set_header hsl 2 2|allow hsl 1 1|deny hsl 1 1|satisfy hsl 1 1|auth_basic hsl 1 1
auth_basic_user_file hsl 1 1|auth_request hsl 1 1|auth_request_set hsl 2 2|internal l 0 0|stub_status sl 0 1|access_log hsli 1 9|log_format h 2 99
log_not_found hsl 1 1|log_subrequest hsl 1 1|sendfile hsli 1 1|sendfile_max_chunk hsl 1 1|tcp_nopush hsl 1 1|tcp_nodelay hsl 1 1|keepalive_timeout hsl 1 2
keepalive_requests hslu 1 1|keepalive_disable hsl 1 9|types_hash_max_size hsl 1 1|types_hash_bucket_size hsl 1 1|server_tokens hsl 1 1
server_names_hash_bucket_size h 1 1|server_names_hash_max_size h 1 1|server_name_in_redirect hsl 1 1|port_in_redirect hsl 1 1|absolute_redirect hsl 1 1
variables_hash_max_size h 1 1|variables_hash_bucket_size h 1 1|map_hash_bucket_size h 1 1|map_hash_max_size h 1 1|merge_slashes hs 1 1
client_max_body_size hsl 1 1|client_body_buffer_size hsl 1 1|client_body_timeout hsl 1 1|client_header_timeout hs 1 1|client_header_buffer_size hs 1 1
client_body_temp_path hsl 1 4|client_body_in_file_only hsl 1 1|large_client_header_buffers hs 2 2|send_timeout hsl 1 1|reset_timedout_connection hsl 1 1
output_buffers hsl 2 2|directio hsl 1 1|aio hsl 1 1|open_file_cache hsl 1 9|open_file_cache_valid hsl 1 1|open_file_cache_min_uses hsl 1 1
open_file_cache_errors hsl 1 1|disable_symlinks hsl 1 9|etag hsl 1 1|if_modified_since hsl 1 1|ignore_invalid_headers hs 1 1|underscores_in_headers hs 1 1
large_client_header hs 1 9|resolver hsl 1 99|resolver_timeout hsl 1 1|chunked_transfer_encoding hsl 1 1|max_ranges hsl 1 1|limit_rate hsli 1 1
limit_rate_after hsli 1 1|limit_req_zone h 3 4|limit_req hsl 1 9|limit_req_status hsl 1 1|limit_req_log_level hsl 1 1|limit_conn_zone h 2 2|limit_conn hsl 2 2
limit_conn_status hsl 1 1|gzip hsli 1 1|gzip_types hsl 1 99|gzip_min_length hsl 1 1|gzip_comp_level hsl 1 1|gzip_vary hsl 1 1|gzip_proxied hsl 1 99
gzip_disable hsl 1 99|gzip_buffers hsl 2 2|gzip_http_version hsl 1 1|gzip_static hsl 1 1|gunzip hsl 1 1|ssl_certificate hs 1 1|ssl_certificate_key hs 1 1
ssl_protocols hs 1 9|ssl_ciphers hs 1 1|ssl_prefer_server_ciphers hs 1 1|ssl_session_cache hs 1 9|ssl_session_timeout hs 1 1|ssl_session_tickets hs 1 1
ssl_dhparam hs 1 1|ssl_ecdh_curve hs 1 1|ssl_stapling hs 1 1|ssl_stapling_verify hs 1 1|ssl_trusted_certificate hs 1 1|ssl_client_certificate hs 1 1
ssl_verify_client hs 1 1|ssl_verify_depth hs 1 1|ssl_password_file hs 1 1|ssl_conf_command hs 2 2|ssl_early_data hs 1 1|ssl_reject_handshake hs 1 1
http2 hs 1 1|http2_max_concurrent_streams hs 1 1|real_ip_header hsl 1 1|set_real_ip_from hsl 1 1|real_ip_recursive hsl 1 1|charset hsli 1 1
charset_types hsl 1 99|sub_filter hsl 2 2|sub_filter_once hsl 1 1|sub_filter_types hsl 1 99|mirror hsl 1 1|ssi hsli 1 1|random_index l 1 1|slice hsl 1 1
least_conn u 0 0|ip_hash u 0 0|random u 0 9|hash u 1 2|keepalive u 1 1|keepalive_timeout u 1 1|zone u 1 2|least_time u 1 9|server u 1 99|dav_methods hsl 1 9
real_ip hsl 1 1|recursive_error_pages hsl 1 1|msie_padding hsl 1 1|postpone_output hsl 1 1|referer_hash_max_size sl 1 1|valid_referers sl 1 99
secure_link hsl 1 1|empty_gif l 0 0|flv l 0 0|mp4 l 0 0|js_import h 1 3|js_content l 1 1|perl_modules h 1 1|subrequest_output_buffer_size hsl 1 1
"""
#: name → its rules: (letters of the blocks that it may stand in, whether it opens one, fewest and most arguments).
_RULES: dict[str, list[tuple[str, bool, int, int]]] = {}
for _row in _TABLE.replace("\n", "|").split("|"):
    if _row:
        _name, _where, _least, _most = _row.split()
        _RULES.setdefault(_name, []).append((_where.rstrip("{"), _where.endswith("{"), int(_least), int(_most)))
#: Blocks whose lines are pairs, not directives.
_PAIRS = frozenset(("map", "geo", "types", "split_clients", "stream", "mail"))
DEEPEST = 20
_LISTENS = re.compile(
    r"default_server|default|ssl|http2|quic|proxy_protocol|reuseport|deferred|bind|so_keepalive=.*|(?:backlog|rcvbuf|sndbuf|fastopen|setfib|"
    r"ipv6only|accept_filter)=.*|spdy"
)


class BadConfig(Exception):
    """A configuration that nginx refuses; the message is what follows `[emerg] 1#1: `."""


class Directive(msgspec.Struct, frozen=True):
    """A directive: its arguments without quotes, its block's directives (None for one that ends with `;`), and where it stands."""

    name: str
    args: tuple[str, ...]
    inner: tuple[Directive, ...] | None
    file: str
    line: int

    @property
    def where(self) -> str:
        """`/etc/nginx/nginx.conf:3`."""
        return f"{self.file}:{self.line}"

    def all(self, name: str) -> Iterator[Directive]:
        """Directives of that name in its block."""
        return (one for one in self.inner or () if one.name == name)

    def first(self, name: str) -> Directive | None:
        """The first of them."""
        return next(self.all(name), None)


def _tokens(text: str, file: str) -> Iterator[tuple[str, int, bool]]:
    """(word or one of `;{}`, line, whether it is such a mark)."""
    at, line, size = 0, 1, len(text)
    while at < size:
        char = text[at]
        if char == "\n":
            line += 1
            at += 1
        elif char.isspace():
            at += 1
        elif char == "#":
            end = text.find("\n", at)
            at = size if end < 0 else end
        elif char in ";{}":
            yield char, line, True
            at += 1
        elif char in "\"'":
            word, began, at = "", line, at + 1
            while at < size and text[at] != char:
                if text[at] == "\\" and at + 1 < size:
                    word += {"t": "\t", "r": "\r", "n": "\n"}.get(
                        text[at + 1], text[at + 1] if text[at + 1] in "\"'\\" else text[at : at + 2]
                    )
                    at += 1
                else:
                    word += text[at]
                line += text[at] == "\n"
                at += 1
            if at >= size:
                raise BadConfig(f'unexpected end of file, expecting ";" or "}}" in {file}:{line}')
            at += 1
            yield word, began, False
        else:
            word = ""
            while at < size and not text[at].isspace() and (text[at] not in ";{" or (text[at] == "{" and word.endswith("$"))):
                if text[at] == "{":
                    end = text.find("}", at)
                    word, at = word + text[at : end + 1], end + 1
                    if end < 0:
                        raise BadConfig(f'unexpected end of file, expecting ";" or "}}" in {file}:{line}')
                    continue
                if text[at] == "\\" and at + 1 < size:
                    word += text[at]
                    at += 1
                word += text[at]
                at += 1
            yield word, line, False


def _block(tokens: Iterator[tuple[str, int, bool]], file: str, depth: int, last: list[int]) -> tuple[Directive, ...]:
    if depth > DEEPEST:
        raise BadConfig(f"too many blocks in each other in {file}:{last[0]}")
    out: list[Directive] = []
    words: list[str] = []
    for word, line, mark in tokens:
        last[0] = line
        if not mark:
            words.append(word)
        elif word == ";":
            if not words:
                raise BadConfig(f'unexpected ";" in {file}:{line}')
            out.append(Directive(words[0], tuple(words[1:]), None, file, line))
            words = []
        elif word == "{":
            if not words:
                raise BadConfig(f'unexpected "{{" in {file}:{line}')
            name, args, words = words[0], tuple(words[1:]), []
            out.append(Directive(name, args, _block(tokens, file, depth + 1, last), file, line))
        else:
            if words or not depth:
                raise BadConfig(f'unexpected "}}" in {file}:{line}')
            return tuple(out)
    if words:
        raise BadConfig(f'unexpected end of file, expecting ";" or "}}" in {file}:{last[0]}')
    if depth:
        raise BadConfig(f'unexpected end of file, expecting "}}" in {file}:{last[0]}')
    return tuple(out)


def _included(one: Directive, texts: dict[str, str], depth: int) -> Iterator[Directive]:
    """What an `include` brings."""
    pattern = one.args[0] if one.args[0].startswith("/") else f"/etc/nginx/{one.args[0]}"
    names = sorted(name for name in texts if fnmatch.fnmatchcase(name, pattern) and name.count("/") == pattern.count("/"))
    if not names and not re.search(r"[*?\[]", pattern):
        raise BadConfig(f'open() "{pattern}" failed (2: No such file or directory) in {one.where}')
    for name in names:
        yield from _whole(name, texts, depth + 1)


def _whole(file: str, texts: dict[str, str], depth: int) -> tuple[Directive, ...]:
    if depth > DEEPEST:
        raise BadConfig(f"too many includes of each other in {file}:1")
    return _expanded(_block(_tokens(texts[file], file), file, 0, [1]), texts, depth)


def _expanded(block: tuple[Directive, ...], texts: dict[str, str], depth: int) -> tuple[Directive, ...]:
    out: list[Directive] = []
    for one in block:
        if one.name == "include" and one.inner is None and len(one.args) == 1:
            out += _included(one, texts, depth)
        elif one.inner:
            out.append(msgspec.structs.replace(one, inner=_expanded(one.inner, texts, depth)))
        else:
            out.append(one)
    return tuple(out)


def _check(block: tuple[Directive, ...], context: str) -> None:
    for one in block:
        rules = _RULES.get(one.name)
        if rules is None:
            raise BadConfig(f'unknown directive "{one.name}" in {one.where}')
        fits = [rule for rule in rules if context in rule[0]]
        if not fits:
            raise BadConfig(f'"{one.name}" directive is not allowed here in {one.where}')
        _, opens, least, most = fits[0]
        if opens and one.inner is None:
            raise BadConfig(f'directive "{one.name}" has no opening "{{" in {one.where}')
        if not opens and one.inner is not None:
            raise BadConfig(f'directive "{one.name}" is not terminated by ";" in {one.where}')
        if not least <= len(one.args) <= most:
            raise BadConfig(f'invalid number of arguments in "{one.name}" directive in {one.where}')
        if one.inner is not None and one.name not in _PAIRS:
            _check(one.inner, _CONTEXTS[one.name])


@lru_cache(maxsize=64)
def read(texts: tuple[tuple[str, str], ...], main: str = "/etc/nginx/nginx.conf") -> Directive:
    """The whole configuration as the block `main`; raises BadConfig."""
    known = dict(texts)
    if main not in known:
        raise BadConfig(f'open() "{main}" failed (2: No such file or directory)')
    block = _whole(main, known, 0)
    _check(block, "m")
    if not any(one.name == "events" for one in block):
        raise BadConfig('no "events" section in configuration')
    found = Directive("main", (), block, main, 0)
    for server in servers(found):
        for one in server.all("listen"):
            odd = next((word for word in one.args[1:] if not _LISTENS.fullmatch(word)), None)
            if odd is not None:
                raise BadConfig(f'invalid parameter "{odd}" in {one.where}')
            if port_of(one) is None:
                raise BadConfig(f'invalid port in "{one.args[0]}" of the "listen" directive in {one.where}')
    for pattern in _expressions(found):
        expression = pattern.args[-1] if pattern.name == "location" else pattern.args[0]
        try:
            compiled(expression)
        except (re.error, OverflowError, RecursionError) as failed:
            raise BadConfig(f'pcre2_compile() failed: {failed} in "{expression}" in {pattern.where}') from None
    return found


#: Steps that a search may take at most, reckoned from the subject's length and the pattern's repetitions.
WORK = 20_000_000


@lru_cache(maxsize=256)
def compiled(expression: str, *, fold: bool = False) -> re.Pattern[str]:
    """An expression of PCRE as Python reads it; raises re.error, also for what could take for ever."""
    ours = expression.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    pattern = re.compile(ours, re.I if fold else 0)  # what is wrong is told before what is too much
    try:
        guard(ours)
    except BadPattern:
        raise re.error("a repetition in a repetition: not simulated in Slipway yet") from None
    return pattern


def search(expression: str, text: str, *, fold: bool = False) -> re.Match[str] | None:
    """Where an expression matches; a subject that is too long for its repetitions does not."""
    try:
        pattern = compiled(expression, fold=fold)
    except (re.error, OverflowError, RecursionError):
        return None
    repeats = len(re.findall(r"(?<!\\)[*+]|\{\d*,\}", expression))
    return pattern.search(text) if len(text) ** max(repeats, 1) <= WORK else None


def _expressions(block: Directive) -> Iterator[Directive]:
    for one in block.inner or ():
        if (one.name == "location" and one.args[0] in ("~", "~*")) or one.name == "rewrite":
            yield one
        yield from _expressions(one)


def servers(conf: Directive) -> list[Directive]:
    """The servers of `http`."""
    web = conf.first("http")
    return list(web.all("server")) if web is not None else []


def port_of(listen: Directive) -> int | None:
    """The port of a `listen`: 80 where only an address stands; 0 for a Unix socket; None when it is none."""
    text = listen.args[0]
    if text.startswith("unix:"):
        return 0
    tail = text.rpartition("]")[2].rpartition(":")[2] if "]" in text or ":" in text else text
    if not tail:
        return 80 if text.endswith("]") else None
    if tail.isascii() and tail.isdigit():
        return int(tail) if 0 < int(tail) < 65536 else None
    return 80 if re.fullmatch(r"[\d.]+|\*|[A-Za-z][\w.-]*", tail) and ":" not in text else None


def ports(conf: Directive) -> dict[int, bool]:
    """Ports that are listened on, and whether they speak TLS."""
    found: dict[int, bool] = {}
    for server in servers(conf):
        given = list(server.all("listen"))
        for one in given:
            port = port_of(one)
            if port:
                found[port] = found.get(port, False) or "ssl" in one.args[1:]
        if not given:
            found.setdefault(80, False)
    return found


def server_for(conf: Directive, port: int, host: str) -> Directive | None:
    """The server of a request: by port, then by name: exact, `*.x`, `x.*`, expressions; else the default one."""
    fits: list[Directive] = []
    default: Directive | None = None
    for server in servers(conf):
        given = list(server.all("listen"))
        here = [one for one in given if port_of(one) == port]
        if here or (not given and port == 80):
            fits.append(server)
            if default is None and any("default_server" in one.args or "default" in one.args[1:] for one in here):
                default = server
    names = [
        (name.lower() if not name.startswith("~") else name, server)
        for server in fits
        for one in server.all("server_name")
        for name in one.args
    ]
    host = host.lower()
    for name, server in names:
        if name == host:
            return server
    stars = [
        (len(name), server)
        for name, server in names
        if (name.startswith("*.") and host.endswith(name[1:]))
        or (name.startswith(".") and (host.endswith(name) or host == name[1:]))
    ]
    stars = stars or [(len(name), server) for name, server in names if name.endswith(".*") and host.startswith(name[:-1])]
    if stars:
        return max(stars, key=lambda row: row[0])[1]
    for name, server in names:
        if name.startswith("~") and search(name[1:], host, fold=True):
            return server
    return default or (fits[0] if fits else None)


def location_for(block: Directive, path: str) -> tuple[list[Directive], re.Match[str] | None]:
    """The location of a path below a server (with those around it, the outer first), and the match of its expression."""
    best: Directive | None = None
    for one in block.all("location"):
        kind, prefix = (one.args[0], one.args[1]) if len(one.args) == 2 else ("", one.args[0])
        if kind == "=" and path == prefix:
            return [one], None
        if (
            kind in ("", "^~")
            and path.startswith(prefix)
            and not prefix.startswith("@")
            and (best is None or len(prefix) > len(best.args[-1]))
        ):
            best = one
    inner, match = location_for(best, path) if best is not None else ([], None)
    if best is not None and inner and match is not None:
        return [best, *inner], match
    if best is None or best.args[0] != "^~":
        for one in block.all("location"):
            if len(one.args) == 2 and one.args[0] in ("~", "~*"):
                found = search(one.args[1], path, fold=one.args[0] == "~*")
                if found is not None:
                    deeper, other = location_for(one, path)
                    return [one, *deeper], other or found
    return ([best, *inner] if best is not None else []), match


def nearest(blocks: list[Directive], name: str) -> list[Directive]:
    """Directives of that name in the innermost block that has some (`blocks` from the outermost)."""
    for block in reversed(blocks):
        found = list(block.all(name))
        if found:
            return found
    return []
