"""A program whose calls are known, to be killed: what a journal has of it is compared with that.

python journal_program.py OUTPUT PROGRESS THREADS CALLS END...: each thread makes so many calls, and says in
the file PROGRESS, 8 bytes each, how many are over. END: "kill AT", "exit AT", "segfault AT": in the last
thread, after that many; "none": it goes on until it is killed.
"""

import contextlib
import ctypes
import mmap
import os
import signal
import sys
import threading

REGIONS = 11  # more than threads, of which each begins with another one


def region_of(thread, number):
    """The name of the region of a thread's call of that number."""
    return f"r{(number * number + thread) % REGIONS}"


def step_of(number):
    """Its metadata."""
    return number // 50


def main(output, progress, threads, calls, end, at=-1):
    import scope_profiler as sp

    sp.setup(output=output, journal=True, verbose=False)
    with open(progress, "r+b") as file:
        done = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    regions = {name: sp.profile_region(name) for name in (f"r{n}" for n in range(REGIONS))}

    def work(thread):
        number = 0
        while number != calls:
            with sp.metadata(step=step_of(number)) if thread == 0 else contextlib.nullcontext():
                for number in range(number, min(number + 50, calls)):
                    with regions[region_of(thread, number)]:
                        pass
                    done[thread] = number + 1
                    if number == at and thread == threads - 1:
                        stop(end)
            number += 1

    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(1, threads)]
    for worker in workers:
        worker.start()
    work(0)
    for worker in workers:
        worker.join()
    return sp


def stop(end):
    if end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif end == "exit":
        os._exit(3)
    elif end == "segfault":
        ctypes.string_at(0)


if __name__ == "__main__":
    output, progress, threads, calls, end, *at = sys.argv[1:]
    sp = main(output, progress, int(threads), int(calls), end, *map(int, at))
    if end == "finalize":
        sp.finalize(verbose=False)
