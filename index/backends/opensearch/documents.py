"""What an article becomes on OpenSearch: its columns, its tokens as texts, and its record."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from index.analysis import FieldTokens
from index.backends.opensearch.mapping import JOINT, LONGEST_PLACE
from index.document import BEIJING
from index.schema import (
    TEXT_FIELDS,
    UNDATED,
    IndexBatch,
    IndexDocument,
    decode_length,
    encode_length,
    newest_first,
    oldest_first,
)

__all__ = ["documents", "term_sets", "token_texts"]


_ROOM = LONGEST_PLACE // 2  # characters, of which some are two UTF-16 units


def documents(batch: IndexBatch) -> Iterator[dict[str, Any]]:
    """Give the articles of a batch with their records, as the mapping has them."""
    texts = {name: token_texts(batch.fields[name]) for name in TEXT_FIELDS}
    lengths = {name: batch.fields[name].lengths.tolist() for name in TEXT_FIELDS}
    tokens = {
        name: np.bincount(batch.fields[name].documents, minlength=len(batch.documents)).tolist()
        for name in TEXT_FIELDS
    }
    title_terms = term_sets(batch.fields["title"])
    numbered = term_sets(batch.fields["body"], _is_numbered)
    for place, (document, record) in enumerate(zip(batch.documents, batch.records, strict=True)):
        yield {
            **_columns(document),
            **{name: texts[name][place] for name in TEXT_FIELDS},
            "lengths": {
                name: decode_length(encode_length(lengths[name][place])) for name in TEXT_FIELDS
            },
            "tokens": {name: tokens[name][place] for name in TEXT_FIELDS},
            "title_terms": title_terms[place],
            "numbered_terms": numbered[place],
            "record": {"article": record, "cluster": document.cluster},
        }


def _columns(document: IndexDocument) -> dict[str, Any]:
    acting = [naming.name for naming in document.organisations if naming.salient]
    columns: dict[str, Any] = {
        "id": document.id,
        "headline": document.title,
        "url": document.url,
        "day_only": document.day_only,
        "newest_first": int(newest_first(document.published, document.day_only)),
        "oldest_first": int(oldest_first(document.published, document.day_only)),
        "author": document.author,
        "organisation_types": [str(naming) for naming in document.organisations],
        "source_key": document.source.casefold(),
        "fold": document.cluster or document.id,
        "size": document.size,
    }
    keywords = {
        "category": [document.category] if document.category else [],
        "source": [document.source] if document.source else [],
        "organisation": [naming.name for naming in document.organisations],
        "acting": acting,
        "identifier": list(document.identifiers),
    }
    author = [document.author] if document.author else []
    columns |= keywords
    columns["keys"] = {
        name: [value.casefold() for value in values]
        for name, values in (keywords | {"author": author}).items()
    }
    if document.cluster:
        columns["cluster"] = document.cluster
    if document.published != UNDATED:
        day = datetime.fromtimestamp(document.published, BEIJING).date().isoformat()
        columns |= {"published": document.published, "day": day, "month": day[:7]}
    return columns


def term_sets(
    tokens: FieldTokens, is_wanted: Callable[[str], bool] = lambda _: True
) -> list[list[str]]:
    """Return the terms of each text of a field that are wanted, each once."""
    wanted = np.array([is_wanted(term) for term in tokens.vocabulary], np.bool_)
    kept = wanted[tokens.terms] if len(wanted) else np.zeros(0, np.bool_)
    found: list[dict[str, None]] = [{} for _ in tokens.lengths]
    places = zip(tokens.documents[kept].tolist(), tokens.terms[kept].tolist(), strict=True)
    for document, term in places:
        found[document][tokens.vocabulary[term]] = None
    return [list(each) for each in found]


def _is_numbered(term: str) -> bool:
    return "-" in term and any(map(str.isdigit, term))


def token_texts(tokens: FieldTokens) -> list[str]:
    """Return each text of a field as its tokens in their positions; see the mapping."""
    # The unit itself comes first, then what is longer and begins there.
    lengths = np.array([len(term) for term in tokens.vocabulary], np.int64)
    order = np.lexsort((lengths[tokens.terms], tokens.positions, tokens.documents))
    at, of = tokens.positions[order], tokens.documents[order]
    is_joined = np.zeros(len(order), np.bool_)
    np.logical_and(of[1:] == of[:-1], at[1:] == at[:-1], out=is_joined[1:])
    vocabulary = tokens.vocabulary
    pieces = []
    room = 0
    for term, joined in zip(tokens.terms[order].tolist(), is_joined.tolist(), strict=True):
        text = vocabulary[term][:_ROOM]
        room = room - len(text) - 1 if joined else _ROOM - len(text)
        if joined and room < 0:
            text = ""  # nobody looks for a word of thousands of characters
        pieces.append(f"{JOINT if joined else ' '}{text}" if text else "")
    bounds = np.searchsorted(of, np.arange(len(tokens.lengths) + 1)).tolist()
    return ["".join(pieces[first:last])[1:] for first, last in pairwise(bounds)]
