"""Callbacks of sys.monitoring."""

import sys
import types

import pytest

from scope_profiler import _core

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring")


def callbacks():
    return [name for name in dir(_core) if name.startswith("on_")]


def test_none_is_a_built_in_function_which_the_interpreter_calls_with_more_ado():
    assert callbacks()
    assert not [name for name in callbacks()
                if isinstance(getattr(_core, name), types.BuiltinFunctionType)]


@pytest.mark.parametrize("name", callbacks())
@pytest.mark.parametrize("arguments", [(), (1, 2), (None,) * 3, (compile("", "", "exec"), None)])
def test_called_by_hand_each_refuses(name, arguments):
    with pytest.raises(TypeError, match="called by sys.monitoring"):
        getattr(_core, name)(*arguments)
