"""Where 0.7.5 has how calls lie in each other."""

from .results import (
    CallArrays, NestingError, build_call_arrays, build_call_stack, call_stack_children,
    call_stack_roots,
)

__all__ = ["CallArrays", "NestingError", "build_call_arrays", "build_call_stack",
           "call_stack_children", "call_stack_roots"]
