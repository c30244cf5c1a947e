"""A program that ends with an exception has written its 2 calls, and its status is 1."""

from probe import expect, expect_calls, run_program

status = run_program("""
from probe import profiled

@profiled("f")
def f():
    pass

f(), f()
raise KeyError("key")
""")

expect("its status", 1, status)
expect_calls("f", 2)
