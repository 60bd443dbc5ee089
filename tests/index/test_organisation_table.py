"""What an operator says of organisations: rows of the table, and mentions that are denied."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from index.document import OrganisationType
from index.entities import (
    Denials,
    OrganisationTable,
    annotate,
    entities_fingerprint,
    recognise,
)
from index.entities.table import fold_name
from index.errors import SettingsError
from index.identity import article_id, article_key
from tests.conftest import make_article

TABLE = OrganisationTable.load()


# The table and the operator's file


def test_no_name_of_the_table_belongs_to_two_organisations() -> None:
    owners: dict[str, str] = {}
    for organisation in TABLE:
        for name in organisation.names:
            assert owners.setdefault(name.casefold(), organisation.name) == organisation.name
            assert TABLE.resolve(name) == organisation.name


def test_canonical_names_resolve_to_themselves() -> None:
    assert [TABLE.resolve(name) for name in TABLE.names()] == list(TABLE.names())


def test_weak_names_are_names_of_their_row() -> None:
    assert [
        organisation.name
        for organisation in TABLE
        if not organisation.weak <= set(organisation.names)
    ] == []


def test_the_table_covers_the_field() -> None:
    counts = Counter(organisation.type for organisation in TABLE)
    assert counts["group"] >= 250
    assert counts.total() - counts["group"] >= 600
    assert min(counts[type_] for type_ in get_args(OrganisationType)) >= 50


def test_the_order_of_rows_and_of_names_says_nothing() -> None:
    backwards = OrganisationTable(
        replace(organisation, aliases=organisation.aliases[::-1])
        for organisation in reversed(TABLE.organisations)
    )
    names = [name for organisation in TABLE for name in organisation.names]
    assert list(map(backwards.resolve, names)) == list(map(TABLE.resolve, names))


def test_no_other_name_is_a_canonical_one() -> None:
    canonical = set(map(fold_name, TABLE.names()))
    assert len(canonical) == len(TABLE)
    others = {fold_name(name) for organisation in TABLE for name in organisation.aliases}
    assert others & canonical == set()


def test_every_row_states_its_source() -> None:
    assert {organisation.source for organisation in TABLE} == {"general", "misp"}


@pytest.fixture
def operator_file(tmp_path: Path) -> Path:
    return tmp_path / "organisations.tsv"


def test_an_operators_row_adds_an_organisation(operator_file: Path) -> None:
    operator_file.write_text("星屿网安\tcompany\t星屿|Xingyu Security\n", encoding="utf-8")
    table = OrganisationTable.load(operator_file)
    assert len(table) == len(TABLE) + 1
    assert table.resolve("Xingyu security") == "星屿网安"
    assert [mention.name for mention in recognise("", "", "星屿遭入侵", table)] == ["星屿网安"]


def test_an_operators_row_overrules_the_name_type_and_aliases(operator_file: Path) -> None:
    operator_file.write_text("# ours\n\n微软公司\tother\t微软|Redmond\n", encoding="utf-8")
    table = OrganisationTable.load(operator_file)
    assert table.resolve("微软") == "微软公司"
    assert table.resolve("Redmond") == "微软公司"
    assert table.resolve("Microsoft") is None
    assert len(table) == len(TABLE)


def test_an_operators_row_takes_an_alias_away_from_its_old_row(operator_file: Path) -> None:
    operator_file.write_text("千里目\tinstitute\tThreatBook\n", encoding="utf-8")
    table = OrganisationTable.load(operator_file)
    assert table.resolve("ThreatBook") == "千里目"
    assert table.resolve("微步") == "微步在线"
    assert entities_fingerprint(table) != entities_fingerprint(TABLE)


def test_the_fingerprint_is_that_of_the_content() -> None:
    assert entities_fingerprint(OrganisationTable.load()) == entities_fingerprint(TABLE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("甲\tcompany\n乙\tshop\n", "line 2: the type 'shop' is not one of"),
        ("甲\n", "line 1: expected two to four columns"),
        ("\tcompany\n", "line 1: expected two to four columns"),
        ("甲\tcompany\ta\tb\tc\n", "line 1: expected two to four columns"),
        ("甲\tcompany\n# c\n甲\tmedia\n", "line 3: '甲' has a line already"),
        ("甲\tcompany\t丙\n乙\tcompany\t丙\n", "line 2: the name '丙' belongs to '甲'"),
    ],
)
def test_a_broken_operators_file_is_refused_by_file_and_line(
    operator_file: Path, content: str, message: str
) -> None:
    operator_file.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        OrganisationTable.load(operator_file)
    assert str(operator_file) in str(refused.value)
    assert message in str(refused.value)


def test_an_operators_file_that_cannot_be_read_is_refused_by_name(operator_file: Path) -> None:
    with pytest.raises(SettingsError, match=r"organisations\.tsv cannot be read"):
        OrganisationTable.load(operator_file)
    operator_file.write_bytes("甲\tcompany\n".encode("gb18030"))
    with pytest.raises(SettingsError, match=r"organisations\.tsv cannot be read"):
        OrganisationTable.load(operator_file)


# What an operator denies


def denials(folder: Path, text: str) -> Denials:
    file = folder / "denials.tsv"
    file.write_text(text, encoding="utf-8")
    return Denials.load(file)


def test_a_denied_organisation_is_not_named_under_any_name(tmp_path: Path) -> None:
    url = "https://news.example/a/1"
    article = make_article(
        id=article_id(article_key(url, "")), url=url, body="谷歌与微软宣布合作。"
    )
    by_address = denials(tmp_path, "# wrong\nhttps://news.example/a/1/\tGoogle\n")
    assert annotate(article, TABLE, by_address).organisations == ("微软",)
    by_id = denials(tmp_path, f"{article.id}\tMICROSOFT")
    assert annotate(article, TABLE, by_id).organisations == ("谷歌",)
    other = replace(article, id="b")
    assert annotate(other, TABLE, by_id).organisations == ("谷歌", "微软")
    everywhere = denials(tmp_path, "*\t谷歌\n*\t微软\n")
    assert annotate(other, TABLE, everywhere).organisations == ()


def test_another_denial_is_another_fingerprint(tmp_path: Path) -> None:
    one, two = denials(tmp_path, "*\t谷歌"), denials(tmp_path, "*\t微软")
    assert len({entities_fingerprint(TABLE, each) for each in (Denials(), one, two)}) == 3


@pytest.mark.parametrize("line", ["谷歌", "\t谷歌", "https://news.example/a/1\t"])
def test_a_line_that_denies_nothing_is_told_with_the_repair(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match="line 2: expected an article's id or address"):
        denials(tmp_path, f"*\t微软\n{line}\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        Denials.load(tmp_path / "missing.tsv")
