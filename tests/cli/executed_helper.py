"""A module of executed_program."""
X = [i * 2 for i in range(5)]


def helped(n):
    total = 0
    for i in range(n): total += i
    return total


class Base:
    x = 1

    def __init__(self, y):
        self.y = y

    @property
    def double(self): return self.y * 2

    @staticmethod
    def s(a,
          b=2):
        return (a
                + b)
