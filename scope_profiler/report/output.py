"""How text gets to a stream: all of it at once, as wide as a terminal is, coloured there."""

import os
import textwrap

from .._base.arguments import stream as checked_stream

_ASCII = str.maketrans(
    {"├": "|", "└": "`", "─": "-", "│": "|", "µ": "u", "–": "-", "…": "~", "×": "x"}
)
_HEAD, _HOT, _WARM, _COLD, _PLAIN = "\x1b[1m", "\x1b[1;31m", "\x1b[33m", "\x1b[2m", "\x1b[0m"


class Output:
    """Collects lines for a stream; deliver() writes them. Without a stream, as sys.stdout may be
    None, nothing is written. Raises TypeError when it is something else.

    is_terminal: whether the stream is one. width: its cells in a line; None where there is no
    limit.
    """

    def __init__(self, stream):
        if stream is not None:
            checked_stream("stream", stream)
        self._stream = stream
        self._text = []
        is_terminal = getattr(stream, "isatty", None)
        self.is_terminal = bool(is_terminal is not None and is_terminal())
        self.width = _width(stream) if self.is_terminal else None
        self._coloured = (self.is_terminal and not os.environ.get("NO_COLOR")
                          and os.environ.get("TERM") != "dumb")

    @property
    def is_empty(self):
        """Whether nothing has been collected since it was delivered."""
        return not self._text

    def line(self, text="", share=None):
        """A line. share: the part of the whole that it stands for (0 to 1), for colours."""
        self._add(text, _colour(share))

    def head(self, text):
        """A line that heads a table."""
        self._add(text, _HEAD)

    def title(self, text):
        """A line that heads everything, or several where one is too short."""
        for line in self._wrapped(text):
            self.head(line)

    def note(self, text):
        """A sentence, on several lines where one is too short."""
        for line in self._wrapped(text):
            self.line(line)

    def _wrapped(self, text):
        return textwrap.wrap(text, self.width) if self.width else [text]

    def _add(self, text, colour=""):
        if colour and self._coloured and text:
            text = f"{colour}{text}{_PLAIN}"
        self._text.append(text + "\n")

    def deliver(self):
        """Write what has been collected."""
        text, self._text = "".join(self._text), []
        if self._stream is not None:
            _write(self._stream, _encodable(text, self._stream))


def _width(stream):
    try:
        return int(os.environ["COLUMNS"]) or 80
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


def _colour(share):
    if share is None:
        return ""
    if share >= 0.25:
        return _HOT
    if share >= 0.05:
        return _WARM
    return _COLD if share < 0.001 else ""


def _encodable(text, stream):
    """The text with nothing in it that the stream's encoding lacks."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeError:
        text = text.translate(_ASCII)
        return text.encode(encoding, "replace").decode(encoding)
    except LookupError:
        return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    return text


def _write(stream, text):
    """Nothing stays in the buffers of a file, where it could only fail when the program flushes or
    ends: of a closed pipe."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    if raw is None or os.linesep != "\n":
        stream.write(text)
        stream.flush() if hasattr(stream, "flush") else None
        return
    stream.flush()
    rest = memoryview(text.encode(stream.encoding))
    while rest:
        rest = rest[raw.write(rest) or 0:]
