"""A program that ends with sys.exit(3) has written its 2 calls, and its status is 3."""

from probe import expect, expect_calls, run_program

status = run_program("""
import sys

from probe import profiled

@profiled("f")
def f():
    pass

f(), f()
sys.exit(3)
""")

expect("its status", 3, status)
expect_calls("f", 2)
