"""The line behind a magic of IPython: options in front, and a statement that is left as it is."""

from __future__ import annotations

import re

from IPython.core.error import UsageError

_WORD = re.compile(r"""(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\S+))(?=\s|$)""")


class MagicWords:
    """The options of a line, and its statement.

    letters: of the options, as for getopt: those with ":" take a value. Options end at the first word
    without "-", or at "--". Raises UsageError for what is none of them.
    """

    def __init__(self, line: str, letters: str) -> None:
        self._switches: set[str] = set()
        self._values: dict[str, list[str]] = {}
        with_value = {letter for letter, colon in zip(letters, letters[1:]) if colon == ":"}
        known = set(letters) - {":"}
        rest = line.strip()
        while re.match(r"-[^\s-]|--(\s|$)", rest):
            word, _, rest = rest.partition(" ")
            rest = rest.lstrip()
            if word == "--":
                break
            while word := word[1:]:
                letter = word[0]
                if letter not in known:
                    raise UsageError(f"option -{letter} not recognized (allowed: {' '.join(sorted(known))})")
                if letter not in with_value:
                    self._switches.add(letter)
                    continue
                rest = f"{word[1:]} {rest}".strip()
                match = _WORD.match(rest)
                if match is None:
                    raise UsageError(f"option -{letter} requires an argument")
                value = next(group for group in match.groups() if group is not None)
                self._values.setdefault(letter, []).append(value)
                rest = rest[match.end():].lstrip()
                break
        #: What is to be run.
        self.statement = rest

    def has(self, letter: str) -> bool:
        """Whether the switch is given."""
        return letter in self._switches

    def all(self, letter: str) -> list[str]:
        """What the option was given, each time."""
        return self._values.get(letter, [])

    def last(self, letter: str) -> str | None:
        """What the option was given last; None when it is not given."""
        return self.all(letter)[-1] if self.all(letter) else None
