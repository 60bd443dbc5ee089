"""How much of a page is read: several times what any page of a crawl holds, and no more.

Reading takes time for each piece of a page, and eight megabytes can be a million links. The figures
beside the limits are the most that one of 21,247 crawled pages and 679 saved ones has. A page that
goes beyond ends there, and gives what stands before.
"""

import re
from typing import Final

from index.corpus import PageFormat

__all__ = [
    "LONGEST_BODY",
    "LONGEST_LEAD",
    "LONGEST_NAME",
    "LONGEST_TITLE",
    "LONGEST_URL",
    "MOST_BLOCKS",
    "MOST_IMAGES",
    "MOST_TAGS",
    "bounded",
]

LONGEST_BODY: Final = 300_000  # characters of an article; 121,206
LONGEST_TITLE: Final = 1_000  # 128
LONGEST_LEAD: Final = 4_000  # 491
LONGEST_NAME: Final = 400  # of a source, an author, a category, a tag; 73
LONGEST_URL: Final = 2_000  # 381
MOST_TAGS: Final = 300  # 61
MOST_IMAGES: Final = 1_500  # 244
MOST_BLOCKS: Final = 20_000  # lines and elements with text; 4,757

_MOST_CHARACTERS: dict[PageFormat, int] = {
    "html": 2_000_000,  # 516,651 without pictures, scripts among them
    "md": 4_000_000,  # 1,607,948, of which a picture is 1.2 million
}
_LIGATURE = "\ufdfa"  # one character that is a sentence of eighteen in its other form; 0
_MOST: dict[PageFormat, dict[str, int]] = {
    "html": {"<": 12_000, "=": 200_000, "&": 100_000, _LIGATURE: 1000},  # 6,177; 5,760; 949
    # 244; 6,931; 1,946; 32,764; 5,058
    "md": {
        "](": 10_000,
        "[": 30_000,
        "`": 20_000,
        "*": 200_000,
        "&": 100_000,
        _LIGATURE: 1000,
    },
}
_PICTURE = re.compile(r"data:[^\s\"')>]{1000,}+")


def bounded(text: str, form: PageFormat) -> str:
    """Return as much of a page's text as is read."""
    # A parser gives each NUL as a text of its own.
    text = text.replace("\0", "")
    if form == "html":  # elements may hold pictures of any size
        text = _PICTURE.sub("data:,", text)
    text = text[: _MOST_CHARACTERS[form]]
    for mark, most in _MOST[form].items():
        if text.count(mark) > most:
            text = text[: -len(text.split(mark, most + 1)[-1]) - len(mark)]
    return text
