"""The mapping of the index on OpenSearch, which takes the analyzer's own tokens.

A text goes in as its tokens: a space between positions, JOINT between the tokens of one position.
OpenSearch never cuts Chinese; the same words stand at the same positions as in the Whoosh index.
Of a text field it scores nothing but how often something occurs, times its boost, or one more than
the logarithm of that; see `log_boost`. From that, and from the lengths kept beside it, a query
makes the scores of `search.similarity`.
"""

from typing import Any, Final

from index.schema import SCHEMA_VERSION, TEXT_FIELDS

__all__ = ["GAP", "JOINT", "LONGEST_PLACE", "MAPPING_VERSION", "index_body", "log_boost"]

MAPPING_VERSION: Final = 3
"""What an index made by another mapping cannot be searched by."""

JOINT: Final = "\ue000"
"""Between tokens of one position. U+001F does not do: Java takes it for white space."""

GAP: Final = "\ue001"
"""Of a phrase in a query: a position where anything may stand."""

LONGEST_PLACE: Final = 4096
"""UTF-16 units of the tokens of one position together; the tokenizer splits what is longer."""

_LONGEST_KEYWORD = 8000  # characters; Lucene refuses more than 32,766 bytes


def index_body(fingerprint: str, generation: int, *, shards: int, replicas: int) -> dict[str, Any]:
    """Return settings and mapping of a new index for terms of the analyzer with a fingerprint."""
    return {
        "settings": {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            # A commit makes its changes visible together.
            "refresh_interval": -1,
            "max_result_window": 20_000,
            "similarity": {
                "occurrences": {
                    "type": "scripted",
                    "script": {"source": _OCCURRENCES},
                }
            },
            "analysis": {
                "tokenizer": {
                    "positions": {"type": "whitespace", "max_token_length": LONGEST_PLACE}
                },
                "filter": {
                    "same_position": {
                        "type": "pattern_capture",
                        "preserve_original": False,
                        "patterns": [f"([^{JOINT}]+)"],
                    },
                    "gaps": {"type": "stop", "stopwords": [GAP]},
                },
                "analyzer": {
                    "anwen": {
                        "type": "custom",
                        "tokenizer": "positions",
                        "filter": ["same_position"],
                    },
                    "anwen_query": {
                        "type": "custom",
                        "tokenizer": "positions",
                        "filter": ["same_position", "gaps"],
                    },
                },
            },
        },
        "mappings": {
            "dynamic": "strict",
            "_source": {"includes": ["record"]},
            "_meta": {
                "analyzer": fingerprint,
                "schema": SCHEMA_VERSION,
                "mapping": MAPPING_VERSION,
                "shards": shards,
                "generation": generation,
                "commit": 0,
                "indexers": {},  # of each data folder the commit and the revision it has reached
            },
            "properties": {
                **dict.fromkeys(TEXT_FIELDS, _TEXT),
                # Of each text field: its length in positions, as one byte keeps it, and its tokens.
                "lengths": {"properties": dict.fromkeys(TEXT_FIELDS, _NUMBER)},
                "tokens": {"properties": dict.fromkeys(TEXT_FIELDS, _NUMBER)},
                "id": _KEYWORD,
                "commit": _LONG,  # that has written it
                "headline": _COLUMN,
                "url": _COLUMN,
                "published": _LONG,  # seconds since 1970; undated articles have none
                "day_only": {"type": "boolean"},
                "newest_first": _LONG,
                "oldest_first": _LONG,
                "month": _KEYWORD,
                "day": _KEYWORD,
                # As they are written, to be counted; `keys` without regard to case, to be found.
                **dict.fromkeys(_KEYWORDS, _KEYWORD),
                "source_key": _KEYWORD,
                "author": _COLUMN,
                "keys": {
                    "properties": dict.fromkeys((*_KEYWORDS, "author"), _KEY),
                },
                "organisation_types": _COLUMN,
                # For suggestions and corrections: the terms of the title, and those of the body
                # that have a number, such as CVE-2021-44228.
                "title_terms": _KEYWORD,
                "numbered_terms": _KEYWORD,
                "cluster": _KEYWORD,
                "fold": _KEYWORD,  # the cluster, or the article's own id
                "size": _NUMBER,
                "record": {"type": "object", "enabled": False},
            },
        },
    }


_LOG_BELOW = 1e-5  # boosts that stand for the logarithm; of occurrences none is so small
_LOG_UNIT = 1e-9
_OCCURRENCES = (
    f"return query.boost < {_LOG_BELOW} ? query.boost / {_LOG_UNIT} * (1 + Math.log(doc.freq))"
    " : query.boost * doc.freq;"
)


def log_boost(weight: float) -> float:
    """Return the boost with which `n` occurrences of a term score weight · (1 + ln n)."""
    return min(weight * _LOG_UNIT, _LOG_BELOW / 2)


_TEXT = {
    "type": "text",
    "analyzer": "anwen",
    "search_analyzer": "anwen_query",
    "similarity": "occurrences",
    "norms": False,
}
_KEYWORDS = ("category", "source", "organisation", "acting", "identifier")
_NUMBER = {"type": "integer"}
_LONG = {"type": "long"}
_KEYWORD = {"type": "keyword", "ignore_above": _LONGEST_KEYWORD}
_KEY = {**_KEYWORD, "doc_values": False}
_COLUMN = {**_KEYWORD, "index": False}
