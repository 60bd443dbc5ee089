"""The corpus: crawled pages as a stream, whatever holds them."""

from index.corpus.page import MAX_PAGE_BYTES, Page, PageFormat, Unreadable
from index.corpus.reading import read_pages

__all__ = ["MAX_PAGE_BYTES", "Page", "PageFormat", "Unreadable", "read_pages"]
