"""Evaluation on judgements: exact figures, clear errors, comparison of runs."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import pytest

from index.document import BEIJING, Article
from index.errors import JudgementsError, QueryError
from search import Searcher, SearchRequest
from search.evaluation import (
    Judgements,
    Run,
    compare,
    evaluate,
    measure,
    read_judgements,
    read_run,
    write_run,
)


def write(folder: Path, queries: str, qrels: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "queries.jsonl").write_text(queries, encoding="utf-8")
    (folder / "qrels.tsv").write_text(qrels, encoding="utf-8")
    return folder


QUERIES = '{"id": "q1", "query": "漏洞", "kind": "topic"}\n{"id": "q2", "query": "停诊"}\n'


def judged(tmp_path: Path, qrels: str) -> Judgements:
    return read_judgements(write(tmp_path, QUERIES, qrels), lambda name: name)


def run_of(judgements: Judgements, **hits: list[str]) -> Run:
    return measure(judgements, hits, {})


def test_measures_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    judgements = judged(tmp_path, "q1\ta\t2\nq1\tb\t1\nq1\tc\t0\nq2\td\t1\n")
    run = run_of(judgements, q1=["c", "a", "x"], q2=[])
    first, second = run.queries
    # 2 / log2(3) of an ideal 2 + 1 / log2(3)
    assert first.measures["nDCG@10"] == pytest.approx(1.2619 / 2.6309, abs=1e-4)
    assert first.measures["MRR@10"] == 0.5
    assert first.measures["Recall@50"] == 0.5
    assert first.measures["Judged@10"] == pytest.approx(2 / 3)
    assert [hit for hit, _ in first.unjudged] == ["x"]
    assert second.measures == dict.fromkeys(first.measures, 0.0)
    assert run.measures["MRR@10"] == 0.25
    assert run.kinds == {"topic": first.measures}


def test_judged_hits_are_measured_too_where_many_are_not(tmp_path: Path) -> None:
    judgements = judged(tmp_path, "q1\ta\t1\nq2\td\t1\n")
    assert run_of(judgements, q1=["x", "a"], q2=["d"]).measures["nDCG@10 of judged hits"] == 1.0
    assert "nDCG@10 of judged hits" not in run_of(judgements, q1=["a"], q2=["d"]).measures


def test_a_searcher_is_asked_every_query(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[Iterable[Article]], Searcher],
    tmp_path: Path,
) -> None:
    searcher = searcher_over(
        [article_maker(id="a" * 16, title="网关漏洞"), article_maker(id="b" * 16, title="医院停诊")]
    )
    judgements = judged(tmp_path, f"q1\t{'a' * 16}\t3\nq2\t{'b' * 16}\t1\n")
    run = evaluate(searcher, judgements)
    assert [query.hits for query in run.queries] == [("a" * 16,), ("b" * 16,)]
    assert run.measures["nDCG@10"] == 1.0


def test_a_folded_hit_has_the_best_grade_of_its_articles(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher], tmp_path: Path
) -> None:
    articles = [
        article_maker(id="copy", title="网关漏洞", published=datetime(2026, 3, 2, tzinfo=BEIJING)),
        article_maker(id="first", title="网关漏洞", published=datetime(2026, 3, 1, tzinfo=BEIJING)),
        article_maker(id="other", title="漏洞很多", published=None),
    ]
    searcher = searcher_over(articles, {"copy": "k", "first": "k"})
    judgements = judged(tmp_path, "q1\tcopy\t3\nq1\tfirst\t1\nq1\tgone\t0\nq1\tother\t2\n")
    folded, shown = (
        evaluate(searcher, judgements, request=SearchRequest(duplicates=each)).queries[0]  # type: ignore[arg-type]
        for each in ("fold", "show")
    )
    assert set(folded.hits) == {"first", "other"}
    assert folded.measures == shown.measures == dict.fromkeys(folded.measures, 1.0)
    assert not folded.unjudged


def test_a_text_that_is_shown_twice_counts_once(tmp_path: Path) -> None:
    judgements = judged(tmp_path, "q1\ta\t1\nq1\tA\t1\nq1\tb\t1\n")
    run = measure(judgements, {"q1": ["a", "A", "x", "X", "b"]}, {}, str.lower)
    (first, _) = run.queries
    assert first.hits == ("a", "x", "b")
    # 1 + 1 / log2(4) of an ideal 1 + 1 / log2(3)
    assert first.measures["nDCG@10"] == pytest.approx(1.5 / 1.6309, abs=1e-4)
    assert [hit for hit, _ in first.unjudged] == ["x"]


def test_a_query_that_cannot_be_asked_is_named(
    searcher_over: Callable[[Iterable[Article]], Searcher],
    article_maker: Callable[..., Article],
    tmp_path: Path,
) -> None:
    queries = json.dumps({"id": "long", "query": "x" * 1000}) + "\n"
    judgements = read_judgements(
        write(tmp_path / "set", queries, "long\ta\t1\n"), lambda name: name
    )
    with pytest.raises(QueryError, match=r"^long: "):
        evaluate(searcher_over([article_maker()]), judgements)


def test_an_article_that_is_not_there_counts_as_never_found(tmp_path: Path) -> None:
    folder = write(tmp_path, QUERIES, "q1\ta\t1\nq1\tgone\t1\nq2\tb\t1\n")
    judgements = read_judgements(folder, lambda name: None if name == "gone" else name)
    assert judgements.missing == ("gone",)
    assert run_of(judgements, q1=["a"]).queries[0].measures["Recall@50"] == 0.5


@pytest.mark.parametrize(
    ("queries", "qrels", "message"),
    [
        ("", "q1\ta\t1\n", "queries.jsonl: there is no query in it"),
        ("{}\n", "", "queries.jsonl, line 1: expected an object"),
        ("[]\n", "", "queries.jsonl, line 1: expected an object"),
        (QUERIES + '{"id": "q1", "query": "x"}', "", "queries.jsonl, line 3: the id 'q1' is there"),
        (QUERIES, "q1 a 1\n", "qrels.tsv, line 1: expected query, article and grade"),
        (QUERIES, "q1\ta\t1\nq9\ta\t1\n", "qrels.tsv, line 2: 'q9' is no query"),
        (QUERIES, "q1\ta\thigh\n", "qrels.tsv, line 1: the grade 'high'"),
        (QUERIES, f"q1\ta\t{10**30}\n", "qrels.tsv, line 1: the grade '1000"),
        (QUERIES, "q1\ta\t101\n", "no whole number from 0 to 100"),
        ('{"id": "q", "query": "\\ud800"}\n', "", "queries.jsonl, line 1: expected an object"),
        (QUERIES, "\n", "qrels.tsv: there is no judgement in it"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(
    tmp_path: Path, queries: str, qrels: str, message: str
) -> None:
    with pytest.raises(JudgementsError) as caught:
        read_judgements(write(tmp_path, queries, qrels), lambda name: name)
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(JudgementsError, match=r"queries\.jsonl: it cannot be read"):
        read_judgements(tmp_path / "none", lambda name: name)


def test_runs_are_compared_query_by_query(tmp_path: Path) -> None:
    judgements = judged(tmp_path, "q1\ta\t1\nq2\tb\t1\n")
    former = run_of(judgements, q1=["x", "a"], q2=["b"])
    write_run(former, tmp_path / "run.json")
    found = compare(run_of(judgements, q1=["a"], q2=["b"]), read_run(tmp_path / "run.json"))
    assert (found.wins, found.losses, found.ties) == (1, 0, 1)
    assert found.differences[0][0] == "q1"
    assert found.mean_difference == pytest.approx((1 - 0.6309) / 2, abs=1e-4)
    # One difference: both signs are as far from 0.
    assert found.p_value == 1.0
    assert compare(former, former).p_value == 1.0


def test_the_p_value_is_the_share_of_signs_as_far_from_nothing(tmp_path: Path) -> None:
    queries = "".join(json.dumps({"id": f"q{n}", "query": "x"}) + "\n" for n in range(5))
    qrels = "".join(f"q{n}\ta\t1\n" for n in range(5))
    judgements = read_judgements(write(tmp_path, queries, qrels), lambda name: name)
    better = measure(judgements, {f"q{n}": ["a"] for n in range(5)}, {})
    worse = measure(judgements, {f"q{n}": ["x", "a"] for n in range(5)}, {})
    # Of 32 ways to give signs to five equal differences two are as far from 0: all plus, all minus.
    assert compare(better, worse).p_value == pytest.approx(2 / 32)


def test_many_differences_are_compared_by_draws_that_are_the_same_each_time(tmp_path: Path) -> None:
    names = [f"q{n}" for n in range(40)]
    queries = "".join(json.dumps({"id": name, "query": "x"}) + "\n" for name in names)
    folder = write(tmp_path, queries, "".join(f"{name}\ta\t1\n" for name in names))
    judgements = read_judgements(folder, lambda name: name)
    former = measure(judgements, {name: ["x", "a"] for name in names}, {})
    mixed = {name: ["a"] if n % 2 else ["x", "y", "z", "a"] for n, name in enumerate(names)}
    found = compare(measure(judgements, mixed, {}), former)
    assert found == compare(measure(judgements, mixed, {}), former)
    assert (found.wins, found.losses) == (20, 20)
    assert 0.01 < found.p_value < 0.5
    best = compare(measure(judgements, {name: ["a"] for name in names}, {}), former)
    assert best.p_value < 0.001


def test_a_run_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    run = run_of(judged(tmp_path, "q1\ta\t1\n"), q1=["a"])
    with pytest.raises(JudgementsError, match=r"run\.json: it cannot be written"):
        write_run(run, tmp_path / "none" / "run.json")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    for content in ("", "[]", "{}", '{"queries": [{"id": 1}]}'):
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
        with pytest.raises(JudgementsError, match="no run saved with --save"):
            read_run(tmp_path / "run.json")
