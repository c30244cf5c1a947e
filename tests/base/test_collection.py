"""collection.py: garbage collection is put off, and is as it was afterwards."""

import gc

import pytest

from scope_profiler._base import collection


def test_it_is_as_it_was_afterwards():
    with pytest.raises(KeyError), collection.put_off():
        assert not gc.isenabled()
        with collection.put_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with collection.put_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
