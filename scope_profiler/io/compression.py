"""How the columns of an HDF5 file are compressed.

Nothing heavy is imported here, so that settings can be checked when a run is set up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._base.arguments import any_of, text_or_none

#: The filters by name, and the levels that each has.
LEVELS = {"auto": range(10), "gzip": range(10), "lzf": range(0), "zstd": range(1, 23)}

#: With "auto", runs of fewer calls stay uncompressed: they are small either way.
AUTO_CALLS = 1 << 14

#: A chunk may have 4 GiB.
LARGEST_CHUNK = 1 << 28

_DEFAULT_LEVELS = {"auto": 1, "gzip": 4, "zstd": 3}
_DEFAULT_CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class Compression:
    """Checked settings; `check_compression` makes them."""

    name: str | None = None
    level: int | None = None
    chunk_size: int | None = None

    def rows_per_chunk(self, length: int) -> int | None:
        """How a column of so many rows is divided; None where it is in one piece."""
        if not length or self.name is None and self.chunk_size is None:
            return None
        if self.name == "auto" and length < AUTO_CALLS and self.chunk_size is None:
            return None
        return min(length, self.chunk_size or _DEFAULT_CHUNK)

    def filters(self, length: int) -> dict[str, Any]:
        """Keywords of h5py's `create_dataset`, for a column of so many rows."""
        name, level = self.name, self.level
        if name is None or not length or name == "auto" and length < AUTO_CALLS:
            return {}
        level = _DEFAULT_LEVELS.get(name) if level is None else level
        if name == "zstd":
            import hdf5plugin

            return {**hdf5plugin.Zstd(clevel=level), "shuffle": True}
        if name == "lzf":
            return {"compression": "lzf", "shuffle": True}
        return {"compression": "gzip", "compression_opts": level, "shuffle": True}


def check_compression(
    compression: str | None = None,
    compression_level: int | None = None,
    chunk_size: int | None = None,
) -> Compression:
    """The settings for compressing a file, after they have been checked.

    Parameters
    ----------
    compression
        None or "none" for none; "gzip", "lzf" or "zstd"; "auto" for gzip on
        runs of at least 16 384 calls, at its fastest level, which keeps
        3 to 5 of 24 bytes per call.
    compression_level
        0 to 9 with "gzip" and "auto", 1 to 22 with "zstd"; "lzf" has none.
        None for 4, 1 and 3. Without compression it has no effect.
    chunk_size
        Rows that are stored, and compressed, together; None for 16 384, or
        for one piece where nothing is compressed.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what it got and what it takes.
    ImportError
        When "zstd" is asked for and hdf5plugin is not installed.
    """
    if compression is not None:
        text_or_none("compression", compression)
        compression = compression.strip().lower()
        if compression in ("", "none"):
            compression = None
        elif compression not in LEVELS:
            raise ValueError(f"compression must be None, {any_of(LEVELS)}; got {compression!r}")
    if compression_level is not None:
        _check_integer("compression_level", compression_level)
        if compression == "lzf":
            raise ValueError(f"compression 'lzf' takes no level; got {compression_level!r}")
        if compression is not None and compression_level not in LEVELS[compression]:
            levels = LEVELS[compression]
            raise ValueError(
                f"compression_level must be in {levels[0]}..{levels[-1]} "
                f"for {compression!r}; got {compression_level!r}"
            )
    if chunk_size is not None:
        _check_integer("chunk_size", chunk_size)
        if not 1 <= chunk_size <= LARGEST_CHUNK:
            raise ValueError(f"chunk_size must be in 1..{LARGEST_CHUNK}; got {chunk_size!r}")
    if compression == "zstd":
        _check_plugin()
    return Compression(compression, compression_level, chunk_size)


def _check_integer(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int or None; got {value!r}")


def _check_plugin() -> None:
    from importlib.util import find_spec

    if find_spec("hdf5plugin") is None:
        raise ImportError(
            "compression 'zstd' needs hdf5plugin, which is not installed: pip install hdf5plugin"
        )
