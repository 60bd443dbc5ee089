"""Forwarded headers: believed from trusted proxies, dropped from everybody else."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from index.settings import Network

__all__ = ["DIRECT", "PEER", "address_of", "behind_proxies", "client_of"]

Address = IPv4Address | IPv6Address

PEER = "anwen.peer"
"""The key of an environment under which the address stands that the connection came from."""

DIRECT = "anwen.direct"
"""The key under which stands whether no proxy that is not trusted has forwarded the request."""

_FORWARDED = (
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"),
    *("HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_REAL_IP", "HTTP_FORWARDED"),
    *("HTTP_VIA", "HTTP_X_REQUEST_ID"),
)
# What only a proxy writes; a program that asks directly may well name its request.
_TELLING = frozenset(_FORWARDED) - {"HTTP_X_REQUEST_ID"}
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_WITH_PORT = re.compile(r"(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?")
_MOST = 50  # addresses of one header that are looked at


def behind_proxies(application: WSGIApplication, trusted: Sequence[Network]) -> WSGIApplication:
    """Return an application that sees the client where a trusted proxy forwards its request.

    Address, scheme and host are those that the proxy tells. From every other peer headers that tell
    such things are taken away, so that nothing within can believe them.
    """

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        peer = environ[PEER] = str(environ.get("REMOTE_ADDR") or "")
        present = [name for name in _FORWARDED if name in environ]
        is_trusted = bool(trusted) and _is_trusted(peer, trusted)
        environ[DIRECT] = is_trusted or not _TELLING.intersection(present)
        if present and is_trusted:
            _believe(environ, trusted)
        for name in present:
            if name != "HTTP_X_REQUEST_ID" or not is_trusted:
                del environ[name]
        return application(environ, start)

    return answer


def _believe(environ: WSGIEnvironment, trusted: Sequence[Network]) -> None:
    peer = environ[PEER]
    environ["REMOTE_ADDR"], hops = client_of(peer, environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)
    scheme = _told(environ, "HTTP_X_FORWARDED_PROTO", hops).lower()
    if scheme in ("http", "https"):
        environ["wsgi.url_scheme"] = scheme
    host = _told(environ, "HTTP_X_FORWARDED_HOST", hops)
    if _HOST.fullmatch(host):
        environ["HTTP_HOST"] = host


def client_of(peer: str, forwarded: str, trusted: Sequence[Network]) -> tuple[str, int]:
    """Return the address of the client, and how many trusted proxies stand before it.

    `forwarded` is the value of X-Forwarded-For, where each proxy adds at the right whom it was
    asked by. What stands left of the first address that is not trusted anybody may have written.
    """
    client, hops = peer, 0
    if not _is_trusted(peer, trusted):
        return client, hops
    hops = 1
    for text in reversed(forwarded.split(",")[-_MOST:]):
        address = address_of(text)
        if address is None:
            break  # the last proxy that made sense is the nearest that is known of the client
        client = str(address)
        if not _is_trusted(client, trusted):
            break
        hops += 1
    return client, hops


@lru_cache(1024)
def address_of(text: str) -> Address | None:
    """Return the address that a text is, perhaps with a port; None for any other text."""
    written = _WITH_PORT.fullmatch(text.strip())
    plain = (written[1] or written[2]) if written else text.strip()
    try:
        address = ip_address(plain)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    address = address_of(text)
    return address is not None and any(address in network for network in trusted)


def _told(environ: WSGIEnvironment, name: str, hops: int) -> str:
    """Return what the proxy next to the client tells; proxies write one value, or add theirs."""
    values = [value.strip() for value in str(environ.get(name, "")).split(",")]
    return values[-min(hops, len(values))]
