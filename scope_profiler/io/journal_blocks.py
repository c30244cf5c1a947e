"""The blocks of a journal, and what its items say. What is damaged is left out and told of."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import journal_format as form
from .allowance import Allowance
from .unreadable import CorruptProfileError, UnsupportedProfileError

_CHUNK = 1 << 20


class Block(NamedTuple):
    """A block with a sound header. head: a journal_format.BLOCK; place: of its contents in the file;
    room: bytes that may be there."""

    head: np.void
    place: int
    room: int

    @property
    def is_settled(self) -> bool:
        """Whether nothing was to be written to it any more."""
        return bool(self.head["used"])


class RegionItem(NamedTuple):
    """A region as items have it."""

    name: str
    line: int
    file: str
    tags: tuple[str, ...]


class NodeItem(NamedTuple):
    """A node of a record as items have it; region is -1 for other paths. past: of
    PASSED and OUTLIVED."""

    parent: int
    region: int
    first: int
    past: int


@dataclass
class Journal:
    """What is in a journal but the calls.

    facts: About the run. part: 1 for its first file. calls: The blocks of calls of each record.
    nodes: Of each record, by number. state: What was checkpointed last, or None.
    first, last: Ticks and ns of one instant. problems: What is missing, as sentences.
    """

    path: Path
    size: int
    facts: dict[str, Any]
    part: int
    first: tuple[int, int]
    last: tuple[int, int]
    calls: dict[int, list[Block]] = field(default_factory=dict)
    regions: dict[int, RegionItem] = field(default_factory=dict)
    nodes: dict[int, dict[int, NodeItem]] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    state: dict[str, Any] | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def scale(self) -> float:
        """Nanoseconds per tick."""
        ticks, ns = self.last[0] - self.first[0], self.last[1] - self.first[1]
        return ns / ticks if ticks > 0 < ns else 1.0


class JournalFile:
    """A journal that is open, maybe while its program goes on writing to it."""

    def __init__(self, path: Path, max_bytes: int | None = None) -> None:
        self.path = path
        self._file = open(path, "rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size
        self.facts_size = 0
        self.allowance = Allowance(self.size, max_bytes)

    def __enter__(self) -> JournalFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def corrupt(self, reason: str) -> CorruptProfileError:
        """That nothing can be read."""
        return CorruptProfileError(self.path, reason)

    def read(self, place: int, size: int) -> bytes:
        """So many bytes, or fewer at the end of the file."""
        parts = []
        while size > 0:
            self._file.seek(place)
            part = self._file.read(min(size, 1 << 26))
            if not part:
                break
            parts.append(part)
            place, size = place + len(part), size - len(part)
        return b"".join(parts)

    def contents(self, block: Block) -> bytes | None:
        """What is in a block; None where that is damaged, the whole room where it was not settled."""
        used = int(block.head["used"])
        if used > block.room:
            return None
        self.allowance.take(used or block.room, "a block of the journal")
        data = self.read(block.place, used or block.room)
        return None if used and form.hash_of(data) != int(block.head["contents"]) else data

    def links(self) -> int:
        """By how many names the file is there: 0 once it was removed."""
        return os.fstat(self._file.fileno()).st_nlink

    def grown(self) -> None:
        """See what was written to its end since."""
        self.size = os.fstat(self._file.fileno()).st_size

    def begin(self) -> Journal:
        """What its head says. Raises CorruptProfileError, UnsupportedProfileError."""
        head, facts = self._head()
        self.facts_size = int(head["facts"])
        first = int(head["ticks"]), int(head["ns"])
        return Journal(self.path, self.size, facts, int(head["part"]), first, first)

    def journal(self) -> Journal:
        """Everything but the calls. Raises CorruptProfileError, UnsupportedProfileError."""
        found = self.begin()
        states = []
        for block in self._blocks(form.HEAD.itemsize + self.facts_size, found.problems):
            kind = int(block.head["kind"])
            pair = int(block.head["ticks"]), int(block.head["ns"])
            found.last = max(found.last, pair)
            if kind == form.CALLS:
                found.calls.setdefault(int(block.head["thread"]), []).append(block)
            elif kind == form.ITEMS:
                self._read_items(block, found)
            elif kind == form.STATE:
                states.append(block)
        found.state = self.state_of(states)
        return found

    def _head(self) -> tuple[np.void, dict[str, Any]]:
        data = self.read(0, form.HEAD.itemsize)
        if len(data) < form.HEAD.itemsize:
            raise self.corrupt(
                f"the file has {len(data)} bytes, fewer than the head of a journal: its program was killed "
                "as it was made, or it is none"
            )
        head = np.frombuffer(data, form.HEAD)[0]
        if not data.startswith(form.MAGIC):
            raise self.corrupt("this is no journal")
        if int(head["order"]) != form.ORDER:
            if int(head["order"].byteswap()) == form.ORDER:
                raise UnsupportedProfileError(
                    f"{self.path}: the journal is of a machine with another byte order; read it there"
                )
            raise self.corrupt("the head of the journal is damaged")
        if int(head["version"]) != form.VERSION and form.hash_of(data[:-8]) == int(head["hash"]):
            raise UnsupportedProfileError(
                f"{self.path}: the journal has version {head['version']}, this reads {form.VERSION}"
            )
        if form.hash_of(data[:-8]) != int(head["hash"]) or int(head["page"]) != form.PAGE:
            raise self.corrupt("the head of the journal is damaged")
        length = int(head["facts"])
        if length > self.size - form.HEAD.itemsize:
            raise self.corrupt("the journal ends in its facts about the run")
        self.allowance.take(length, "the facts of the journal")
        text = self.read(form.HEAD.itemsize, length)
        facts = _json(text) if form.hash_of(text) == int(head["facts_hash"]) else None
        if not isinstance(facts, dict):
            raise self.corrupt("the facts about the run are damaged")
        return head, facts

    def _blocks(self, begin: int, problems: list[str]) -> Iterator[Block]:
        place, damaged = padded_size(begin), 0
        while place + form.BLOCK.itemsize <= self.size:
            block = self.block(place)
            if block is not None:
                yield block
                place += int(block.head["length"])
                continue
            following, pages = self._next_block(place)
            damaged += pages
            place = following
        if damaged:
            problems.append(f"{damaged} pages of the file are damaged")

    def block(self, place: int) -> Block | None:
        """The block that begins there; None where none does, or it is damaged."""
        data = self.read(place, form.BLOCK.itemsize)
        if len(data) < form.BLOCK.itemsize:
            return None
        head = np.frombuffer(data, form.BLOCK)[0]
        hashed = form.BLOCK.fields["hash"][1]  # type: ignore[index]
        length = int(head["length"])
        if (int(head["magic"]) != form.BLOCK_MAGIC or length < form.PAGE or length % form.PAGE
                or form.hash_of(data[:hashed]) != int(head["hash"])):
            return None
        begin = place + form.BLOCK.itemsize
        return Block(head, begin, min(length - form.BLOCK.itemsize, self.size - begin))

    def _next_block(self, place: int) -> tuple[int, int]:
        """Where the next block may be after what is none, and how many pages before it are not empty."""
        damaged, seek_data = 0, getattr(os, "SEEK_DATA", None)
        while place < self.size:
            if seek_data is not None:  # a hole of the file may be endless
                try:
                    data = os.lseek(self._file.fileno(), place, seek_data)
                except OSError:
                    return self.size, damaged
                place = max(place, data // form.PAGE * form.PAGE)
            words = np.frombuffer(_filled(self.read(place, _CHUNK)), np.uint64)
            pages = words.reshape(-1, form.PAGE // 8)
            begins = (pages[:, 0] & np.uint64(0xFFFFFFFF)) == form.BLOCK_MAGIC
            for page in np.flatnonzero(begins).tolist():
                if self.block(place + page * form.PAGE) is not None:
                    damaged += int(pages[:page].any(axis=1).sum())
                    return place + page * form.PAGE, damaged
            damaged += int(pages.any(axis=1).sum())
            place += len(pages) * form.PAGE
        return self.size, damaged

    # -- items -----------------------------------------------------------------

    def _read_items(self, block: Block, found: Journal) -> None:
        data = self.contents(block)
        if data is None:
            found.problems.append("a block of names is damaged")
            return
        take_items(data, found)

    def state_of(self, states: Iterable[Block]) -> dict[str, Any] | None:
        """What was checkpointed last, of the blocks with states; None where there is none in whole."""
        for block in sorted(states, key=lambda one: -int(one.head["sequence"])):
            data = self.contents(block) if block.is_settled else None
            state = None if data is None else _json(data)
            if isinstance(state, dict):
                return state
        return None


def take_items(data: bytes, found: Journal) -> int:
    """Add what items say, up to where there are none; gives how many bytes they were."""
    at = 0
    while at + form.ITEM.itemsize <= len(data):
        head = np.frombuffer(data, form.ITEM, 1, at)[0]
        kind, size = int(head["kind"]), int(head["size"])
        if kind == 0:
            break
        begin = at + form.ITEM.itemsize
        bytes_ = data[begin : begin + size]
        if len(bytes_) < size or form.hash_of(bytes_) != int(head["hash"]):
            found.problems.append("names are damaged")
            break
        try:
            _take_item(kind, bytes_, found)
        except (ValueError, IndexError, KeyError, TypeError, AttributeError):
            found.problems.append("a name is not what it should be")
        at = begin + size + -size % 8
    return at


def _take_item(kind: int, data: bytes, found: Journal) -> None:
    if kind == form.REGION:
        number, line = np.frombuffer(data, np.uint32, 2).tolist()
        texts, at = [], 8
        while at < len(data):
            size = int(np.frombuffer(data, np.uint32, 1, at)[0])
            texts.append(data[at + 4 : at + 4 + size].decode("utf-8", "surrogatepass"))
            at += 4 + size
        name, file, *tags = texts
        found.regions[number] = RegionItem(name, line, file, tuple(tags))
    elif kind == form.NODE:
        item = np.frombuffer(data, form.NODE_ITEM, 1)[0]
        nodes = found.nodes.setdefault(int(item["thread"]), {})
        nodes[int(item["node"])] = NodeItem(int(item["parent"]), int(item["region"]),
                                              int(item["first"]), int(item["past"]))
    elif kind == form.NOTE:
        note = _json(data)
        if isinstance(note, dict):
            found.notes.append(note)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def padded_size(size: int) -> int:
    """So many bytes in whole pages."""
    return size + -size % form.PAGE


def _filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % form.PAGE)
