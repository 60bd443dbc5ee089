"""A process of the tests of durability: it commits without end, and kills itself where it is told.

    python committing.py FOLDER KILL_AT SEED

prints the number of documents after each acknowledged commit. KILL_AT counts file operations (open,
rename, remove, mkdir, list), so that every moment between two of them can be tried.
"""

import os
import signal
import sys
from pathlib import Path
from random import Random

from index.analysis import Analyzer, FieldTokens
from index.backends.vector_codec.container import ContainerWriter
from index.backends.whoosh import WhooshIndex
from index.schema import TEXT_FIELDS, IndexBatch, IndexDocument

_OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.listdir", "os.rmdir"}


def batch(first: int, count: int, analyzer: Analyzer) -> IndexBatch:
    """Documents numbered from `first`; each one's title has its number as a word."""
    numbers = range(first, first + count)
    texts = {"title": [f"第 n{number} 号" for number in numbers]}
    empty = [""] * count
    fields: dict[str, FieldTokens] = {
        name: analyzer.field_tokens(texts.get(name, empty)) for name in TEXT_FIELDS
    }
    documents = tuple(
        IndexDocument(
            id=f"{number:016x}",
            published=number,
            day_only=False,
            category="",
            url=None,
            title="",
            author="",
            source="甲报",
            organisations=(),
            identifiers=(),
            cluster="",
            size=0,
        )
        for number in numbers
    )
    return IndexBatch(documents, fields)


def main(folder: Path, kill_at: int, seed: int) -> None:
    random = Random(seed)
    analyzer = Analyzer()
    index = WhooshIndex(folder, "tests")
    written = index.revision
    happened = 0

    def count() -> None:
        nonlocal happened
        happened += 1
        if happened == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _OPERATIONS and str(folder) in str(arguments[0]):
            count()

    add = ContainerWriter.add

    def counted_add(self: ContainerWriter, *arguments: object) -> None:
        count()  # between two sections of a file
        add(self, *arguments)  # type: ignore[arg-type]

    ContainerWriter.add = counted_add  # type: ignore[method-assign]
    sys.addaudithook(hook)
    while True:
        size = random.randint(1, 40)
        if not written or random.random() < 0.2:
            with index.writer(written + size, rebuild=True) as writer:
                for first in range(0, written + size, 50):
                    part = min(50, written + size - first)
                    writer.update_documents(batch(first, part, analyzer))
        else:
            with index.writer(written + size) as writer:
                # One document again, in place of its former self.
                again = random.randrange(written)
                writer.update_documents(batch(again, 1, analyzer))
                writer.update_documents(batch(written, size, analyzer))
        written += size
        print(written, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
