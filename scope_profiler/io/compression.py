"""How the columns of an HDF5 file are compressed.

Nothing heavy is imported here, so that settings can be checked when a run is set up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._base.arguments import integer_or_none
from ..config.kinds import COMPRESSION, check_level

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
        level = _DEFAULT_LEVELS.get(name, 0) if level is None else level
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

    compression: None or "none" for none; "gzip", "lzf" or "zstd"; "auto" for gzip on runs of at
        least 16 384 calls, at its fastest level, which keeps 3 to 5 of 24 bytes per call.
    compression_level: 0 to 9 with "gzip" and "auto", 1 to 22 with "zstd"; "lzf" has none. None for
        4, 1 and 3. Without compression it has no effect.
    chunk_size: Rows that are stored, and compressed, together; None for 16 384, or for one piece
        where nothing is compressed.

    Raises TypeError or ValueError naming the argument, what it got and what it takes.
    Raises ImportError when "zstd" is asked for and hdf5plugin is not installed.
    """
    name = None if compression is None else COMPRESSION.check("compression", compression)
    name = None if name == "none" else name
    level = integer_or_none("compression_level", compression_level)
    if name is not None and level is not None:
        check_level(name, level, f"compression_level={level}")
    chunk_size = integer_or_none("chunk_size", chunk_size)
    if chunk_size is not None and not 1 <= chunk_size <= LARGEST_CHUNK:
        raise ValueError(f"chunk_size must be in 1..{LARGEST_CHUNK}; got {chunk_size!r}")
    if name == "zstd":
        _check_plugin()
    return Compression(name, level, chunk_size)


def _check_plugin() -> None:
    from importlib.util import find_spec

    if find_spec("hdf5plugin") is None:
        raise ImportError(
            "compression 'zstd' needs hdf5plugin, which is not installed: pip install hdf5plugin"
        )
