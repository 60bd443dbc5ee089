"""Host names: which strings are one, and whose.

A file name, a package of Java and a variable's attribute look like hosts too.
"""

import re
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import pairwise
from typing import Literal

from index.entities.words import read_words

__all__ = [
    "Address",
    "Owner",
    "is_code",
    "is_host_name",
    "owner_of_address",
    "owner_of_host",
    "read_address",
]

Address = IPv4Address | IPv6Address
Owner = Literal["unknown", "known", "reserved", "private"]
"""Whose a host is: somebody's, a well-known one, reserved for examples, or of no public network."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_LONGEST = 253

# Names that RFC 2606 keeps for examples, and those that authors make up for them.
_RESERVED_LABELS = frozenset({"example", "test", "invalid", "localhost"})
_PUBLIC_LABELS = frozenset({"ac", "edu", "gob", "gov", "gouv", "mil"})  # gov.cn, ac.uk
_PLACEHOLDER = re.compile(
    "(?:your|my)?-?(?:domain|site|website|company|server|host)|example|evil|attacker|victim|target|"
    "hacker|malicious|redacted|test|foo|bar|abc|a{3,}|x{3,}|123"
)
_RESERVED_NETWORKS = tuple(
    IPv4Network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)
_RESERVED_NETWORK_6 = IPv6Network("2001:db8::/32")
# Resolvers that everybody may use: where an article names one, it configures a network.
_RESOLVERS = frozenset(
    {
        "8.8.8.8",
        "8.8.4.4",
        "1.1.1.1",
        "1.0.0.1",
        "9.9.9.9",
        "208.67.222.222",
        "208.67.220.220",
        "114.114.114.114",
        "114.114.115.115",
        "223.5.5.5",
        "223.6.6.6",
        "119.29.29.29",
        "180.76.76.76",
        "1.2.4.8",
    }
)

# Top-level domains that are endings of files, or classes, more often than of a host of two labels.
_FILE_ENDINGS = frozenset(
    {
        "am",
        "ax",
        "bz",
        "cab",
        "docs",
        "foo",
        "java",
        "la",
        "map",
        "md",
        "mk",
        "mm",
        "mov",
        "pl",
        "properties",
        "ps",
        "py",
        "rs",
        "sh",
        "so",
        "vi",
        "zip",
    }
)
_PLAIN_WORD = re.compile("[A-Za-z_]{1,12}")
# Reversed names: com.example.app. Hosts begin with "cn" or "app" as well: those are not here.
_PACKAGE_ROOTS = frozenset(
    {
        "android",
        "androidx",
        "com",
        "dalvik",
        "jakarta",
        "java",
        "javax",
        "jdk",
        "kotlin",
        "net",
        "org",
        "sun",
    }
)


def is_host_name(labels: list[str]) -> bool:
    """Say whether labels make a host name below a top-level domain or a reserved one."""
    last = labels[-1].lower()
    return (
        len(labels) > 1
        and sum(map(len, labels)) + len(labels) - 1 <= _LONGEST
        and (last in _top_level_domains() or last in _RESERVED_LABELS)
        and all(map(_LABEL.fullmatch, labels))
        # Of a name that is registered digits alone are too common in numbering: 3.in, 12.to.
        and not (labels[-2].isdigit() and len(labels[-2]) < 3)
    )


def is_code(labels: list[str]) -> bool:
    """Say whether what could be a host name looks more like a file, a package or an attribute."""
    first, last = labels[0], labels[-1]
    if any(label != label.lower() for label in labels):
        return True  # System.IO, and brands: Crypto.com
    if len(labels) > 2:
        return first in _PACKAGE_ROOTS
    return (
        last in _FILE_ENDINGS
        or first in _code_stems()
        or len(first) == 1
        or (last in _code_endings() and bool(_PLAIN_WORD.fullmatch(first)))
    )


def owner_of_host(host: str) -> Owner:
    """Tell whose a host name is, in lower case."""
    labels = host.split(".")
    if labels[-1] in _RESERVED_LABELS or _PLACEHOLDER.fullmatch(labels[-2]):
        return "reserved"
    known = _known_hosts()
    if len(labels[-1]) == 2 and labels[-2] in _PUBLIC_LABELS:
        return "known"
    if any(".".join(labels[depth:]) in known for depth in range(len(labels))):
        return "known"
    return "unknown"


def read_address(text: str) -> Address | None:
    """Return the address that a text spells, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def owner_of_address(address: Address) -> Owner:
    """Tell whose an address is."""
    if address in _RESERVED_NETWORK_6 or any(address in network for network in _RESERVED_NETWORKS):
        return "reserved"
    if not address.is_global or address.is_multicast or address.is_reserved:
        return "private"
    if _is_made_up(address):
        return "reserved"
    return "known" if str(address) in _RESOLVERS else "unknown"


def _is_made_up(address: Address) -> bool:
    """Say whether an address is one that authors type for an example: 1.2.3.4, 6.6.6.6."""
    return address.version == 4 and {b - a for a, b in pairwise(address.packed)} in ({0}, {1})


@cache
def _top_level_domains() -> frozenset[str]:
    return frozenset(read_words("tlds.txt"))


@cache
def _known_hosts() -> frozenset[str]:
    return frozenset(read_words("known_hosts.txt"))


@cache
def _code_stems() -> frozenset[str]:
    return frozenset(read_words("code_stems.txt"))


@cache
def _code_endings() -> frozenset[str]:
    return frozenset(read_words("code_endings.txt"))
