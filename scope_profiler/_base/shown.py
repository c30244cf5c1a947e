"""How text that came from data is shown: names, labels, paths, source lines, messages of errors.

Whatever is printed goes through here, so that no such text can move the cursor, change the title of
the terminal, reverse the direction of writing or begin a line of its own.
"""

from unicodedata import category, combining, east_asian_width

_WIDE = ("W", "F")


def shown(text):
    """The text on one line, with an escape such as \\x1b for each character that is not printed."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character):
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def cells(text):
    """How many cells of a terminal a shown text takes: East Asian characters and emoji take two."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character):
    if combining(character) or category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in _WIDE else 1


def padded(text, width, right=False):
    """The text with spaces up to so many cells, behind it or, to set it right, before it."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def shortened(text, width):
    """The text in so many cells at most: of a longer one, begin and end."""
    if cells(text) <= width:
        return text
    tail = _begin(text[::-1], (width - 1) // 2)[::-1]
    return f"{_begin(text, width - 1 - cells(tail))}…{tail}"


def cut(text, width):
    """The text in so many cells at most: of a longer one, the begin."""
    return text if cells(text) <= width else f"{_begin(text, width - 1)}…"


def _begin(text, width):
    used = 0
    for at, character in enumerate(text):
        used += _cells_of(character)
        if used > width:
            return text[:at]
    return text
