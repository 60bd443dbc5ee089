"""The searcher over the Whoosh index and the article store."""
