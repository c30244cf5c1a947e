"""For tests that need h5py: a module that imports this first is skipped where there is none."""

import pytest

h5py = pytest.importorskip("h5py")

__all__ = ["h5py"]
