"""Names on no list: what the sequence model finds, weighed over all places in the article.

The model sees one place at a time and is often misled; a name is believed when what stands
beside it speaks for an organisation on the whole. The lead of a name is the sum of its leads over
"no organisation" at each place, by the square root of the number of places and of its units, so
that neither a long name nor a frequent one wins by that alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from math import inf

from index.analysis.segmenter import Segmenter, open_segmenter
from index.document import FieldName, OrganisationType
from index.entities.names import has_borders
from index.entities.places import place_end
from index.entities.spans import Span
from index.entities.suffixes import is_description, split_body
from index.entities.table import OrganisationTable
from index.entities.tagging import Tagger, Tagging
from index.entities.words import HAN, is_common_latin, is_generic, is_person, is_term

__all__ = ["unlisted_names"]

# Leads from which a name is believed: of the labelled articles, most names above are right.
_LEAST: Mapping[str, float] = {"latin": 25.0, "acronym": 45.0, "han": 60.0, "body": 50.0}
_TYPES: Mapping[str, OrganisationType] = {
    "company": "company",
    "body": "other",
    "media": "media",
    "group": "group",
}
_FEW = 4  # Han characters of a line that is Chinese
_NEAR = 200  # characters of a line on either side
_LONGEST = 40  # characters of a name
_MOST_WORDS = 5  # of a Latin name
_MOST_PLACES = 10_000  # of all names that are weighed
_CHINESE = re.compile(f"(?:[^{HAN}]*+[{HAN}]){{{_FEW}}}")
_LATIN = re.compile("[A-Za-z]")
_DESCRIBED = re.compile("[某这该各本外]|[0-9一两几数多十百千]+[余多]?[家个所]")
# How Latin letters and Han characters make one name: Foo网络, 某某CERT, 360安全团队.
_MIXED = re.compile(
    rf"[A-Za-z0-9.&\-]+ ?[{HAN}]{{2,8}}"
    rf"|[{HAN}]{{2,4}} ?(?:[A-Z]+[a-z]*)?(?:CERT|SRC|Labs?|LAB|Team)"
    rf"|[{HAN}]{{2,}}[A-Z]{{1,4}}[{HAN}]+"
)
_GLOSS = re.compile('[(（](?:以下|下)?(?:简称|又称|英文名?)?(?:为|是)?[:：]? ?[“"]?$')
_EDGES = "‘’“”'\"《》【】「」『』·-_. "
_PARTICLE = re.compile("^[据与和由对被从向在如及将]")
_TITLE = "官|师|员|CEO|CTO|CISO|总裁|经理|教授|博士|主管|总监|创始人|发言人"
_ACRONYM = re.compile("[A-Z]{2,4}")
# camelCase, file names, techniques; and kana, which are of another language.
_NO_NAME = re.compile(
    "[a-z]{2,}[A-Z]|.*\\.(?:sol|py|js|exe)$|.*(?:技术|[母子分]公司)$|.*[*#<>{}|=]|.*[\u3040-\u30ff]"
)
_AFTER_NAME = re.compile("(?:公司|组织|团伙|集团)$")
_OF_A_TEAM = re.compile(
    "(?:安全|威胁情报|应急响应|研究)?(?:团队|实验室|研究院)$|(?:科技|安全|信息|网络|数据|智能|软件|技术|集团|公司|组织|团伙)+$"
)


def unlisted_names(
    texts: Mapping[FieldName, str],
    candidates: Mapping[FieldName, Sequence[Span]],
    spans: Mapping[FieldName, Sequence[Span]],
    table: OrganisationTable,
) -> dict[str, Span]:
    """Return names that the model finds where no candidate stands, not even a trap.

    It is told the `spans` that were chosen among the candidates.
    """
    text = "\n".join(texts.values())
    covered: set[int] = set()
    known: list[tuple[int, int, str]] = []
    offset = 0
    for field, part in texts.items():
        for span in candidates[field]:
            covered.update(range(span.start + offset, span.end + offset))
        known += (
            (span.start + offset, span.end + offset, span.type)
            for span in spans[field]
            if not span.weak
        )
        offset += len(part) + 1
    tagging = _tagger().tag(text, known)
    surfaces: dict[str, None] = {}
    for name in tagging.names():
        if (
            name.type != "none"
            and covered.isdisjoint(range(name.start, name.end))
            and not _is_gloss(text, name.start)
        ):
            surfaces[_trimmed(text[name.start : name.end])] = None
    names = [each for each in surfaces if _may_name(each, table) and not _is_person(each, text)]
    found: dict[str, Span] = {}
    for surface in names:
        if type_ := _believed(surface, text, tagging, _MOST_PLACES // len(names)):
            found[surface] = Span(0, 0, surface, type_)
    return found


@cache
def _tagger() -> Tagger:
    return Tagger.load(_segmenter())


@cache
def _segmenter() -> Segmenter:
    return open_segmenter(())


def _trimmed(surface: str) -> str:
    """Return the name without the word before it and the common noun after it: 据美国 Foo 公司."""
    surface = surface.strip(_EDGES)
    if len(surface) > 3:
        surface = _PARTICLE.sub("", surface)
    if not _LATIN.search(surface):
        return surface
    place = place_end(surface, 0, len(surface))
    if place and _LATIN.match(surface[place:].lstrip()):
        surface = surface[place:].lstrip()
    return _AFTER_NAME.sub("", surface).rstrip()


def _is_gloss(text: str, start: int) -> bool:
    """Say whether a name in brackets only puts a term in other words: 协议服务（Foo Service）."""
    bracket = _GLOSS.search(text, max(0, start - 8), start)
    return bracket is not None and not split_body(text[max(0, start - 16) : bracket.start()])


def _is_person(surface: str, text: str) -> bool:
    """Say whether a single Latin word stands behind a given name, or a title and another word."""
    if not surface.isalpha() or not surface.isascii():
        return False
    before = re.compile(
        rf"(?P<title>{_TITLE})? ?(?P<first>[A-Z][a-z]+) (?:[A-Z]\. ?)?{surface}\b", re.A
    )
    return any(
        match["title"] or is_person(f"{match['first']} {surface}")
        for match in before.finditer(text)
    )


def _may_name(surface: str, table: OrganisationTable) -> bool:
    """Say whether a name can be that of an organisation, whatever stands beside it."""
    if not 2 <= len(surface) <= _LONGEST:
        return False
    if "\n" in surface or is_generic(surface) or _DESCRIBED.match(surface):
        return False
    if table.find(surface):  # its own rules have decided
        return False
    if _LATIN.search(surface):
        if re.search(f"[{HAN}]", surface) and not _MIXED.fullmatch(surface):
            return False
        if _NO_NAME.match(surface) or (surface[0].islower() and " " in surface):
            return False
        if surface.count(" ") >= _MOST_WORDS:
            return False
        latin = " ".join(re.findall(r"[A-Za-z0-9.&'’\-]+", surface))
        return not (
            is_common_latin(latin)
            or is_term(latin)
            or is_person(latin)
            or any(table.find(word) for word in surface.split() if word != surface)
        )
    if body := split_body(surface):
        stem, type_ = body
        if not stem:
            return False
        if is_description(surface, table):
            return False
        if place_end(stem, 0, len(stem)):
            return True
        # 产业联盟 and 能力联盟 describe; of a ministry the description is the name: 文化和旅游部.
        is_word = len(stem) == 2 and _segmenter().is_known(stem)
        return not is_word and (type_ == "government" or not is_generic(stem))
    return _is_coined(_OF_A_TEAM.sub("", surface))


def _is_coined(stem: str) -> bool:
    """Say whether a stem is no word of the language, nor words side by side."""
    words = _segmenter().cut(stem)
    return bool(words) and not (len(words[0]) > 1 and _segmenter().is_known(words[0]))


def _believed(surface: str, text: str, tagging: Tagging, most: int) -> OrganisationType | None:
    """Return the type of a name whose lead over its first `most` places is enough, or None."""
    lead, class_ = _lead(surface, text, tagging, most)
    body = split_body(surface)
    is_latin = _LATIN.search(surface) is not None
    if class_ == "body" and not is_latin and not body:
        return None
    kind = "latin" if is_latin else "body" if class_ == "body" else "han"
    if lead < _LEAST["acronym" if _ACRONYM.fullmatch(surface) else kind]:
        return None
    return body[1] if body else _TYPES[class_]


def _lead(surface: str, text: str, tagging: Tagging, most: int) -> tuple[float, str]:
    """Return by how much a name leads, over its first `most` places, and its class."""
    places = list(islice(_places(surface, text), most))
    leads = [lead for start, end in places if (lead := tagging.leads(start, end))]
    if not leads or all(tagging.cuts_words(*place) for place in places):
        return -inf, "company"
    sums = {class_: sum(lead[class_] for lead in leads) for class_ in _TYPES}
    gain = sum(max(lead[each] for each in _TYPES) - max(0.0, lead["none"]) for lead in leads)
    units = len(re.findall(f"[{HAN}]|[A-Za-z0-9]+|[^{HAN}A-Za-z0-9 ]", surface))
    return gain / (len(leads) * units) ** 0.5, max(sums, key=sums.__getitem__)


def _in_chinese(text: str, start: int, end: int) -> bool:
    """Say whether the line of a place has a few Han characters; code and quoted English do not."""
    first, last = max(0, start - _NEAR), end + _NEAR
    line = text[max(first, text.rfind("\n", first, start) + 1) : start]
    line += text[end:last].partition("\n")[0]
    return _CHINESE.match(line) is not None


def _places(surface: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(surface)
    while start >= 0:
        end = start + len(surface)
        is_alone = has_borders(text, start, end) and text[start - 1 : start] != "-"
        if is_alone and _in_chinese(text, start, end):
            yield start, end
        start = text.find(surface, end)
