"""Indicators of compromise in a text: IP addresses, domains, hashes and URLs.

What is written defanged is an indicator by its author's own act, unless it is an address of no
public network. What is written plain is one

- as an IP address: if it is public and neither a version nor a number of a section;
- as a hash: if it has the length of MD5, SHA-1, SHA-256 or SHA-512 and is neither the name of a
  commit nor a key, a token or a part of an address;
- as a domain or a URL: if it is nobody's well-known host, does not look like a file's name or like
  code, and its sentence speaks of an attack, or it stands in a list under such a heading or with
  other indicators, or it is a domain and all there is. What points to a source is none.

Names and addresses reserved for examples count where the words before call them indicators.
A URL counts as itself, its host not again; a port belongs to a URL only.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from index.document import Indicator
from index.entities.candidates import Candidate, candidates, may_hold_candidates
from index.entities.clues import (
    is_assigned,
    is_commit,
    is_hostile,
    is_labelled,
    is_named_file,
    is_named_host,
    is_of_file,
    is_reference,
    is_secret,
    is_source,
    is_version,
    leads_to_address,
    opens_indicators,
    opens_references,
    speaks_of_network,
)

__all__ = ["MOST_INDICATORS", "indicators"]

MOST_INDICATORS = 5000  # of one article: the longest lists seen have hundreds

_BEFORE, _AFTER = 60, 40  # characters of a sentence that can say what a candidate is
_SENTENCE_END = re.compile("[。；;！？!\t]")
# What stands between the members of a row: 受影响版本：9.6.1、9.6.0.1 和 9.5.1.3.
_BETWEEN = re.compile(r"(?::\d{1,5})?[\s、,，;；|和与及或到至/()（）“”\"'·•*~-]{0,8}")
_PORT = re.compile(r":\d{1,5}(?!\d)")
_NETWORK_SIZE = re.compile(r"/\d{1,2}(?![\d./])")
_WORDS = re.compile(r"[A-Za-z\u4e00-\u9fff]")
_FEW_WORDS = 16  # letters that a line of a list may have beside its indicators


def indicators(text: str) -> tuple[Indicator, ...]:
    """Return the indicators in `text`, canonical, in order of appearance, each once.

    Hosts and hashes are in lower case. There are at most MOST_INDICATORS.
    """
    found: dict[Indicator, None] = {}
    secrets = set()
    lines = text.split("\n")
    is_alone = sum(bool(line.strip()) for line in lines) == 1
    last = -2  # the last line that belongs to a list
    section = ""
    for number, line in enumerate(lines):
        if not may_hold_candidates(line):
            continue
        refanged, row = candidates(line)
        if not any(candidate.type for candidate in row):
            continue
        is_listed = _is_listed(refanged, row)
        previous = _previous(lines, number)
        if is_listed and is_alone:
            section = "alone"
        elif not is_listed or last < previous:
            section = _section(lines, number)
        for candidate, before, after in _surroundings(refanged, row):
            if candidate.type == "hash":
                told = before if before.strip() or previous < 0 else lines[previous][-_BEFORE:]
                if is_commit(told) or is_secret(told, after):
                    secrets.add(candidate.value)
            if _is_indicator(candidate, before, after, section if is_listed else "", is_listed):
                assert candidate.type is not None  # noqa: S101
                found[Indicator(type=candidate.type, value=candidate.value)] = None
                if is_listed and (candidate.defanged or candidate.type in ("hash", "ip")):
                    section = section or "indicators"
        if is_listed:
            last = number
        if len(found) >= MOST_INDICATORS:
            break
    # What an article once calls a key stays one where it only repeats it.
    kept = (one for one in found if one.type != "hash" or one.value not in secrets)
    return tuple(kept)[:MOST_INDICATORS]


def _previous(lines: list[str], number: int) -> int:
    """Return the number of the line before that is not empty, or -1."""
    for previous in range(number - 1, max(-1, number - 4), -1):
        if lines[previous].strip():
            return previous
    return -1


def _section(lines: list[str], number: int) -> str:
    previous = _previous(lines, number)
    if previous >= 0 and not may_hold_candidates(lines[previous]):
        if opens_indicators(lines[previous]):
            return "indicators"
        if opens_references(lines[previous]):
            return "references"
    return ""


def _is_listed(line: str, row: list[Candidate]) -> bool:
    """Say whether a line is one of a list: it has hardly a word beside the candidates."""
    words = len(_WORDS.findall(line[: row[0].start])) + len(_WORDS.findall(line[row[-1].end :]))
    for left, right in pairwise(row):
        words += len(_WORDS.findall(line, left.end, right.start))
    return words <= _FEW_WORDS and "。" not in line


def _surroundings(line: str, row: list[Candidate]) -> Iterator[tuple[Candidate, str, str]]:
    """Give each candidate with what its sentence says before and behind it.

    Candidates that stand in a row share what stands around the row.
    """
    first = 0
    for place, candidate in enumerate(row):
        following = row[place + 1] if place + 1 < len(row) else None
        if following and _BETWEEN.fullmatch(line, candidate.end, following.start):
            continue
        before = line[max(0, row[first].start - _BEFORE) : row[first].start]
        ends = list(_SENTENCE_END.finditer(before))
        before = before[ends[-1].end() :] if ends else before
        behind = _PORT.match(line, candidate.end)
        end = behind.end() if behind else candidate.end
        after = _SENTENCE_END.split(line[end : end + _AFTER], maxsplit=1)[0]
        for member in row[first : place + 1]:
            yield member, before, after
        first = place + 1


def _is_indicator(
    candidate: Candidate, before: str, after: str, section: str, is_listed: bool
) -> bool:
    if candidate.type is None or candidate.owner == "private":
        return False
    if candidate.type == "hash":
        return section == "indicators" or is_of_file(before, after)
    if candidate.defanged:
        return True
    if candidate.owner == "known" and candidate.type != "ip":
        return False
    if candidate.owner != "unknown":
        return is_labelled(before)
    if candidate.type == "ip":
        return _is_address(candidate, before, after)
    if candidate.looks_like == "code":
        return is_named_host(before, after)
    if candidate.type == "domain" and is_named_file(before):
        return False
    if section == "indicators":
        return True
    if candidate.looks_like == "address":
        return is_hostile(before, after) or leads_to_address(before, after) or is_listed
    if section == "references" or is_source(before) or after.startswith("邮箱"):
        return False
    if candidate.looks_like == "program" or (section == "alone" and candidate.type == "domain"):
        return True
    if is_reference(before) or not is_hostile(before, after):
        return False
    return candidate.type == "domain" or leads_to_address(before, after)


def _is_address(candidate: Candidate, before: str, after: str) -> bool:
    if is_version(before, after) or is_assigned(before) or _NETWORK_SIZE.match(after):
        return False
    return candidate.looks_like != "version" or speaks_of_network(before, after)
