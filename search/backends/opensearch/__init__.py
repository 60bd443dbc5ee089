"""The searcher over an OpenSearch cluster."""
