"""The corpus: crawled pages as a stream, whatever holds them."""

from index.corpus.page import MAX_PAGE_BYTES, Page, PageFormat, Unreadable
from index.corpus.reading import find_at, find_sources, read_pages, read_source
from index.corpus.source import FileState, Source

__all__ = [
    "MAX_PAGE_BYTES",
    "FileState",
    "Page",
    "PageFormat",
    "Source",
    "Unreadable",
    "find_at",
    "find_sources",
    "read_pages",
    "read_source",
]
