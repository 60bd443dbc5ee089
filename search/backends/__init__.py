"""The searchers, one a store."""
