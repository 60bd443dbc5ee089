"""The articles of the store, over a connection that is opened anew where it must be."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from index.document import Article
from index.errors import StoreError
from index.store import ArticleStore

__all__ = ["StoredArticles"]


class StoredArticles:
    """Reads articles as they are stored now, whatever the index has of them.

    Every method raises StoreError where the store does not answer.
    """

    def __init__(self, path: Path) -> None:
        """Open nothing yet: the first question does."""
        self._path = path
        self._store: ArticleStore | None = None

    @property
    def revision(self) -> int:
        """The revision of the newest change of the store."""
        with self._open() as store:
            return store.revision

    def article(self, article_id: str) -> Article:
        """Return one article, or raise UnknownArticle."""
        with self._open() as store:
            return store.article(article_id)

    def articles(self, article_ids: Iterable[str]) -> dict[str, Article]:
        """Return those articles that are stored, by their ids, without evidence."""
        with self._open() as store:
            return store.articles_of(article_ids)

    def article_by_url(self, url: str) -> Article:
        """Return the article of an address in whatever form, or raise UnknownArticle."""
        with self._open() as store:
            return store.article(store.resolve(url))

    def addresses(self, article_ids: Iterable[str]) -> dict[str, str | None]:
        """Return the addresses of those articles that are stored, by their ids."""
        with self._open() as store:
            return store.addresses(article_ids)

    def close(self) -> None:
        """Release the connection; the next question opens another."""
        if self._store:
            self._store.close()
        self._store = None

    @contextmanager
    def _open(self) -> Iterator[ArticleStore]:
        if self._store and not self._store.is_current:
            self.close()
        if self._store is None:
            self._store = ArticleStore(self._path, read_only=True)
        try:
            yield self._store
        except StoreError:
            self.close()
            raise
