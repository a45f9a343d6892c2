"""Kubernetes' own types in CEL: quantities, addresses, networks, URLs, versions, named formats (`apiserver/pkg/cel/library`)."""

from __future__ import annotations

import ipaddress
import re
from fractions import Fraction
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from ..api import names, quantity
from .functions import define
from .values import EvalError, Extension, Optional


class Quantity(msgspec.Struct, Extension, frozen=True):
    """An amount of a resource."""

    amount: Fraction
    text: str
    type_name = "kubernetes.Quantity"


class Address(msgspec.Struct, Extension, frozen=True):
    """An IP address."""

    text: str
    type_name = "net.IP"

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """The parsed address."""
        return ipaddress.ip_address(self.text)


class Network(msgspec.Struct, Extension, frozen=True):
    """A CIDR."""

    text: str
    type_name = "net.CIDR"

    @property
    def net(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The parsed network, host bits cleared."""
        return ipaddress.ip_network(self.text, strict=False)


class Url(msgspec.Struct, Extension, frozen=True):
    """A URL."""

    text: str
    type_name = "kubernetes.URL"


class Version(msgspec.Struct, Extension, frozen=True):
    """A semantic version."""

    numbers: tuple[int, int, int]
    pre: str = ""
    type_name = "kubernetes.Semver"


class Format(msgspec.Struct, Extension, frozen=True):
    """A named format."""

    name: str
    type_name = "kubernetes.NamedFormat"


def to_quantity(text: str) -> Quantity:
    """quantity("1Gi")"""
    try:
        return Quantity(Fraction(quantity.nano(text), 10**9), text)
    except ValueError as error:
        raise EvalError(str(error)) from None


def _is(make: Any, *args: Any) -> bool:
    try:
        make(*args)
    except EvalError:
        return False
    return True


def _of(amount: Fraction) -> Quantity:
    return Quantity(amount, str(int(amount)) if amount.denominator == 1 else str(float(amount)))


def _as_integer(value: Quantity) -> int:
    if value.amount.denominator != 1 or not -(1 << 63) <= value.amount < 1 << 63:
        raise EvalError("cannot convert value to integer")
    return int(value.amount)


def to_address(text: str) -> Address:
    """ip("10.0.0.1")"""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise EvalError(
            f'IP Address "{text}" parse error during conversion from string: ParseAddr("{text}"): unable to parse IP'
        ) from None
    if isinstance(found, ipaddress.IPv6Address) and (found.ipv4_mapped is not None or found.scope_id):
        kind = (
            "IPv4-mapped IPv6 address is not allowed"
            if found.ipv4_mapped is not None
            else "IP address with zone value is not allowed"
        )
        raise EvalError(f'IP Address "{text}" parse error during conversion from string: {kind}')
    return Address(text)


def to_network(text: str) -> Network:
    """cidr("10.0.0.0/8")"""
    try:
        if "/" not in text:
            raise ValueError
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise EvalError(
            f'CIDR "{text}" parse error during conversion from string: netip.ParsePrefix("{text}"): no \'/\''
        ) from None
    return Network(text)


def _holds(net: Network, other: str) -> bool:
    inner = ipaddress.ip_network(other, strict=False)
    return inner.version == net.net.version and inner.subnet_of(net.net)  # type: ignore[arg-type]


def to_url(text: str) -> Url:
    """url("https://…")"""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise EvalError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request') from None
    if (not parts.scheme and not text.startswith("/")) or re.search(r"[\s\x00-\x1f]", text):
        raise EvalError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return Url(text)


def _host(value: Url) -> str:
    return urlsplit(value.text).netloc.rpartition("@")[2]


def _query(value: Url) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for pair in urlsplit(value.text).query.split("&"):
        key, _, item = pair.partition("=")
        if key:
            out.setdefault(unquote(key.replace("+", " ")), []).append(unquote(item.replace("+", " ")))
    return out


_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\Z")


def to_version(text: str, lenient: bool = False) -> Version:
    """semver("1.2.3")"""
    if lenient:
        text = text.strip().removeprefix("v")
        head, dash, rest = text.partition("-")
        numbers = [str(int(item)) if item.isdigit() else item for item in head.split(".")]
        text = ".".join([*numbers, *["0"] * (3 - len(numbers))]) + dash + rest
    match = _SEMVER.match(text)
    if match is None:
        raise EvalError(f"semver parse error on literal value {text!r}")
    return Version((int(match[1]), int(match[2]), int(match[3])), match[4] or "")


def _order(one: Version, other: Version) -> int:
    if one.numbers != other.numbers:
        return 1 if one.numbers > other.numbers else -1
    if one.pre == other.pre:
        return 0
    if not one.pre or not other.pre:
        return -1 if one.pre else 1
    for a, b in zip(one.pre.split("."), other.pre.split("."), strict=False):
        if a != b:
            if a.isdigit() and b.isdigit():
                return 1 if int(a) > int(b) else -1
            if a.isdigit() != b.isdigit():
                return -1 if a.isdigit() else 1
            return 1 if a > b else -1
    return 1 if one.pre.count(".") > other.pre.count(".") else -1


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def _label_value(text: str) -> list[str]:
    return names.label_value(text)


_FORMATS: dict[str, Any] = {
    "dns1123Label": names.dns_label, "dns1123Subdomain": names.dns_subdomain, "dns1035Label": names.dns1035_label,
    "qualifiedName": names.qualified_name, "labelValue": _label_value,
    "dns1123LabelPrefix": lambda t: names.dns_label(t.removesuffix("-")),
    "dns1123SubdomainPrefix": lambda t: names.dns_subdomain(t.removesuffix("-")),
    "dns1035LabelPrefix": lambda t: names.dns1035_label(t.removesuffix("-")),
    "uri": lambda t: [] if _is(to_url, t) else [f"invalid URI: {t}"],
    "uuid": lambda t: [] if re.fullmatch(r"(?i)[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", t) else ["does not match the UUID format"],
    "byte": lambda t: [] if re.fullmatch(r"[A-Za-z0-9+/\s]*={0,2}", t) else ["invalid base64"],
    "date": lambda t: [] if re.fullmatch(r"\d{4}-\d\d-\d\d", t) else ["invalid date"],
    "datetime": lambda t: [] if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", t) else ["invalid datetime"],
}  # fmt: skip


def _validate(kind: Format, text: str) -> Optional:
    problems = _FORMATS[kind.name](text)
    return Optional(list(problems), True) if problems else Optional()


def _named(name: str) -> Optional:
    return Optional(Format(name), True) if name in _FORMATS else Optional()


_Q, _IP, _NET, _URL, _SEM = "kubernetes.Quantity", "net.IP", "net.CIDR", "kubernetes.URL", "kubernetes.Semver"
define(
    (
        ("quantity(string) " + _Q, to_quantity),
        ("isQuantity(string) bool", lambda a: _is(to_quantity, a)),
        (f"{_Q}.sign() int", lambda a: _sign(a.amount)),
        (f"{_Q}.isInteger() bool", lambda a: a.amount.denominator == 1),
        (f"{_Q}.asInteger() int", _as_integer),
        (f"{_Q}.asApproximateFloat() double", lambda a: float(a.amount)),
        (f"{_Q}.add({_Q}) {_Q}", lambda a, b: _of(a.amount + b.amount)),
        (f"{_Q}.add(int) {_Q}", lambda a, b: _of(a.amount + b)),
        (f"{_Q}.sub({_Q}) {_Q}", lambda a, b: _of(a.amount - b.amount)),
        (f"{_Q}.sub(int) {_Q}", lambda a, b: _of(a.amount - b)),
        (f"{_Q}.isLessThan({_Q}) bool", lambda a, b: a.amount < b.amount),
        (f"{_Q}.isGreaterThan({_Q}) bool", lambda a, b: a.amount > b.amount),
        (f"{_Q}.compareTo({_Q}) int", lambda a, b: _sign(a.amount - b.amount)),
        (f"ip(string) {_IP}", to_address),
        ("isIP(string) bool", lambda a: _is(to_address, a)),
        ("ip.isCanonical(string) bool", lambda a: str(to_address(a).ip) == a),
        (f"string({_IP}) string", lambda a: str(a.ip)),
        (f"{_IP}.family() int", lambda a: a.ip.version),
        (f"{_IP}.isUnspecified() bool", lambda a: a.ip.is_unspecified),
        (f"{_IP}.isLoopback() bool", lambda a: a.ip.is_loopback),
        (f"{_IP}.isLinkLocalMulticast() bool", lambda a: a.ip.is_multicast and _link_local(a.ip)),
        (f"{_IP}.isLinkLocalUnicast() bool", lambda a: a.ip.is_link_local),
        (f"{_IP}.isGlobalUnicast() bool",
         lambda a: not (a.ip.is_unspecified or a.ip.is_loopback or a.ip.is_multicast or a.ip.is_link_local)
         and str(a.ip) != "255.255.255.255"),
        (f"cidr(string) {_NET}", to_network),
        ("isCIDR(string) bool", lambda a: _is(to_network, a)),
        (f"string({_NET}) string", lambda a: a.text),
        (f"{_NET}.containsIP({_IP}) bool", lambda a, b: _holds(a, str(b.ip))),
        (f"{_NET}.containsIP(string) bool", lambda a, b: _holds(a, str(to_address(b).ip))),
        (f"{_NET}.containsCIDR({_NET}) bool", lambda a, b: _holds(a, b.text)),
        (f"{_NET}.containsCIDR(string) bool", lambda a, b: _holds(a, to_network(b).text)),
        (f"{_NET}.ip() {_IP}", lambda a: Address(a.text.partition("/")[0])),
        (f"{_NET}.masked() {_NET}", lambda a: Network(str(a.net))),
        (f"{_NET}.prefixLength() int", lambda a: a.net.prefixlen),
        (f"url(string) {_URL}", to_url),
        ("isURL(string) bool", lambda a: _is(to_url, a)),
        (f"{_URL}.getScheme() string", lambda a: urlsplit(a.text).scheme),
        (f"{_URL}.getHost() string", _host),
        (f"{_URL}.getHostname() string", lambda a: re.sub(r":\d*$", "", _host(a)).strip("[]")),
        (f"{_URL}.getPort() string", lambda a: str(urlsplit(a.text).port or "")),
        (f"{_URL}.getEscapedPath() string", lambda a: quote(urlsplit(a.text).path, safe="/%:@!$&'()*+,;=~-._")),
        (f"{_URL}.getQuery() map(string, list(string))", _query),
        (f"semver(string) {_SEM}", to_version),
        (f"semver(string, bool) {_SEM}", to_version),
        ("isSemver(string) bool", lambda a: _is(to_version, a)),
        ("isSemver(string, bool) bool", lambda a, b: _is(to_version, a, b)),
        (f"{_SEM}.major() int", lambda a: a.numbers[0]),
        (f"{_SEM}.minor() int", lambda a: a.numbers[1]),
        (f"{_SEM}.patch() int", lambda a: a.numbers[2]),
        (f"{_SEM}.isLessThan({_SEM}) bool", lambda a, b: _order(a, b) < 0),
        (f"{_SEM}.isGreaterThan({_SEM}) bool", lambda a, b: _order(a, b) > 0),
        (f"{_SEM}.compareTo({_SEM}) int", _order),
        *((f"format.{name}() kubernetes.NamedFormat", lambda name=name: Format(name)) for name in _FORMATS),
        ("format.named(string) optional_type(kubernetes.NamedFormat)", _named),
        ("kubernetes.NamedFormat.validate(string) optional_type(list(string))", _validate),
    )
)  # fmt: skip


def _link_local(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return str(ip).startswith("224.0.0.") or str(ip).startswith("ff02:")
