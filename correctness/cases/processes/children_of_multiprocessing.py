"""Calls of children that multiprocessing forks are in what is written: 1 + 2 × 3 calls.

The program calls f once, and has two processes call it 3 times each.
"""

from probe import expect, expect_calls, run_program

status = run_program("""
import multiprocessing

from probe import profiled

@profiled("f")
def f():
    pass

def child():
    f(), f(), f()

if __name__ == "__main__":
    f()
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=child) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
""", children=True)

expect("its status", 0, status)
expect_calls("f", 7)
