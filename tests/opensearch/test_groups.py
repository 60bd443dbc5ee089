"""How many hits very many articles make, on a cluster that counts only so many clusters."""

from collections.abc import Callable

import pytest

from index.document import Article
from search import Searcher
from search.backends.opensearch import selecting
from search.request import SearchRequest
from web.wire import results_object


@pytest.mark.opensearch
@pytest.mark.parametrize("backend", ["opensearch"], indirect=True, scope="session")
def test_hits_of_too_many_clusters_are_estimated_and_said_to_be(
    searcher_over: Callable[..., Searcher],
    article_maker: Callable[..., Article],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    articles = [article_maker(id=f"a{number}", title="漏洞") for number in range(9)]
    clusters = {f"a{number}": f"c{number // 2}" for number in range(8)}
    searcher = searcher_over(articles, clusters)
    found = searcher.search(SearchRequest(query="漏洞"))
    assert (found.total, found.groups, found.groups_exact) == (9, 5, True)
    assert "groups_exact" not in results_object(found)
    monkeypatch.setattr(selecting, "_EXACT_GROUPS", 3)
    found = searcher.search(SearchRequest(query="漏洞"))
    assert (found.total, found.groups, found.groups_exact) == (9, 5, False)
    assert results_object(found)["groups_exact"] is False
