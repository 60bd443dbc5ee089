"""Entities: which organisations and identifiers an article names, under which names and where."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Indicator, Mention
from index.entities import (
    Organisation,
    OrganisationTable,
    annotate,
    identifiers,
    recognise,
)
from tests.conftest import make_article

TABLE = OrganisationTable.load()


def found(body: str, title: str = "", lead: str = "") -> dict[str, Mention]:
    return {mention.name: mention for mention in recognise(title, lead, body, TABLE)}


def names(body: str, title: str = "", lead: str = "") -> list[str]:
    return list(found(body, title, lead))


# Names of the table


def test_brand_english_and_legal_name_are_one_organisation() -> None:
    mentions = found("微步发布报告。北京微步在线科技有限公司称，ThreatBook 已提醒客户。")
    assert list(mentions) == ["微步在线"]
    assert mentions["微步在线"].surfaces == ("北京微步在线科技有限公司", "ThreatBook", "微步")


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("微软", "微软"),
        ("Microsoft", "微软"),
        ("ＭＩＣＲＯＳＯＦＴ", "微软"),
        ("北京微步在线科技有限公司", "微步在线"),
        ("CISA", "美国网络安全和基础设施安全局"),
        ("APT-C-00", "海莲花"),
        ("OceanLotus", "海莲花"),
        ("海宁蓝鲸有限公司", None),
        ("有限公司", None),
    ],
)
def test_a_name_resolves_whatever_its_form(name: str, canonical: str | None) -> None:
    assert TABLE.resolve(name) == canonical


def test_a_group_is_found_under_its_number_and_its_names() -> None:
    mentions = found("APT-C-00 再度活动，该组织又称海莲花和 OceanLotus。")
    assert list(mentions) == ["海莲花"]
    assert mentions["海莲花"].type == "group"
    assert mentions["海莲花"].surfaces == ("OceanLotus", "APT-C-00", "海莲花")


@pytest.mark.parametrize(
    "trap",
    [
        "中华为此付出了努力",
        "西安天气转凉",
        "点击此处轻松下载",
        "智慧与力量",
        "在联合国内部署",
        "系统信息被修改",
        "一群北京大学生",
        "请打开谷歌浏览器和 Google Play",
        r"读取 C:\Microsoft\update.exe 与 microsoft@mail.example",
        "SourceMetadata 与 meta 标签",
    ],
)
def test_a_name_inside_other_words_is_none(trap: str) -> None:
    assert names(trap) == []


def test_a_trap_hides_only_the_name_inside_it() -> None:
    assert names("中华为此付出努力，华为不予置评。") == ["华为"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("360 表示将持续跟进。", ["360"]),
        ("增长了 360%，涉及 360 万人。", []),
        ("勒索组织 Akira 声称对此负责。", ["Akira"]),
        ("动画片 Akira 重映。", []),
        ("她来自阿里地区。", []),
    ],
)
def test_a_weak_name_needs_its_context(body: str, expected: list[str]) -> None:
    assert names(body) == expected


def test_a_weak_name_supported_once_counts_everywhere_in_the_article() -> None:
    (mention,) = recognise("360 新品", "", "360 表示，产品下周上市。", TABLE)
    assert [(evidence.field, evidence.start) for evidence in mention.evidence] == [
        ("body", 0),
        ("title", 0),
    ]


def test_a_malware_family_is_no_group() -> None:
    assert names("银狐木马变种再现。") == []
    assert names("银狐组织再现。") == ["银狐"]


# Rules


def test_a_defined_short_name_holds_in_its_article_only() -> None:
    body = "海宁市星屿网络科技有限公司（以下简称“星屿网安”）发布公告。星屿网安称漏洞已修复。"
    mentions = found(body)
    assert list(mentions) == ["海宁市星屿网络科技有限公司"]
    assert mentions["海宁市星屿网络科技有限公司"].surfaces == (
        "海宁市星屿网络科技有限公司",
        "星屿网安",
    )
    assert names("星屿网安称漏洞已修复。") == []


def test_a_definition_reaches_back_to_the_title() -> None:
    mentions = found("宁波远岫科技有限公司（下称“远岫科技”）遭到入侵。", title="远岫科技遭入侵")
    assert [evidence.field for evidence in mentions["宁波远岫科技有限公司"].evidence] == [
        "title",
        "body",
    ]


def test_an_abbreviation_behind_an_unknown_name_is_a_name() -> None:
    mentions = found("越南国家信息安全协会（VNISA-X）成立。VNISA-X 设在河内。")
    assert list(mentions) == ["越南国家信息安全协会"]


def test_a_government_body_is_found_again_without_its_place() -> None:
    mentions = found("上海市公安局通报了案情，市公安局已立案。")
    assert mentions["上海市公安局"].surfaces == ("上海市公安局", "市公安局")
    assert mentions["上海市公安局"].type == "government"


@pytest.mark.parametrize(
    ("body", "name", "type_"),
    [
        ("本次演练由杭州市数据资源管理局主办。", "杭州市数据资源管理局", "government"),
        ("专家来自云岭研究院。", "云岭研究院", "institute"),
        ("江西云岭师范大学参赛。", "江西云岭师范大学", "institute"),
        ("云岭大学附属医院恢复了门诊。", "云岭大学附属医院", "other"),
        ("广西数字经济协会成立。", "广西数字经济协会", "association"),
        ("受害者是蓝港国际机场。", "蓝港国际机场", "other"),
        ("网络安全公司 Bluefin Labs 发现漏洞。", "Bluefin Labs", "company"),
        ("Bluefin Labs 的研究人员发现漏洞。", "Bluefin Labs", "company"),
        ("Bluefin Pte Ltd 遭到入侵。", "Bluefin Pte Ltd", "company"),
        ("University of Bluefin 公布成果。", "University of Bluefin", "institute"),
        ("勒索团伙 NightCrab 声称对此负责。", "NightCrab", "group"),
        ("NightCrab 勒索软件组织声称对此负责。", "NightCrab", "group"),
        ("“赤潮”黑客组织发起攻击。", "赤潮", "group"),
        ("攻击者被跟踪为 UNC9999。", "UNC9999", "group"),
        ("微软称之为 Velvet Typhoon。", "Velvet Typhoon", "group"),
    ],
)
def test_the_words_of_a_name_or_beside_it_give_it_away(body: str, name: str, type_: str) -> None:
    assert found(body)[name].type == type_


def test_a_department_counts_for_its_organisation() -> None:
    mentions = found("华为安全应急响应中心发布通告。")
    assert list(mentions) == ["华为"]
    assert mentions["华为"].surfaces == ("华为安全应急响应中心",)


def test_an_association_counts_for_no_company() -> None:
    assert names("中国移动通信联合会举办论坛。") == ["中国移动通信联合会"]


@pytest.mark.parametrize(
    "description",
    [
        "一家大型网络安全公司",
        "美国第三大广告公司",
        "江西一公司",
        "多家安全厂商和研究机构",
        "国家重点实验室",
        "某云服务公司",
        "AI公司与 VPN 厂商",
        "天津市相关委办局",
        "这家全球企业集团",
        "从走出实验室到进入大学",
        "名为 Mich 的研究人员",
        "该技术属于战术 TA0001",
    ],
)
def test_a_description_is_no_name(description: str) -> None:
    assert names(description) == []


def test_names_that_stand_together_are_separate() -> None:
    assert names("活动由北京市海淀区人民政府、云岭大学和宁波远岫科技有限公司联合主办。") == [
        "北京市海淀区人民政府",
        "云岭大学",
        "宁波远岫科技有限公司",
    ]


# Mentions


def test_an_organisation_that_acts_is_salient_and_one_in_passing_is_not() -> None:
    body = "微软发布更新。" + "补丁说明。" * 100 + "此前谷歌也曾修复。据路透社报道。"
    salience = {name: mention.salient for name, mention in found(body).items()}
    assert salience == {"微软": True, "谷歌": False, "路透社": False}


FAR = "背景介绍。" * 80  # what stands this far down is not salient for its place


@pytest.mark.parametrize(
    ("sentence", "acts"),
    [
        ("谷歌宣布修复该漏洞。", True),
        ("攻击者入侵了谷歌。", True),
        ("谷歌用户数据遭到泄露。", True),
        ("活动由谷歌主办。", True),
        ("报告与谷歌联合发布。", True),
        ("2. 谷歌拟收购一家初创企业", True),
        ("他曾任谷歌工程师。", False),
        ("谷歌副总裁张三出席。", False),
        ("谷歌副总裁张三表示，谷歌将继续投入，谷歌会公布细节。", True),
        ("这与谷歌的做法不同。", False),
    ],
)
def test_an_organisation_is_salient_where_it_acts_or_something_is_done_to_it(
    sentence: str, acts: bool
) -> None:
    assert found(FAR + "\n" + sentence)["谷歌"].salient is acts


def test_an_organisation_in_the_title_is_salient_and_a_source_is_not() -> None:
    mentions = found("据彭博社报道，相关调查已经结束。", title="思科更新")
    assert {name: mention.salient for name, mention in mentions.items()} == {
        "思科": True,
        "彭博社": False,
    }


def test_every_sentence_that_names_an_organisation_is_evidence() -> None:
    mention = found("谷歌说明情况。谷歌和谷歌云更新。没有别的。谷歌致谢。")["谷歌"]
    assert [evidence.text for evidence in mention.evidence] == [
        "谷歌说明情况。",
        "谷歌和谷歌云更新。",
        "谷歌致谢。",
    ]


def test_a_body_of_the_city_that_the_article_is_about_has_the_full_name() -> None:
    assert names("上海市启动专项行动。市公安局、市网信办参加。上海市民可以报名。") == [
        "上海市公安局",
        "上海市互联网信息办公室",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("由美国联邦调查局牵头", ["美国联邦调查局"]),
        ("立陶宛国防部公布", ["立陶宛国防部"]),
        ("美国环境保护署和消费者组织推动", ["美国环境保护署"]),
        ("公安部第一研究所承办", ["公安部第一研究所"]),
        ("国务院新闻办公室举行发布会", ["国务院新闻办公室"]),
        ("灾备技术国家工程研究中心主办", ["灾备技术国家工程研究中心"]),
        ("入选国家工程研究中心名单", []),
        ("美国多个部门受影响，司法部和能源部已展开调查", ["美国司法部", "美国能源部"]),
        ("微软禁止以色列国防部使用其服务", ["微软", "以色列国防部"]),
        ("攻击影响了 44所大学和两百家医院", []),
        ("据《滨海时报》报道，相关调查已经结束", ["滨海时报"]),
        ("根据《网络安全法》的规定", []),
        ("大禾集团发布报告", ["大禾集团"]),
        ("，2024年大禾集团发布报告", ["大禾集团"]),
        ("昨日大禾集团回应", ["大禾集团"]),
    ],
)
def test_bodies_of_states_are_found_by_form(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_evidence_is_the_sentence_around_the_name() -> None:
    mention = found("先说背景。随后微软发布更新！结束。")["微软"]
    (evidence,) = mention.evidence
    assert (evidence.field, evidence.start, evidence.end) == ("body", 7, 9)
    assert evidence.text == "随后微软发布更新！"


def test_mentions_appear_in_the_order_of_the_text() -> None:
    assert names("思科和苹果。", title="谷歌起诉", lead="微软作证") == [
        "谷歌",
        "微软",
        "思科",
        "苹果",
    ]


_FRAGMENTS = st.sampled_from(
    [
        "微软",
        "Microsoft",
        "北京星屿科技有限公司",
        "（以下简称“星屿”）",
        "（XYK）",
        "星屿",
        "XYK",
        "上海市公安局",
        "市公安局",
        "海莲花组织",
        "公司 Foo-Bar ",
        "İstanbul University",
        "，",
        "。",
        "\n",
        " ",
        "（",
        "和",
        "360",
    ]
)
_TEXTS = st.lists(_FRAGMENTS | st.text(max_size=8), max_size=20).map("".join)


@given(title=_TEXTS, lead=_TEXTS, body=_TEXTS)
def test_surfaces_and_evidence_are_slices_of_their_field(title: str, lead: str, body: str) -> None:
    fields = {"title": title, "lead": lead, "body": body}
    mentions = recognise(title, lead, body, TABLE)
    for mention in mentions:
        assert mention.surfaces
        assert mention.evidence
        for evidence in mention.evidence:
            surface = fields[evidence.field][evidence.start : evidence.end]
            assert surface in mention.surfaces
            assert surface in evidence.text
            assert evidence.text in fields[evidence.field]
    assert len({mention.name for mention in mentions}) == len(mentions)


def test_annotating_adds_what_it_finds_and_changes_nothing_else() -> None:
    body = "CVE-2031-0001 由谷歌报告，C2 为 lanting[.]top。"
    article = make_article(title="微软修复漏洞", body=body, lead="")
    annotated = annotate(article, TABLE)
    assert annotated.organisations == ("微软", "谷歌")
    assert annotated.identifiers == ("CVE-2031-0001",)
    assert annotated.indicators == (Indicator(type="domain", value="lanting.top"),)
    assert replace(annotated, mentions=(), identifiers=(), indicators=()) == article


# Identifiers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CVE-2021-44228", ("CVE-2021-44228",)),
        ("漏洞cve-2021-44228被利用", ("CVE-2021-44228",)),
        ("CVE－2021－44228", ("CVE-2021-44228",)),
        ("ＣＶＥ－２０２１－４４２２８", ("CVE-2021-44228",)),
        ("CVE–2024—3400、CVE‑2024‑3401", ("CVE-2024-3400", "CVE-2024-3401")),
        ("CVE 2020 0601 和 CVE_2019_0708", ("CVE-2020-0601", "CVE-2019-0708")),
        ("CVE-2024-1234567", ("CVE-2024-1234567",)),
        ("CVE-2024-1111 与 cve-2024-1111", ("CVE-2024-1111",)),
        ("CNVD-2024-12345、CNVD－2024－00001", ("CNVD-2024-12345", "CNVD-2024-00001")),
        ("CNVD-C-2019-48814", ("CNVD-C-2019-48814",)),
        ("CNNVD-202403-123，CNNVD－202112－799", ("CNNVD-202403-123", "CNNVD-202112-799")),
        ("技术T1059.001、T1190，战术TA0001", ("T1059.001", "T1190", "TA0001")),
        ("XCVE-2021-44228 CVE-2021-123 CVE-1021-44228", ()),
        ("t1059 XT1059 T10590 T2059", ()),
        ("GHSA-JFH8-c2jp-5V3Q、GHSA-abcd-1234-zzzz", ("GHSA-jfh8-c2jp-5v3q",)),
        ("CWE-79、ＣＷＥ－８９、CWE-2024", ("CWE-79", "CWE-89")),
        ("ATT&CK 的 G0016、S0154 与 M1036", ("G0016", "S0154", "M1036")),
        ("S1720 交换机和 M1036 型号", ()),
        ("G0016", ("G0016",)),
        ("", ()),
    ],
)
def test_identifiers_are_canonical_and_in_order(text: str, expected: tuple[str, ...]) -> None:
    assert identifiers(text) == expected


def test_a_definition_brings_the_full_name_to_the_row_of_the_short_one() -> None:
    table = OrganisationTable(
        [Organisation(name="远岫", type="company", aliases=(), weak=frozenset(), source="")]
    )
    text = "宁波远岫谷数字科技有限公司（以下简称“远岫”）发布报告。"
    (mention,) = recognise("", "", text, table)
    assert mention.name == "远岫"
    assert "宁波远岫谷数字科技有限公司" in mention.surfaces


def test_only_short_names_of_no_table_are_told_as_defined() -> None:
    mentions = found(
        "宁波远岫谷数字科技有限公司（以下简称“远岫谷”）与国家互联网信息办公室（以下简称“网信办”）。"
    )
    assert mentions["宁波远岫谷数字科技有限公司"].defined == ("远岫谷",)
    assert mentions["国家互联网信息办公室"].defined == ()


@pytest.mark.parametrize(
    "piece",
    ["安全团队", "研究人员", "微软和", "，微软和他们", "Aa1", "A.", "网络安全", "大禾集团、"],
)
def test_a_long_row_of_anything_is_read_in_the_end(piece: str) -> None:
    recognise("", "", "微软" + piece * 3_000, TABLE)


def test_the_evidence_of_an_organisation_has_an_end() -> None:
    assert len(found("微软更新。" * 500)["微软"].evidence) == 100
