"""IP addresses and CIDR blocks as API fields hold them (`apimachinery/pkg/util/validation/ip.go`, `k8s.io/utils/net`).

Old fields were written with sloppy forms, so new values are held to strict rules while values that were there before stay
good (`StrictIPCIDRValidation`, on since v1.36); younger fields take the canonical form alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

from .errors import FieldError, invalid_value

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_QUAD = re.compile(r"\d{1,}(\.\d{1,}){3}\Z", re.ASCII)


def sloppy(text: str) -> Address | None:
    """`ParseIPSloppy`: leading zeroes are dropped, IPv4-mapped addresses are IPv4; None for what is no address."""
    if _QUAD.match(text):
        parts = [int(part) for part in text.split(".")]
        return ipaddress.IPv4Address(".".join(map(str, parts))) if max(parts) < 256 else None
    if "%" in text:
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def sloppy_network(text: str) -> tuple[Address, Network] | None:
    """`ParseCIDRSloppy`: (the address written, its network), or None."""
    head, slash, bits = text.partition("/")
    address = sloppy(head)
    if not slash or address is None or not (bits.isascii() and bits.isdigit()):
        return None
    width = int(bits) - (96 if address.version == 4 and ":" in head else 0)
    if not 0 <= width <= address.max_prefixlen:
        return None
    return address, ipaddress.ip_network(f"{address}/{width}", strict=False)


def _zeroes(text: str) -> bool:
    return any(len(part) > 1 and part[0] == "0" for part in text.split("."))


def is_ipv6(text: str) -> bool:
    """`IsIPv6String`."""
    found = sloppy(text)
    return found is not None and found.version == 6


def family(text: str) -> str:
    """`IPv4` or `IPv6`."""
    return "IPv6" if is_ipv6(text) else "IPv4"


def address(path: str, text: str, before: Collection[str] = ()) -> list[FieldError]:
    """`IsValidIPForLegacyField`; what was there `before` is good."""
    if text in before:
        return []
    if sloppy(text) is None:
        return [invalid_value(path, text, NO_ADDRESS)]
    if _QUAD.match(text):
        return [invalid_value(path, text, "must not have leading 0s")] if _zeroes(text) else []
    return [invalid_value(path, text, "must not be an IPv4-mapped IPv6 address")] if sloppy_v4_in_6(text) else []


def sloppy_v4_in_6(text: str) -> bool:
    """Whether the text is an IPv4-mapped IPv6 address."""
    found = sloppy(text)
    return ":" in text and found is not None and found.version == 4


def strict_address(path: str, text: str) -> list[FieldError]:
    """`IsValidIP`: the canonical form alone."""
    out = address(path, text)
    found = sloppy(text)
    if out or found is None or str(found) == text:
        return out
    return [invalid_value(path, text, f'must be in canonical form ("{found}")')]


def cidr(path: str, text: str, before: Collection[str] = ()) -> list[FieldError]:
    """`IsValidCIDRForLegacyField`."""
    if text in before:
        return []
    found = sloppy_network(text)
    if found is None:
        return [invalid_value(path, text, NO_CIDR)]
    head, _, bits = text.partition("/")
    if (len(bits) > 1 and bits[0] == "0") or (_QUAD.match(head) and _zeroes(head)):
        return [invalid_value(path, text, "must not have leading 0s in IP or prefix length")]
    if sloppy_v4_in_6(head):
        return [invalid_value(path, text, "must not have an IPv4-mapped IPv6 address")]
    if found[0] != found[1].network_address:
        return [invalid_value(path, text, "must not have bits set beyond the prefix length")]
    return []


def strict_cidr(path: str, text: str) -> list[FieldError]:
    """`IsValidCIDR`."""
    out = cidr(path, text)
    found = sloppy_network(text)
    if out or found is None or str(found[1]) == text:
        return out
    return [invalid_value(path, text, f'must be in canonical form ("{found[1]}")')]


def address_warnings(path: str, text: str) -> list[str]:
    """`GetWarningsForIP`."""
    found = sloppy(text)
    if found is None:
        return []
    if (_QUAD.match(text) and _zeroes(text)) or sloppy_v4_in_6(text):
        return [f'{path}: non-standard IP address "{text}" is invalid: use "{found}"']
    if found.version == 6 and str(found) != text:
        return [f'{path}: IPv6 address "{text}" should be in RFC 5952 canonical format ("{found}")']
    return []


def cidr_warnings(path: str, text: str) -> list[str]:
    """`GetWarningsForCIDR`."""
    found = sloppy_network(text)
    if found is None:
        return []
    written, network = found
    out: list[str] = []
    if written != network.network_address:
        one = f"{written}/{written.max_prefixlen}"
        out.append(f'{path}: CIDR value "{text}" is ambiguous in this context (should be "{network}" or "{one}"?)')
    head, _, bits = text.partition("/")
    if (len(bits) > 1 and bits[0] == "0") or (_QUAD.match(head) and _zeroes(head)) or sloppy_v4_in_6(head):
        out.append(f'{path}: non-standard CIDR value "{text}" is invalid: use "{network}"')
    if not out and network.version == 6 and str(network) != text:
        out.append(f'{path}: IPv6 CIDR value "{text}" should be in RFC 5952 canonical format ("{network}")')
    return out
