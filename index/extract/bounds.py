"""How much of a page is read: several times what any page of a crawl holds, and no more.

Reading takes time for each piece of a page, and eight megabytes can be a million links. The figures
beside the limits are the most that one of 21,247 crawled pages and 679 saved ones has. A page that
goes beyond ends there, and gives what stands before.
"""

from typing import Final

from index.corpus import PageFormat

__all__ = ["LONGEST_BODY", "MOST_BLOCKS", "bounded"]

LONGEST_BODY: Final = 500_000  # characters of an article; 121,206
MOST_BLOCKS: Final = 20_000  # lines and elements with text; 4,757

_MOST_CHARACTERS = 4_000_000  # of Markdown; 1,607,948, of which a picture is 1.2 million
_MOST: dict[PageFormat, dict[str, int]] = {
    "html": {"<": 30_000, "=": 200_000, "&": 100_000},  # 6,177; 5,760; 949
    "md": {"](": 10_000, "`": 20_000, "*": 200_000, "&": 100_000},  # 244; 1,946; 32,764; 5,058
}


def bounded(text: str, form: PageFormat) -> str:
    """Return as much of a page's text as is read."""
    if form == "md":  # elements may hold pictures of any size, which cost nothing
        text = text[:_MOST_CHARACTERS]
    for mark, most in _MOST[form].items():
        if text.count(mark) > most:
            text = text[: -len(text.split(mark, most + 1)[-1]) - len(mark)]
    return text
