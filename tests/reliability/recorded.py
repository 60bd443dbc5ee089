"""A program of the tests of durability: commands of `anwen`, one after another, with marks.

    python -m tests.reliability.recorded DATA MARKS COMMAND [-- COMMAND]...

After each commit of the store, and after each command, it writes a line of JSON to MARKS: what was
acknowledged, as [kind, {id: [checksum of the record, title]}]. The work of worker processes, which
write nothing, is done in this process, so that there is one order of system calls.
"""

import json
import sys
from pathlib import Path

import index.workers
from index.database import Database
from tests.inline import InlinePool
from tests.reliability.checking import Articles, committed_articles
from web.cli import main


def run(data: Path, marks: Path, commands: list[list[str]]) -> None:
    index.workers.ProcessPoolExecutor = InlinePool  # type: ignore[attr-defined]
    commit = Database.commit
    articles: Articles = {}
    with marks.open("wb", buffering=0) as file:

        def mark(kind: str) -> None:
            file.write(json.dumps([kind, articles]).encode())

        def marked_commit(database: Database) -> None:
            nonlocal articles
            commit(database)
            articles = committed_articles(database)
            mark("commit")

        Database.commit = marked_commit  # type: ignore[method-assign]
        for command in commands:
            main(["--data", str(data), *command], standalone_mode=False)
            mark("command")


if __name__ == "__main__":
    given: list[list[str]] = [[]]
    for argument in sys.argv[3:]:
        if argument == "--":
            given.append([])
        else:
            given[-1].append(argument)
    run(Path(sys.argv[1]), Path(sys.argv[2]), given)
