"""How times and numbers are written."""

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


def format_bytes(size):
    """A number of bytes in a unit that suits it, of 1024 the one below."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size} B" if unit == "B" else f"{_four_digits(size)} {unit}"


_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def format_amount(amount):
    """An amount of work: up to four digits as it is, else with four significant ones and a prefix of SI."""
    if amount == int(amount) and amount < 10_000:
        return f"{int(amount)}"
    for prefix in _PREFIXES:
        if amount < 999.95 or prefix == _PREFIXES[-1]:
            break
        amount /= 1000
    text = _four_digits(amount) if 0.999 <= amount < 1e6 else f"{amount:.4g}"
    return f"{text} {prefix}".rstrip()


def format_value(value):
    """A value of any sign and size, with four significant digits."""
    return f"{value:.4g}"


def format_count(count):
    """A count with its thousands set apart."""
    return f"{count:,}".replace(",", " ")


def format_share(part, whole):
    """Per cent of the whole; of several at the same time, how often the whole."""
    percent = f"{100 * part / whole:.1f}"
    return percent if part <= whole or percent == "100.0" else f"×{part / whole:.1f}"


def many(count, what):
    """That many, in words: "1 region", "2 regions"."""
    return f"{format_count(count)} {what}{'' if count == 1 else 's'}"
