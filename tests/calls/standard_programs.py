"""Programs of the standard library, each a function that does the same whenever it is called."""

import argparse
import ast
import asyncio
import collections
import configparser
import contextlib
import copy
import csv
import dataclasses
import difflib
import email
import fractions
import functools
import heapq
import html.parser
import io
import itertools
import json
import operator
import pickle
import pprint
import re
import shlex
import statistics
import string
import textwrap
import tokenize

TEXT = textwrap.__doc__ + "The quick brown fox jumps over the lazy dog. " * 8
SOURCE = "def f(x):\n    '''text'''\n    return [x + 1 for x in range(x) if x % 2]\n" * 5


def parsing():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, choices=range(9), default=3)
    parser.add_argument("files", nargs="*")
    parser.parse_args(["--number", "4", "a", "b"])
    config = configparser.ConfigParser()
    config.read_string("[a]\nb = 1\nc = %(b)s2\n[d]\ne: yes\n")
    config.get("a", "c"), config.getboolean("d", "e")
    shlex.split("a 'b c' \"d e\" f\\ g")
    email.message_from_string("From: a@b.c\nSubject: =?utf-8?q?x?=\n\nbody\n").items()


def source():
    ast.dump(ast.parse(SOURCE))
    ast.unparse(ast.parse(SOURCE))
    list(tokenize.generate_tokens(io.StringIO(SOURCE).readline))


def expressions():
    re.purge()
    re.compile(r"(?P<a>\d+|[a-f]*?)(?:x{2,3}|(?=y))$", re.IGNORECASE | re.VERBOSE)
    re.sub("o", lambda match: match.group().upper(), TEXT)
    re.split(r"\s+", TEXT)
    string.Template("$a ${b}").substitute(a=1, b=2)
    html.parser.HTMLParser().feed("<p class='a'>b&amp;c<br/></p>")


def texts():
    textwrap.fill(TEXT, 40)
    list(difflib.unified_diff(TEXT.split(), TEXT.replace("fox", "cat").split()))
    difflib.SequenceMatcher(None, TEXT, TEXT[::-1]).ratio()
    pprint.pformat({"a": [1, 2, {"b": (3, 4)}], "c": "x" * 100})
    list(csv.DictReader(io.StringIO("a,b\n1,2\n3,4\n")))


def values():
    json.loads('{"a": [1, 2.5, null], "b": "c"}', object_hook=dict, parse_int=int)
    json.dumps({"a": [1, 2.5, None]}, indent=1, default=str)
    copy.deepcopy({"a": [1, (2, 3)], "b": fractions.Fraction(1, 3)})
    pickle._loads(pickle._dumps({"a": [1, 2.5, fractions.Fraction(1, 3)]}))
    statistics.stdev([fractions.Fraction(i, 7) for i in range(9)])


@functools.total_ordering
class Ordered:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return self.number == other.number

    def __lt__(self, other):
        return self.number < other.number

    def __call__(self):
        return len(str(self.number))


def callbacks():
    """C functions that call Python, of which some raise."""
    numbers = list(range(12))
    sorted(numbers, key=lambda n: -n)
    numbers.sort(key=functools.cmp_to_key(lambda a, b: b - a))
    list(map(lambda a, b: a * b, numbers, numbers))
    list(filter(lambda n: n % 2, numbers))
    functools.reduce(lambda a, b: a + b, numbers)
    max(map(Ordered, numbers)), min((Ordered(n) for n in numbers), key=Ordered.__call__)
    heapq.nsmallest(3, map(Ordered, numbers))
    list(itertools.groupby(numbers, key=lambda n: n // 4))
    [Ordered(n)() for n in numbers]
    collections.Counter(len(word) for word in TEXT.split())
    for attempt in (lambda: int("x"), lambda: [].pop(), lambda: sorted(numbers, key=operator.truth(0)),
                    lambda: list(map(int, "1x")), lambda: max([])):
        with contextlib.suppress(Exception):
            attempt()


def calls_of_all_kinds():
    """The ways in which C functions are called."""
    append, numbers, words = [].append, [], {}
    append(1), append(*[2]), numbers.extend([3], *()), list.append(numbers, 4)
    numbers.insert(*(0, 1)), print(*[], **{"file": io.StringIO()})
    print("a", file=io.StringIO()), "{a}".format(a=1), "{a}".format(**{"a": 2})
    dict.fromkeys("abc"), str.maketrans("a", "b"), object.__new__(object), int.from_bytes(b"a", "big")
    super(Ordered, Ordered(1)).__init__(), type("T", (), {})(), bytes.fromhex("00")
    functools.partial(len, "abc")(), operator.itemgetter(0)("abc"), operator.methodcaller("upper")("a")
    (lambda f: f("abc"))(len)
    words.setdefault("a", []).append(1), words.get("b"), words.pop("a"), getattr(words, "keys")()
    isinstance(1, int), exec("len('a')"), eval("abs(-1)"), [].__len__(), numbers.__getitem__(0)
    class Child(list):
        def append(self, value):
            super().append(value)
    Child().append(1), Child().extend([2])
    dataclasses.make_dataclass("D", ["a", ("b", int)])(1, 2)


def generators():
    def count(n):
        got = yield 0
        try:
            for i in range(n):
                got = yield (got, i)
        except ValueError:
            yield "thrown"

    generator = count(3)
    next(generator), generator.send(1), generator.throw(ValueError), generator.close()
    list(count(2)), next(count(0), None), sum(1 for _ in count(4))

    def outer():
        yield from count(2)
        return sum(x for x in range(5) if bool(x))

    list(outer())
    with contextlib.closing(outer()) as opened:
        next(opened)


def recursion():
    def walk(tree):
        return sum(map(walk, tree)) if isinstance(tree, list) else len(repr(tree))

    walk([1, [2, [3, [4, 5]], 6], [[7]]])

    def sort(values):
        return values if len(values) < 2 else sorted(sort(values[1:]), key=lambda v: len(sort([v])))

    sort(list(range(6)))


def tasks():
    async def step(n):
        await asyncio.sleep(0)
        return len(str(n))

    async def main():
        return await asyncio.gather(*map(step, range(4)))

    asyncio.run(main())


PROGRAMS = [parsing, source, expressions, texts, values, callbacks, calls_of_all_kinds, generators,
            recursion, tasks]
