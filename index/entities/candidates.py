"""Candidates for indicators in a line: what has the shape of one, whatever the words around say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.document import IndicatorType
from index.entities.defang import COLON, DOT, refang
from index.entities.hosts import (
    Owner,
    is_code,
    is_host_name,
    owner_of_address,
    owner_of_host,
    read_address,
)

__all__ = ["HASH_LENGTHS", "Candidate", "candidates", "may_hold_candidates"]

HASH_LENGTHS = frozenset({32, 40, 64, 128})  # MD5, SHA-1, SHA-256, SHA-512
_FEWEST_DIGITS = 8  # different ones in a hash: 32 drawn at random have 14, a pattern a handful
_PADDING = re.compile(r"(.)\1{7}")  # numbers and addresses of a chain are filled up to its length

# One of these stands in every line with an indicator; most lines of an article have none.
_PREFILTER = re.compile(
    r"[.．][0-9A-Za-z０-９Ａ-Ｚａ-ｚ\])}】）］｝ ]|[0-9A-Fa-f]{32}|:[0-9A-Fa-f:\]]|[0-9]。[0-9]"
    r"|(?:dot|DOT|点)[ \])}】）］｝]|[xX*]p",
)

_LONGEST_URL = 2000
_URL = re.compile(
    rf"(?<![A-Za-z0-9])(?P<scheme>h(?:tt|xx)ps?|f[tx]ps?)://"
    rf"(?P<rest>(?:(?![,;|](?:h(?:tt|xx)p|f[tx]p))[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%{{}}{DOT}{COLON}]){{1,{_LONGEST_URL}}})"
)
_AUTHORITY = re.compile(
    rf"(?:[^/?#@]*@)?(?P<host>\[[0-9A-Fa-f:.{DOT}{COLON}]+\]|[A-Za-z0-9._\-{DOT}]+)"
    rf"(?P<port>[:{COLON}]\d{{1,5}})?(?=[/?#]|$)"
)
_TOKEN = re.compile(
    rf"(?<![A-Za-z0-9_.\-{DOT}])"
    rf"(?:[A-Za-z0-9](?:[A-Za-z0-9_\-])*+(?:[.{DOT}][A-Za-z0-9_\-]++)++"
    rf"|[0-9A-Fa-f]{{32,128}}(?![A-Za-z0-9_]))"
)
_IPV6 = re.compile(
    rf"(?<![A-Za-z0-9_:.{COLON}])[0-9A-Fa-f]{{1,4}}[:{COLON}][0-9A-Fa-f:{COLON}]{{2,60}}+"
    r"(?![A-Za-z0-9_.])"
)
_DOTS = re.compile(f"[.{DOT}]")
_PATH_END = re.compile(r"[.,;:!?*]+$")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_PROGRAM = re.compile(
    r"\.(?:exe|dll|apk|ipa|msi|ps1|bat|vbs|hta|elf|bin|scr|lnk)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A piece of a line, from `start` to `end`, that has the shape of an indicator.

    `value` is canonical. The type is None where the piece only stands in a row with others, such as
    a version of three numbers. `looks_like` names what else it may be.
    """

    start: int
    end: int
    type: IndicatorType | None
    value: str
    defanged: bool = False
    owner: Owner = "unknown"
    looks_like: str = ""


def may_hold_candidates(line: str) -> bool:
    """Say, at little cost, whether `candidates` could find something in a line."""
    return _PREFILTER.search(line) is not None


def candidates(line: str) -> tuple[str, list[Candidate]]:
    """Return the line refanged, and the candidates in it, in their order."""
    text = refang(line)
    found = []
    pieces: list[str] = []
    last = 0
    for match in _URL.finditer(text):
        candidate = _url(match)
        if candidate:
            found.append(candidate)
            pieces += (text[last : candidate.start], " " * (candidate.end - candidate.start))
            last = candidate.end
    rest = "".join((*pieces, text[last:]))
    found += _tokens(rest)
    if ":" in rest or COLON in rest:
        found += _addresses_6(rest)
    found.sort(key=lambda candidate: candidate.start)
    return text, found


def _url(match: re.Match[str]) -> Candidate | None:
    rest = _trimmed(match["rest"])
    authority = _AUTHORITY.match(rest)
    if not authority:
        return None
    host = authority["host"].replace(DOT, ".").replace(COLON, ":").lower().rstrip(".")
    address = read_address(host.strip("[]"))
    if address is None and not is_host_name(host.split(".")):
        return None
    scheme = match["scheme"].lower()
    path = rest[authority.end() :].replace(DOT, ".").replace(COLON, ":")
    port = (authority["port"] or "").replace(COLON, ":")
    return Candidate(
        start=match.start(),
        end=match.start("rest") + len(rest),
        type="url",
        value=f"{scheme.replace('x', 't')}://{host}{port}{path}",
        defanged="x" in scheme or DOT in authority[0] or COLON in authority[0],
        owner=owner_of_address(address) if address else owner_of_host(host),
        looks_like="address" if address else "program" if _PROGRAM.search(path) else "",
    )


def _trimmed(rest: str) -> str:
    """Cut off what the sentence around an address has added to its end."""
    slash = rest.find("/")
    if slash >= 0 and (bracket := rest.find("[", slash)) >= 0:
        rest = rest[:bracket]
    while True:
        shorter = _PATH_END.sub("", rest)
        opening = _PAIRS.get(shorter[-1:])
        if opening and shorter.count(shorter[-1]) > shorter.count(opening):
            shorter = shorter[:-1]
        if shorter == rest:
            return rest
        rest = shorter


def _tokens(text: str) -> Iterator[Candidate]:
    for match in _TOKEN.finditer(text):
        token = match[0].rstrip("-_.")
        start, end = match.start(), match.start() + len(token)
        before = text[start - 1] if start else ""
        after = text[end : end + 1]
        labels = _DOTS.split(token)
        if len(labels) == 1:
            if before not in ("\\", "/"):
                yield _hash(token, start, end)
        elif all(label.isdigit() for label in labels):
            yield _address(token, labels, start, end)
        elif before != "@" and after != "@":
            yield _host(token, labels, start, end, before, after)


def _hash(token: str, start: int, end: int) -> Candidate:
    digits = token.lower()
    fits = (
        len(digits) in HASH_LENGTHS
        and len(set(digits)) >= _FEWEST_DIGITS
        and not _PADDING.search(digits)
        and not digits.isdigit()
        and not digits.isalpha()
    )
    return Candidate(start=start, end=end, type="hash" if fits else None, value=digits)


def _address(token: str, labels: list[str], start: int, end: int) -> Candidate:
    address = read_address(".".join(labels)) if len(labels) == 4 else None
    if address is None:
        return Candidate(start=start, end=end, type=None, value=token)
    # A row of small numbers, or one that ends in zero, is a version as often as an address.
    small = max(map(int, labels)) <= 60 or labels[-1] == "0"
    return Candidate(
        start=start,
        end=end,
        type="ip",
        value=str(address),
        defanged=DOT in token,
        owner=owner_of_address(address),
        looks_like="version" if small else "",
    )


def _addresses_6(text: str) -> Iterator[Candidate]:
    for match in _IPV6.finditer(text):
        written = match[0].rstrip(":")
        address = read_address(written.replace(COLON, ":"))
        if address:
            yield Candidate(
                start=match.start(),
                end=match.start() + len(written),
                type="ip",
                value=str(address),
                defanged=COLON in written,
                owner=owner_of_address(address),
            )


def _host(
    token: str, labels: list[str], start: int, end: int, before: str, after: str
) -> Candidate:
    defanged = DOT in token
    fits = is_host_name(labels) and (defanged or (before not in "/\\%$&#=~" if before else True))
    in_code = bool(after) and after in "(=[<"
    host = ".".join(labels).lower()
    return Candidate(
        start=start,
        end=end,
        type="domain" if fits else None,
        value=host,
        defanged=defanged,
        owner=owner_of_host(host) if fits else "unknown",
        looks_like="code" if fits and not defanged and (in_code or is_code(labels)) else "",
    )
