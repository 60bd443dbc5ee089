"""Finding bodies by the last word of their names: 公司, 大学, 局, 协会, 实验室 and the like."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice

from index.document import OrganisationType
from index.entities.places import LEGAL_FORMS, is_in_china, place_end, without_place
from index.entities.spans import Span
from index.entities.table import OrganisationTable
from index.entities.words import (
    HAN,
    ends_foreign,
    is_common_latin,
    is_generic,
    is_transliterated,
    read_words,
)

__all__ = ["find_by_suffix", "is_description", "split_body"]

_SUFFIXES: dict[OrganisationType, str] = {
    "company": f"{'|'.join(LEGAL_FORMS)}|公司|集团|银行|出版社",
    "institute": "大学|学院|研究院|研究所|科学院|实验室"
    "|(?:研究|测评|评测|检测|认证|应急|响应|情报|信息|处理|协调|审查|网络安全|发展|促进|举报|管理|创新"
    "|监测|评估|检验|预警|分析|防范|技术|大数据)中心",
    "government": "(?<![当布格结大全时僵破终战残骗])局|(?<![能客餐大展舞宴歌影门业])厅|总署"
    "|(?:保护|管理|审计|移民|情报|安全|执法)署|委员会"
    "|管委会|办公室|网信办|人民政府|[省市区县]政府(?![部机办网采工官])|法院|检察院"
    "|刑警组织|总队|支队|派出所|司令部|[省市区县]委|工委|经信委|教委|发改委|国资委|卫健委|国会|议会|大使馆|海关"
    "|(?:国防|司法|外交|财政|内政|国土安全|能源|商务|教育|卫生|交通|运输|情报|通信|经济|贸易|劳动|农业"
    "|内务|数字化转型|科技|工业|公安|安全|信息化|旅游)部",
    "association": "协会|学会|联盟|联合会|基金会|商会|促进会|研究会|专业委员会|专委会",
    "media": "(?<![0-9])日报|晚报|时报|邮报|电视台|广播电台|通讯社",
    "other": "国际机场|机场|医院|产业园",
}
# The characters of suffixes: where no two of them meet, a hundred alternatives need no trying.
_PARTS = "".join(sorted(set(re.findall(f"[{HAN}]", "".join(_SUFFIXES.values())))))
_SUFFIX = re.compile(
    f"(?=[局厅]|[{_PARTS}]{{2}})(?:"
    + "|".join(
        f"(?P<{type_}>{pattern})"
        # The longer of two that end together must come first: 专业委员会 before 委员会.
        for type_, pattern in sorted(
            _SUFFIXES.items(), key=lambda item: item[0] not in {"association", "institute"}
        )
    )
    + ")"
)
# What makes the suffix the beginning of another word.
_NO_SUFFIX = re.compile(
    "(?<=局)[域部面限势长麻]|(?<=署)[名理]|(?<=工委)会|(?<=厅)[长堂级]|(?<=法院)长|(?<=大学)(?:城|生(?![命物态]))|(?<=学会)[了用]|(?<=基金会)信托"
    "|(?<=集团)[军化伙]|(?<=银行)(?:[卡业家账间]|木马|恶意)|(?<=公司)法|(?<=部)[署分队长门件落位]"
    "|(?<=[市省区县]委)[托派员屈]|(?<=海关)系|(?<=学院)派|(?<=联盟)链|(?<=会)[员长议]|(?<=院)[长士]|(?<=医院)感"
)

_RUN = re.compile(rf"(?:[{HAN}A-Za-z0-9（）()·&\-]|(?<=[A-Za-z0-9.]) | (?=[A-Za-z]))+\Z")
_MOST = 10_000  # last words that are looked at; 300,000 characters can be a hundred thousand
_LONGEST = 30

_JOINED = f"(?!{'|'.join(read_words('joined.txt'))})"
# What is no part of a name, unless it stands inside a name of the table: 永信至诚.
_BREAK = re.compile(
    f"{'|'.join(read_words('breaks.txt'))}"
    "|[这该某每那][家个所]|[一两三四五六七八九十几多数0-9][家个所]"
    "|[的从被是了将把向给该此这到称说已让于或因但则也还某每至往您我你他她它们受、]|(?<![桑安])那"
    "|在(?!线)|(?<!自)由|对(?!外|抗)|并|(?<!土耳)其|以(?!色列|太)|(?<!数)据|使(?!馆)"
    "|(?<![高中初])等|(?<!华)为|有(?!限|色)"
    f"|[与及]{_JOINED}|和(?!平|田|浩){_JOINED}|(?<=[局署部厅院会])[与和及]"
    "|联合(?!国(?!家)|会|交易|通信|网络|大学|实验|创新|信用|资信)"
    "|(?<![限任])公司|(?<=国)前(?![海沿景程])|[0-9](?:号楼?|层|室|单元)"
    "|\\d{2,4}年(?:\\d{1,2}月)?(?:\\d{1,2}[日号])?|[昨今近当]日|日前|本周|上周|周[一二三四五六日]"
    "|指导(?!委|中)|通报(?!中)|支持(?!中)|调查(?!局|中|委|署)"
)
_OPEN_BRACKET = re.compile(r"[（(](?![^（()）]*[)）])")
_LATIN_HEAD = re.compile(
    r"(?<![A-Za-z0-9])(?P<word>[A-Za-z0-9]*[A-Z][A-Za-z0-9&.\-]*(?: [A-Z][A-Za-z0-9&.\-]*){0,3})"
    rf" ?(?P<rest>[{HAN}]{{0,8}})$"
)
# Kinds of bodies that are also found without a place or a known name before them.
_FREE = frozenset(
    {"大学", "研究院", "实验室", "联盟", "协会", "基金会", "集团", "出版社", "国际机场"}
)
# What is a name right after a place; 德国大学 is any university there.
_BARE = re.compile(
    "[省市区县](?:政府|委)|人民政府|国会|议会|大使馆|海关|大学|科学院|[一-龥]{1,2}委"
)
_BARE_ABROAD = re.compile("国会|议会|大使馆|海关|科学院|[一-龥]+部")
_NATIONAL = frozenset({"中国", "国家", "全国", "中央"})  # 中国信息安全测评中心 is a name
_STATE_CENTRES = frozenset({"测评中心", "评测中心", "检测中心", "认证中心"})
_COUNTED = re.compile("[家个所大些]|.?[0-9一二两三四五六七八九十百千数多几]+[余多]?[家个所]")
_MINISTRY = re.compile("[一-龥]{2}和[一-龥]{2,3}")  # 工业和信息化部, without a place before it
_STATE_TOPIC = re.compile("国家(?:地方联合|级)?(?:工程|重点|技术|工程技术)?$")
# What makes a description of a place's authorities: 天津市相关委办局.
_VAGUE = re.compile("相关|有关|各|多|某|当地|主管")


def split_body(name: str) -> tuple[str, OrganisationType] | None:
    """Return what stands before the last word of a body's name, and its type; None of no body."""
    ending = _whole(name)
    return (name[: ending.stem], ending.type) if ending else None


def is_description(name: str, table: OrganisationTable) -> bool:
    """Say whether a body's name only says where it is and what it does: 天津市相关委办局."""
    ending = _whole(name)
    span = _part_of_known(ending, {}, table) if ending else None
    return span is not None and span.name is None


@dataclass(frozen=True, slots=True)
class _Ending:
    """A suffix in a text, and how far to the left the name before it may reach."""

    text: str
    left: int
    stem: int
    end: int
    type: OrganisationType

    @property
    def suffix(self) -> str:
        return self.text[self.stem : self.end]


def find_by_suffix(text: str, known: Sequence[Span], table: OrganisationTable) -> Iterator[Span]:
    """Yield the bodies in `text` that the last word of their names gives away.

    `known` are the names of the table in this text: a body whose name begins with one of them is a
    part of that organisation, and counts for it.
    """
    heads = {span.start: span for span in known if span.name and not span.weak}
    inside = {place for span in heads.values() for place in range(span.start + 1, span.end)}
    covered = {span.end for span in known if span.name}
    for match in islice(_SUFFIX.finditer(text), _MOST):
        ending = _ending(text, match, heads, inside)
        if ending is None:
            continue
        span = _part_of_known(ending, heads, table)
        if not span and ending.end not in covered:
            span = _free_name(ending, table)
        if span and span.name:
            yield span


def _whole(name: str) -> _Ending | None:
    for match in _SUFFIX.finditer(name):
        if match.end() == len(name):
            type_: OrganisationType = match.lastgroup  # type: ignore[assignment]
            return _Ending(name, 0, match.start(), match.end(), type_)
    return None


def _ending(
    text: str, match: re.Match[str], heads: Mapping[int, Span], inside: Set[int]
) -> _Ending | None:
    if _NO_SUFFIX.match(text, match.end()):
        return None
    window = max(0, match.start() - _LONGEST)
    run = _RUN.search(text[window : match.start()])
    if not run:
        return None
    left = base = window + run.start()
    # The suffix is in sight, for what a break must not stand before: 调查 of 联邦调查局.
    for stop in _BREAK.finditer(text, base, match.end()):
        at, after = stop.span()
        if after > match.start() or at in inside:
            continue
        # 天地和兴科技有限公司: before a legal form, 和 joins unless another name begins there.
        joins = stop[0] in "和与及" and match[0] in LEGAL_FORMS and text[at - 2 : at] != "公司"
        if not joins or after in heads or place_end(text, after, match.start()):
            left = after
    for bracket in _OPEN_BRACKET.finditer(text, left, match.start()):
        left = bracket.end()
    type_: OrganisationType = match.lastgroup  # type: ignore[assignment]
    return _Ending(text, left, match.start(), match.end(), type_)


def _part_of_known(
    ending: _Ending, heads: Mapping[int, Span], table: OrganisationTable
) -> Span | None:
    """Return the name that begins with a name of the table or a place.

    A trap stands for "there is none, look no further".
    """
    text, stem, end = ending.text, ending.stem, ending.end
    for start in range(ending.left, stem + 1):
        head = heads.get(start)
        if head and head.type == "company" and ending.type == "government":
            continue  # 微软禁止以色列国防部…: companies have no ministries
        if head and head.end <= stem and head.type not in {"group", "media"}:
            return _span(ending, start, table, None if _stands_alone(ending, head) else head)
        place = place_end(text, start, stem)
        if not place or (start > ending.left and text[start - 1] in "（(东西南北"):
            continue
        if ends_foreign(text[ending.left : start]):  # 佛罗里达州立大学 is not in 达州
            continue
        body = text[place:stem]
        if text[start:place] == "国家" and _STATE_TOPIC.fullmatch(f"国家{body}"):
            # What kind of centre it is; its name stands before: 某某技术国家工程研究中心.
            return None if start > ending.left else Span(start, end, None)
        if body.count("）") + body.count(")") != body.count("（") + body.count("("):
            continue
        if body[:1].isascii() and body and ending.type == "company":
            return None  # 美国 Foo 公司: the name is Foo
        if not body:
            bare = _BARE if is_in_china(text[start:place]) else _BARE_ABROAD
            named = bare.fullmatch(ending.suffix) is not None
        else:
            where = text[start:place]
            by_topic = (
                (where in _NATIONAL and ending.suffix.endswith(("中心", "院", "所")))
                or (
                    ending.suffix in {"研究所", "研究院"}
                    and len(body) > 2
                    and not is_in_china(where)
                )
                # 武汉人工智能研究院, 北京创新产业投资有限公司: a topic, or what is registered.
                or (ending.suffix in {"研究院", *LEGAL_FORMS} and len(body) >= 4)
            )
            named = not is_generic(body) or (
                (ending.type in {"government", "association"} or by_topic)
                and not _VAGUE.match(body)
            )
        return _span(ending, start, table) if named else Span(start, end, None)
    return None


def _stands_alone(ending: _Ending, head: Span) -> bool:
    """Say whether a body whose name begins with that of another is no part of it."""
    if head.type == "company":
        # 中国移动通信联合会 is no part of 中国移动, nor 中国软件评测中心 of 中国软件.
        return ending.type in {"association", "media"} or ending.suffix in _STATE_CENTRES
    # 公安部第一研究所, 国务院新闻办公室; but the lab of a university is the university's.
    return head.type == "government" and ending.suffix != "部"


def _free_name(ending: _Ending, table: OrganisationTable) -> Span | None:
    """Return a name without a place: Latin, foreign, of legal form, or of a kind that names."""
    run = ending.text[ending.left : ending.stem].strip(" -·")
    start = ending.text.find(run, ending.left) if run else ending.stem
    if latin := _LATIN_HEAD.search(run):
        return _latin_name(ending, start + latin.start(), latin, table)
    if len(run) < 2 or not all(char.isalnum() or char in "（）()·-" for char in run):
        return None
    # 首个终端能力联盟, 20家企业集团: what is counted is described, not named.
    if is_generic(run) or (ending.left and _COUNTED.match(ending.text, ending.left - 1)):
        return None
    named = (
        ending.suffix in LEGAL_FORMS
        or (ending.suffix == "管委会" and len(run) <= 8)
        or (ending.suffix.endswith(("中心", "实验室")) and _STATE_TOPIC.search(run))
        or (is_transliterated(run) and ending.type not in {"media", "association"})
        or (ending.suffix == "医院" and run.endswith("附属"))
        or (ending.suffix in _FREE and len(run) <= 8 and run[0] not in "一两多几全第不")
    )
    return _span(ending, start, table) if named else None


def _latin_name(
    ending: _Ending, start: int, latin: re.Match[str], table: OrganisationTable
) -> Span | None:
    word, rest = latin["word"].strip(), latin["rest"]
    if is_common_latin(word) or ending.type in {"media", "government"}:
        return None
    if ending.suffix == "公司" and word.isupper() and rest and is_generic(rest):  # NLP相关公司
        return None
    known = table.find(word)
    if known and known.type == "group":  # Lazarus 黑客集团
        return Span(start, ending.end, known.name, known.type)
    if known and not rest and ending.suffix in {"公司", "集团"}:
        return Span(start, start + len(word), known.name, known.type)
    if not rest and ending.suffix == "公司":  # Foo 公司 is called Foo, Foo 集团 by both words
        return Span(start, start + len(word), word, ending.type)
    return _span(ending, start, table)


def _span(
    ending: _Ending, start: int, table: OrganisationTable, parent: Span | None = None
) -> Span:
    surface = ending.text[start : ending.end]
    known = table.find(surface)
    if not known and not parent and ending.type in {"company", "institute"}:
        known = table.find(without_place(surface) or surface)  # 南京东南大学
    if known:
        return Span(start, ending.end, known.name, known.type)
    if parent:
        return Span(start, ending.end, parent.name, parent.type)
    return Span(start, ending.end, _canonical(surface), ending.type)


def _canonical(surface: str) -> str:
    return (
        surface.replace("(", "（").replace(")", "）") if re.search(f"[{HAN}]", surface) else surface
    )
