"""Lines of Python with marks around keywords, texts, comments and numbers."""

from __future__ import annotations

import builtins
import io
import keyword
import token
import tokenize
from collections.abc import Sequence
from typing import NamedTuple

_BUILTINS = {name for name in dir(builtins) if not name.startswith("_")}
_TEXTS = {token.STRING, *(getattr(token, name) for name in
                          ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END",
                           "TSTRING_START", "TSTRING_MIDDLE", "TSTRING_END") if hasattr(token, name))}


class Piece(NamedTuple):
    """A part of a line: its text, and "keyword", "text", "comment", "number", "builtin" or ""."""

    text: str
    kind: str


def highlighted(lines: Sequence[str]) -> list[list[Piece]]:
    """Each line in pieces. What is no Python, or part of some, comes as it is from there on."""
    marks: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    reader = io.StringIO("\n".join(lines) + "\n").readline
    try:
        for each in tokenize.generate_tokens(reader):
            kind = _kind(each)
            if kind:
                _mark(marks, lines, each.start, each.end, kind)
    except (tokenize.TokenError, SyntaxError, ValueError):  # the part of a file, or another language
        pass
    return [_pieces(line, of_line) for line, of_line in zip(lines, marks)]


def _kind(each: tokenize.TokenInfo) -> str:
    if each.type in _TEXTS:
        return "text"
    if each.type == token.NAME and keyword.iskeyword(each.string):
        return "keyword"
    if each.type == token.NAME and each.string in _BUILTINS:
        return "builtin"
    return {tokenize.COMMENT: "comment", token.NUMBER: "number"}.get(each.type, "")


def _mark(marks: list[list[tuple[int, int, str]]], lines: Sequence[str], start: tuple[int, int],
          end: tuple[int, int], kind: str) -> None:
    for row in range(start[0] - 1, min(end[0], len(lines))):
        begin = start[1] if row == start[0] - 1 else 0
        stop = end[1] if row == end[0] - 1 else len(lines[row])
        if begin < stop:
            marks[row].append((begin, stop, kind))


def _pieces(line: str, marks: list[tuple[int, int, str]]) -> list[Piece]:
    pieces, done = [], 0
    for begin, end, kind in marks:
        if begin < done:
            continue
        if begin > done:
            pieces.append(Piece(line[done:begin], ""))
        pieces.append(Piece(line[begin:end], kind))
        done = end
    if done < len(line):
        pieces.append(Piece(line[done:], ""))
    return pieces
