"""How text gets to a stream: plain, or with colours when it is a terminal."""

from ..settings import stream as checked_stream

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))


def format_time(ns):
    """A duration in a unit that suits it, with four significant digits."""
    for size, unit in _UNITS:
        if abs(ns) >= size:
            return f"{_four_digits(ns / size)} {unit}"
    return f"{ns} ns"


def _four_digits(value):
    whole = len(str(int(abs(value))))
    return f"{value:.{max(0, 4 - whole)}f}"


def format_count(count):
    """A count with its thousands set apart."""
    return f"{count:,}".replace(",", " ")


def printer(stream):
    """The Printer that fits the stream; without one, as sys.stdout may be None, nothing is
    printed. TypeError when it is something else."""
    if stream is not None:
        checked_stream("stream", stream)
    is_terminal = getattr(stream, "isatty", None)
    if is_terminal is not None and is_terminal():
        return _ColourPrinter(stream)
    return Printer(stream)


class Printer:
    """Plain text. What the stream's encoding lacks is written in ASCII."""

    _ASCII = str.maketrans({"├": "|", "└": "`", "─": "-", "│": "|", "µ": "u", "–": "-", "…": "~"})

    def __init__(self, stream):
        self._stream = stream
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            "├└─│µ–…".encode(encoding)
            self._plain = False
        except (UnicodeError, LookupError):
            self._plain = True
        self._encoding = encoding

    def line(self, text="", share=None):
        """Write a line. share: the part of the whole it stands for (0 to 1), for colours."""
        self._write(text)

    def head(self, text):
        """Write a line that heads a table."""
        self._write(text)

    def _write(self, text):
        if self._plain:
            text = text.translate(self._ASCII)
            text = text.encode(self._encoding, "replace").decode(self._encoding)
        print(text, file=self._stream)  # which has nothing to say to a stream that is None


class _ColourPrinter(Printer):
    """Through rich, on a terminal: what takes most of the time stands out."""

    def __init__(self, stream):
        super().__init__(stream)
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, soft_wrap=True)

    def line(self, text="", share=None):
        self._write(text, _colour(share))

    def head(self, text):
        self._write(text, "bold")

    def _write(self, text, style=""):
        if self._plain:
            text = text.translate(self._ASCII)
        self._console.print(text, style=style, markup=False)


def _colour(share):
    if share is None:
        return ""
    if share >= 0.25:
        return "bold red"
    if share >= 0.05:
        return "yellow"
    return "dim" if share < 0.001 else ""
