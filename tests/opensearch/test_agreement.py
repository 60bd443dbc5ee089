"""Both backends give the same answers to questions of all kinds."""

import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest
from opensearchpy import OpenSearch

from index.analysis import Analyzer
from index.build import migrate
from index.settings import Settings
from index.store import STORE_FILE, ArticleStore
from index.summary import Quiet
from search import Searcher, open_searcher
from tests.opensearch.agreement import compare, on_cluster, questions

pytestmark = pytest.mark.opensearch


@pytest.fixture(scope="module")
def both(demo_folder: Path, opensearch_url: str) -> Iterator[tuple[Searcher, Searcher]]:
    """Searchers over the sample in a folder, and on a cluster."""
    settings = Settings(data=demo_folder)
    alias = f"agreement-{uuid4().hex}"
    cluster = on_cluster(settings, opensearch_url, alias)
    migrate(cluster, jobs=1, progress=Quiet())
    with closing(open_searcher(settings)) as one, closing(open_searcher(cluster)) as other:
        yield one, other
    with OpenSearch(opensearch_url) as client:
        client.indices.delete(index=f"{alias}-*")


def test_searches_find_count_rank_and_show_the_same(
    both: tuple[Searcher, Searcher], demo_folder: Path, analyzer: Analyzer
) -> None:
    with ArticleStore(demo_folder / STORE_FILE, read_only=True) as store:
        articles = list(store.articles())
    agreement = compare(*both, islice(questions(articles, analyzer), 100))
    sys.stdout.write(f"{agreement}\n")
    assert agreement.asked == 100
    assert not agreement.differing
