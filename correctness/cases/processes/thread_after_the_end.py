"""A thread that works on when the program's last line has run is recorded to its end."""

from probe import expect, expect_calls, run_program

status = run_program("""
import threading

from probe import profiled

@profiled("f")
def f():
    pass

def target():
    threading.main_thread().join()
    f(), f()

threading.Thread(target=target).start()
""")

expect("its status", 0, status)
expect_calls("f", 2)
