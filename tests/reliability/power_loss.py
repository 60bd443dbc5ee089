"""What a disk may hold after a power cut: a run's system calls recorded, and replayed in part.

`record` runs a program under strace and reads from its log what it did to one folder. `Disk` takes
these events one by one and knows what is certain to survive: of a file what was written before its
last fsync or fdatasync, of a folder's entries what was changed before the last fsync of that folder
itself. Everything later may survive or not, each change for itself, a write in any of its sectors.
"""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple

__all__ = ["LOSSES", "Disk", "Event", "Loss", "record"]

_SECTOR = 512
_TRACED = (
    "open,openat,creat,close,dup,dup2,dup3,lseek,read,readv,write,writev,pwrite64,pwritev,pwritev2,"
    "truncate,ftruncate,fallocate,copy_file_range,sendfile,splice,rename,renameat,renameat2,"
    "link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
    "mmap,fsync,fdatasync,sync,syncfs,sync_file_range,msync"
)
_LINE = re.compile(r"(?P<process>\d+) +(?P<call>\w+)\((?P<arguments>.*)\) += (?P<result>\S+)")
_RESUMED = re.compile(r" *<\.\.\. \w+ resumed>")
_UNFINISHED = " <unfinished ...>\n"
_DESCRIPTOR = re.compile(r"(?P<number>\w+)<(?P<path>.*?)>$")
# Neither SQLite nor Python nor NumPy uses these here: that they do not is asserted.
_NOT_MODELLED = {
    *("writev", "pwritev", "pwritev2", "truncate", "fallocate", "copy_file_range", "sendfile"),
    *("splice", "link", "linkat", "symlink", "symlinkat", "sync", "syncfs", "sync_file_range"),
    *("msync", "dup", "dup2", "dup3"),
}


class Event(NamedTuple):
    """One change of the folder, or a line that the program wrote to its file of marks."""

    kind: Literal["create", "write", "truncate", "rename", "unlink", "mkdir", "sync", "mark"]
    path: str = ""
    """Relative to the folder; empty for the folder itself."""

    offset: int = 0
    data: bytes = b""
    target: str = ""


def record(command: Sequence[str], folder: Path, marks: Path, log: Path) -> list[Event]:
    """Run a command; return what it did to `folder`, with what it wrote to `marks` in its place."""
    process = subprocess.run(
        [
            *("strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", str(1 << 26), "-o", str(log)),
            *("-e", f"trace={_TRACED}", "-e", "raw=read,readv,close", "-e", "signal=none"),
            *command,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    with log.open(encoding="ascii") as lines:
        return list(_events(lines, folder, marks))


def _bytes(quoted: str) -> bytes:
    return bytes.fromhex(quoted.strip('"').replace("\\x", ""))


def _text(quoted: str) -> str:
    return _bytes(quoted).decode()


def _folder_of(descriptor: str) -> str:
    found = _DESCRIPTOR.match(descriptor)
    assert found is not None
    return _text(found["path"])


class _Calls:
    """Follows the offsets of open files, which `write` alone does not tell."""

    def __init__(self, folder: Path, marks: Path) -> None:
        self._folder, self._marks = str(folder), str(marks)
        self._known: set[str] = {""}
        self._offsets: dict[tuple[str, int], int] = {}

    def _inside(self, name: str, base: str = "") -> str | None:
        """Return a path relative to the folder, None where it is elsewhere."""
        path = name if name.startswith("/") else f"{base}/{name}"
        if path == self._folder:
            return ""
        inside = path.removeprefix(f"{self._folder}/")
        return inside if inside != path else None

    def events(self, process: str, call: str, arguments: list[str], result: str) -> Iterator[Event]:
        # Threads share descriptors; the program has one process that opens files of the folder.
        if call in ("read", "readv"):
            number = int(arguments[0], 16)
            if (process, number) in self._offsets:
                self._offsets[process, number] += int(result, 16)
            return
        if call == "close":
            self._offsets.pop((process, int(arguments[0], 16)), None)
            return
        paths = self._paths(call, arguments)
        if not any(path is not None for path in paths):
            yield from self._mark(call, arguments)
            return
        path, target = paths[0] or "", paths[1] if len(paths) > 1 else None
        assert call not in _NOT_MODELLED, f"{call} of {path} is not modelled"
        match call:
            case "open" | "openat" | "creat":
                yield from self._open(process, path, " ".join(arguments[1:]), result)
            case "lseek":
                self._offsets[process, self._number(arguments[0])] = int(result)
            case "write":
                key = process, self._number(arguments[0])
                yield self._written(path, self._offsets[key], arguments[1], int(result))
                self._offsets[key] += int(result)
            case "pwrite64":
                yield self._written(path, int(arguments[3]), arguments[1], int(result))
            case "ftruncate":
                yield Event("truncate", path, int(arguments[1]))
            case "rename" | "renameat" | "renameat2":
                assert target is not None
                moved = {
                    each for each in self._known if each == path or each.startswith(f"{path}/")
                }
                self._known |= {target + each[len(path) :] for each in moved}
                self._known -= moved
                yield Event("rename", path, target=target)
            case "unlink" | "unlinkat" | "rmdir":
                self._known.discard(path)
                yield Event("unlink", path)
            case "mkdir" | "mkdirat":
                self._known.add(path)
                yield Event("mkdir", path)
            case "fsync" | "fdatasync":
                yield Event("sync", path)
            case "mmap":
                shared = "MAP_SHARED" in arguments[3] and "PROT_WRITE" in arguments[2]
                # What is in SQLite's -shm need not survive: the first to open it makes it anew.
                assert not shared or path.endswith("-shm"), f"{path} is written through a mapping"

    def _paths(self, call: str, arguments: list[str]) -> list[str | None]:
        """Return the files and folders that a call is about; None for those that are elsewhere."""
        if call.endswith(("at", "at2")):
            pairs = zip(arguments[::2], arguments[1::2], strict=False)
            named = [pair for pair in pairs if pair[1].startswith('"')]
            return [self._inside(_text(name), _folder_of(base)) for base, name in named]
        found = [_DESCRIPTOR.match(argument) for argument in arguments]
        if any(found):
            return [self._inside(_text(each["path"])) for each in found if each]
        names = [_text(each) for each in arguments if each.startswith('"')]
        return [self._inside(name) for name in names if name.startswith("/")]

    def _number(self, argument: str) -> int:
        return int(argument.partition("<")[0])

    def _open(self, process: str, path: str, flags: str, result: str) -> Iterator[Event]:
        key = process, self._number(result)
        assert "O_APPEND" not in flags
        if "O_DIRECTORY" not in flags:
            self._offsets[key] = 0
        if "O_CREAT" in flags and path not in self._known:
            self._known.add(path)
            yield Event("create", path)
        elif "O_TRUNC" in flags:
            yield Event("truncate", path, 0)

    def _written(self, path: str, offset: int, quoted: str, count: int) -> Event:
        data = _bytes(quoted)
        assert len(data) == count, f"a write of {path} was recorded in part"
        return Event("write", path, offset, data)

    def _mark(self, call: str, arguments: list[str]) -> Iterator[Event]:
        descriptor = _DESCRIPTOR.match(arguments[0]) if call == "write" else None
        if descriptor and _text(descriptor["path"]) == self._marks:
            yield Event("mark", data=_bytes(arguments[1]))


def _events(lines: Iterable[str], folder: Path, marks: Path) -> Iterator[Event]:
    calls = _Calls(folder, marks)
    begun: dict[str, str] = {}  # calls that another thread's line stands in the midst of
    for line in lines:
        process, _, rest = line.partition(" ")
        if rest.endswith(_UNFINISHED):
            begun[process] = line.removesuffix(_UNFINISHED)
            continue
        resumed = _RESUMED.match(rest)
        found = _LINE.match(begun.pop(process) + rest[resumed.end() :] if resumed else line)
        if found is None or found["result"].startswith("-1"):
            continue  # a signal, an exit, or a call that failed
        arguments = found["arguments"].split(", ")
        yield from calls.events(process, found["call"], arguments, found["result"])


# What survives

_Change = tuple[int, bytes | None]
"""Offset and bytes of a write, or the new size and None."""


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[_Change] = field(default_factory=list)


@dataclass
class _Folder:
    durable: dict[str, "_Node"] = field(default_factory=dict)
    entries: dict[str, "_Node"] = field(default_factory=dict)
    """As the running program sees them."""

    pending: list[dict[str, "_Node | None"]] = field(default_factory=list)
    """Names that get another node or none; a rename changes two at once."""

    def change(self, names: dict[str, "_Node | None"]) -> None:
        self.pending.append(names)
        _apply(self.entries, names)


_Node = _File | _Folder


def _apply(entries: dict[str, _Node], names: dict[str, "_Node | None"]) -> None:
    for name, node in names.items():
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


class Loss(NamedTuple):
    """What of the unsynced is lost: whether a change of entries survives, and what of a write."""

    name: str
    entry: Callable[[Random], bool]
    sectors: Callable[[Random, int], list[bool]]


def _all(_: Random, count: int) -> list[bool]:
    return [True] * count


def _none(_: Random, count: int) -> list[bool]:
    return [False] * count


def _torn(random: Random, count: int) -> list[bool]:
    whole = random.random()
    if whole < 0.7:
        return [whole < 0.35] * count
    return [random.random() < 0.5 for _ in range(count)]


LOSSES = (
    Loss("everything unsynced", lambda _: False, _none),
    Loss("nothing", lambda _: True, _all),
    Loss("what was written", lambda _: True, _none),
    Loss("names", lambda _: False, _all),
    Loss("some", lambda random: random.random() < 0.5, _torn),
)


class Disk:
    """A folder as the recorded program left it, and what of it survives a power cut."""

    def __init__(self) -> None:
        self._root = _Folder()

    def happen(self, event: Event) -> None:
        """Take the next event; marks change nothing."""
        folder, name = self._parent(event.path)
        match event.kind:
            case "create":
                folder.change({name: _File()})
            case "mkdir":
                folder.change({name: _Folder()})
            case "unlink":
                folder.change({name: None})
            case "rename":
                target, new_name = self._parent(event.target)
                assert target is folder, "a rename between folders is not modelled"
                folder.change({name: None, new_name: folder.entries[name]})
            case "write":
                self._file(event.path).pending.append((event.offset, event.data))
            case "truncate":
                self._file(event.path).pending.append((event.offset, None))
            case "sync":
                self._sync(self._node(event.path))

    def survive(self, loss: Loss, random: Random, folder: Path) -> None:
        """Write into an empty folder what is left after a power cut at this moment."""
        _survive(self._root, loss, random, folder)

    def _node(self, path: str) -> _Node:
        node: _Node = self._root
        for name in path.split("/") if path else ():
            assert isinstance(node, _Folder)
            node = node.entries[name]
        return node

    def _parent(self, path: str) -> tuple[_Folder, str]:
        parent, _, name = path.rpartition("/")
        node = self._node(parent)
        assert isinstance(node, _Folder)
        return node, name

    def _file(self, path: str) -> _File:
        node = self._node(path)
        assert isinstance(node, _File)
        return node

    def _sync(self, node: _Node) -> None:
        if isinstance(node, _File):
            for offset, data in node.pending:
                _write(node.durable, offset, data)
        else:
            node.durable = dict(node.entries)
        node.pending.clear()


def _write(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        data = b""
    content.extend(bytes(max(offset - len(content), 0)))
    content[offset : offset + len(data)] = data


def _survive(folder: _Folder, loss: Loss, random: Random, path: Path) -> None:
    entries = dict(folder.durable)
    for names in folder.pending:
        if loss.entry(random):
            _apply(entries, names)
    for name, node in entries.items():
        if isinstance(node, _Folder):
            (path / name).mkdir()
            _survive(node, loss, random, path / name)
        else:
            (path / name).write_bytes(_content(node, loss, random))


def _content(file: _File, loss: Loss, random: Random) -> bytes:
    content = bytearray(file.durable)
    for offset, data in file.pending:
        if data is None:
            if all(loss.sectors(random, 1)):
                _write(content, offset, None)
            continue
        first = offset // _SECTOR
        count = (offset + max(len(data), 1) - 1) // _SECTOR - first + 1
        for sector, survives in enumerate(loss.sectors(random, count), first):
            if survives:
                start = max(sector * _SECTOR, offset)
                end = (sector + 1) * _SECTOR
                _write(content, start, data[start - offset : end - offset])
    return bytes(content)
