"""What the trace module is compared with: each way in which lines run, and functions call."""
import asyncio
import threading
import contextlib
import sys
import scope_profiler
from executed_helper import (helped,
    Base)


def gen(n):
    try:
        for i in range(n):
            x = yield i
            if x:
                yield x
    except ValueError:
        yield -1
    finally:
        n = 0


def one(n):
    while n > 0: n -= 1
    for i in range(3): pass
    return [j for j in range(4) if j % 2]


def deep(n):
    if n == 0:
        raise KeyError(n)
    return deep(n - 1)


def catch():
    try:
        deep(4)
    except KeyError as e:
        y = str(e)
    else:
        y = 1
    finally:
        z = 2
    return y


def multi(a):
    return sum(
        x
        for x in a
        if x > 1
    ) + max(
        [1,
         2,
         helped(3)],
    )


class C(Base):
    def __init__(self):
        super().__init__(3)
        self.l = lambda q: q + 1

    def __enter__(self):
        return self

    def __exit__(self, *a):
        return True


def withs():
    with C() as c, C() as d:
        c.l(1)
        raise ValueError
    with contextlib.suppress(KeyError):
        {}[1]
    return d


async def co(n):
    for i in range(n):
        await asyncio.sleep(0)
    async for k in ag(3):
        n += k
    return n


async def ag(n):
    for i in range(n):
        yield i


async def main():
    print(await asyncio.gather(co(2), co(3)))
    return [k async for k in ag(2)]


def matcher(v):
    match v:
        case {"a": 1}:
            return 1
        case [1, *rest]:
            return 2
        case C():
            return 3
        case _:
            return 4


def loops():
    i = 0
    while True:
        i += 1
        if i % 2:
            continue
        if i > 7:
            break
    for a in range(2):
        for b in range(2):
            c = a and b
    else:
        c = 0
    while i: i -= 1; c += 1 if i else 2
    return c


def deco(f):
    def inner(*a):
        return f(*a)
    return inner


@deco
@deco
def decorated(a): return a


def delegated():
    r = yield from gen(2)
    yield r


def threaded():
    t = [threading.Thread(target=helped, args=(3,)) for _ in range(3)]
    for x in t: x.start(); x.join()


def throws():
    g = gen(3)
    next(g)
    g.send(5)
    print(g.throw(ValueError))
    g.close()
    h = gen(3)
    next(h)
    h.close()
    k = delegated()
    try:
        next(k); k.throw(KeyError)
    except KeyError: pass
    del k
    any(x for x in gen(4))


for i in range(3):
    one(i)
catch(); multi([1, 2, 3]); withs()
for v in ({"a": 1}, [1, 2], C(), 7): matcher(v)
loops()
decorated(decorated(1))
list(gen(3))
list(delegated())
throws()
threaded()
if __name__ == "__main__": asyncio.run(main())
Base.s(1,
       3)
Base(1).double
exec("a = 1\nb = 2")
d = {k: v for k, v in zip("abc", "def")}
s = {k
     for k in d}
assert d, \
    "x"
try:
    int("x")
except ValueError:
    pass


@scope_profiler.profile
def profiled(n):
    with scope_profiler.region("block"):
        for i in range(n):
            yield i


list(profiled(2))
sys.exit(3)
