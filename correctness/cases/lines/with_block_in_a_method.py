"""A block in a method has its lines, from the first time it is entered."""

from probe import expect_hits, recording, region


class Solver:
    def solve(self):
        with region("solve"):
            total = 0  # hits: 2
            for i in range(3):  # hits: 8
                total += i  # hits: 6
        return total


with recording("lines"):
    Solver().solve(), Solver().solve()

expect_hits()
