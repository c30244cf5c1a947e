"""Where 0.7.5 has reading and writing files."""

from .io import load, read_profile, sniff_profile_format, write_profile

__all__ = ["load", "read_profile", "sniff_profile_format", "write_profile"]
