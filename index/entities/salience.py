"""Salience: whether an organisation acts in the story, or is only mentioned in passing.

Each place that names it is weighed by what stands beside it. To stand in the headline is enough;
else the signs are added up: it says or does something, something is done to it, it hosts or signs;
against it, that it only employs a speaker, or did so once.
"""

import re
from collections.abc import Iterable, Mapping

from index.document import FieldName, OrganisationType
from index.entities.names import SAID
from index.entities.spans import Span, sentence_bounds

__all__ = ["is_salient"]

_ENOUGH = 2
_EARLY = 250  # characters of the body
_OFTEN = 3  # places
_NEAR = 200  # characters of a sentence on either side
_HEADLINE = 48  # characters of a line, in a digest of several stories

_CLOSE = r"\s?(?:[（(][^（()）]{1,40}[)）])?[”\"」』》]?\s?"
_STAFF = (
    r"(?:的)?(?:公司|集团|官方|方面|平台|团队|实验室|研究团队|安全团队|威胁情报|安全|研究人员|研究员|专家"
    r"|分析师|发言人|工程师|CEO|首席执行官|创始人|高管|律师)*+"
)
_ACTS = re.compile(
    rf"{_CLOSE}{_STAFF}[^，。；、\n]{{0,6}}?(?:{SAID}|发现|观察到|监测到|检测到|捕获|分析了|追踪|分享|归因|报告"
    "|称|说|认为|建议|计划|决定|推出|开源|更新|修补|撤回|暂停|关闭|支持|提供|开发|举办|举行|主办|承办|联合|携手"
    "|荣获|入选|获评|获得|中标|完成|加入|成立|签署|通报|印发|查处|抓获|打掉|破获|判处|裁定|要求|禁止|批准)"
)
_HIT_AFTER = re.compile(
    rf"{_CLOSE}(?:公司|集团|的[^，。；、\n]{{0,12}}?)?(?:也|已|还|均|近日|日前)?(?:遭|被|受到|成为[^，。\n]{{0,6}}(?:目标|受害)"
    "|数据泄露|用户数据|泄露|泄漏|宕机|中断|瘫痪)"
)
_HIT_BEFORE = re.compile(
    "(?:攻击|入侵|攻破|针对|冒充|伪装成|仿冒|收购|并购|起诉|指控|罚款|处罚|窃取|勒索|影响|逮捕|制裁|封禁|下架"
    r"|瞄准|涉及|滥用|利用)了?(?:的|包括|美国|英国|法国|日本|俄罗斯|中国|知名|[^，。；、\n]{0,4}(?:公司|巨头|厂商|供应商))?\s?[“\"]?$"
)
_HOSTS_BEFORE = re.compile(r"(?:由|与|携手|联合|和|、|及)\s?[“\"]?$")
_HOSTS = re.compile(
    "主办|承办|协办|指导下|联合发布|联合发起|共同发布|共同发起|签约|签署|达成|合作|入选|上榜|荣获|获奖|获评|牵头|编制|起草"
)
_AFFECTED = re.compile("泄露|泄漏|遭到|遭受|遭遇|受影响|受害|入侵|窃取|瘫痪")
_SPEAKER = re.compile(
    rf"{_CLOSE}[^，。；、\n]{{0,14}}?(?:院长|教授|总监|总裁|总经理|主任|局长|司长|处长|理事长|会长|秘书长|院士|专家"
    r"|博士|首席|CEO|CTO|CISO|CSO|负责人|合伙人|联合创始人|创始人|高级|董事)"
)
_SPOKE = re.compile("表示|指出|认为|称|说|警告|透露|介绍")
_PAST = re.compile(r"(?:曾任|曾在|前|原|毕业于|供职于|任职于|来自|比肩|类似|竞争对手)\s?$")
_CITED = re.compile(r"(?:据|根据|按照|依据|引用|援引|贯彻落实|《)\s?[^，。\n]{0,10}$")


def is_salient(
    type_: OrganisationType,
    places: Iterable[tuple[FieldName, Span]],
    texts: Mapping[FieldName, str],
) -> bool:
    """Say whether an organisation named at `places`, each a field and a span, acts in the story."""
    places = list(places)
    fields = {field for field, _ in places}
    if "title" in fields:
        return True
    if type_ == "media":  # most often only the source of a report
        return False
    signs = sum(_signs(texts[field], span, is_body=field == "body") for field, span in places[:12])
    if "lead" in fields:
        signs += 2
    if len(places) >= _OFTEN:
        signs += 1
    if places[0][0] == "body" and places[0][1].start < _EARLY:
        signs += 2
    if type_ == "group":  # who attacks is seldom named in passing
        signs += 1
    return signs >= _ENOUGH


def _signs(text: str, span: Span, *, is_body: bool) -> int:
    before = text[max(0, span.start - 24) : span.start]
    if _PAST.search(before):
        return -1
    first, last = sentence_bounds(text, span)
    first, last = max(first, span.start - _NEAR), min(last, span.end + _NEAR)
    signs = 0
    if _ACTS.match(text, span.end):
        signs += 2
    elif _SPEAKER.match(text, span.end):
        signs += 1 if _SPOKE.search(text, span.end, min(last, span.end + 40)) else -1
    if _HIT_AFTER.match(text, span.end) or _HIT_BEFORE.search(before):
        signs += 2
    if _HOSTS.search(text, span.end, last):
        signs += 2 if _HOSTS_BEFORE.search(before) else 1
    if _AFFECTED.search(text, first, last):
        signs += 1
    if _CITED.search(before):
        signs -= 1
    if is_body and _is_headline(text, first, last):
        signs += 2
    return signs


def _is_headline(text: str, first: int, last: int) -> bool:
    line = text.rfind("\n", 0, first) + 1
    end = text.find("\n", last)
    end = len(text) if end < 0 else end
    return end - line <= _HEADLINE and text[line:end].strip()[:1].isdigit()
