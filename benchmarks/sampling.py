"""The sampler against truth, and what it costs.

    python benchmarks/sampling.py [--runs 100] [--rounds 30]

Truth: programs that read the clock around what they do, and so know the share of each part. Each is sampled
so many times; of each part it is said how often its share was in the interval of 95 % that the report shows.
Cost: a program of Python code alone, in turns with and without a sampler at 1 kHz, in processor time, as the
machine may have other things to do.
"""

import argparse
import threading
import time

import scope_profiler as sp

SECONDS = 0.4
HZ = 1000


class Parts:
    """The parts of a program and the time that each has taken, ns, of all time or of the thread's own."""

    def __init__(self, clock):
        self.taken = {}
        self._now = time.perf_counter_ns if clock == "wall" else time.thread_time_ns

    def run(self, function, *arguments):
        begun = self._now()
        function(*arguments)
        name = function.__name__
        self.taken[name] = self.taken.get(name, 0) + self._now() - begun

    def shares(self):
        whole = sum(self.taken.values())
        return {name: taken / whole for name, taken in self.taken.items()}


# ---- Loops, each round of which gives the interpreter a chance to stop


def half(rounds=5000):
    total = 0
    for i in range(rounds):
        total += i * i


def third(rounds=3000):
    total = 0
    for i in range(rounds):
        total += i * i


def rest(rounds=2000):
    total = 0
    for i in range(rounds):
        total += i * i


def loops(parts):
    for function in (half, third, rest):
        parts.run(function)


# ---- Operators, in the middle of which it never has one

_LARGE = 3**20_000


def products():
    return _LARGE * _LARGE


def quotients():
    return (_LARGE // 7) * 3 // 5


def sums_in_c():
    sum(range(5000))


def operators(parts):
    for function in (products, quotients, sums_in_c):
        parts.run(function)


# ---- Threads that wait, beside one that computes


def waits(event):
    event.wait()


def with_a_thread(parts):
    event = threading.Event()
    thread = threading.Thread(target=waits, args=(event,))
    thread.start()
    parts.run(half)
    parts.run(third)
    event.set()
    thread.join()


PROGRAMS = (loops, operators, with_a_thread)


def look(program, clock):
    """{part: whether its share was in its interval} of one run."""
    parts = Parts(clock)
    manager = sp.ProfileManager()
    with manager.session(sample=HZ, sample_clock=clock, output=None, verbose=False,
                         return_results=True) as run:
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            program(parts)
    samples = run.results.recorded[0].samples
    shares = parts.shares()
    total = {one.place.name: one.total for one in samples.functions()}
    known = {name: total.get(name, 0) for name in shares}
    whole = sum(known.values())
    found = {}
    for name, share in shares.items():
        _, low, high = interval(known[name], whole, samples)
        found[name] = low <= share <= high
    return found, shares


def interval(count, whole, samples):
    """(share, low, high), of the samples that are in any part: as sure as the report takes them to be."""
    from scope_profiler._model.samples import wilson

    share = count / whole
    return (share, *wilson(share, whole * min(samples.instants / samples.ticks, 1)))


def truth(runs, clock):
    print(f"Shares of {clock} time in their interval of 95 %, of {runs} runs at {HZ} Hz:")
    for program in PROGRAMS:
        right, last = {}, {}
        for _ in range(runs):
            found, last = look(program, clock)
            for name, is_right in found.items():
                right[name] = right.get(name, 0) + is_right
        for name, count in right.items():
            print(f"  {program.__name__:14} {name:10} {100 * last[name]:5.1f} %   {count}/{runs}")


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def work():
    """The processor time of the thread for some work, and that of all other threads meanwhile, ns."""
    thread, process = time.thread_time_ns(), time.process_time_ns()
    fibonacci(20)
    half(40_000)
    products()
    taken = time.thread_time_ns() - thread
    return taken, time.process_time_ns() - process - taken


def cost(rounds):
    plain, sampled = [], []
    for _ in range(rounds):
        plain += [work() for _ in range(20)]
        with sp.ProfileManager().session(sample=HZ, output=None, verbose=False):
            sampled += [work() for _ in range(20)]
    others = sum(other for _, other in sampled) / sum(own for own, _ in sampled)
    for what, place in (("least", 0), ("median", len(plain) // 2)):
        slower = sorted(sampled)[place][0] / sorted(plain)[place][0]
        print(f"Processor time of a program at {HZ} Hz, {what} of {len(plain)}: {slower:.3f} times")
    print(f"Processor time of the sampler's own thread: {others:.3f} of the program's")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=30)
    chosen = parser.parse_args()
    for clock in ("wall", "cpu"):
        if chosen.runs:
            truth(chosen.runs, clock)
    if chosen.rounds:
        cost(chosen.rounds)


if __name__ == "__main__":
    main()
