"""Following crawl folders: what is new in them is indexed in small commits, without end."""

from index.watch.watching import Reporter, Watcher

__all__ = ["Reporter", "Watcher"]
