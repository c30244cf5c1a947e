"""src/lines/line_threads.c: greenlets switch at random inside whatever line mode records; hits and calls
are right, and frames end in any order."""

from contextlib import contextmanager, suppress
import linecache
import random
import re

import pytest

from test_lines import lined, nothing_left_behind  # noqa: F401 (fixtures)

greenlet = pytest.importorskip("greenlet")


class Boom(Exception):
    pass


class Program:
    """Greenlets that make random calls of functions whose lines are recorded, and switch, throw into
    and kill one another on the way. Each of these lines tells the model that it is run."""

    def __init__(self, manager, seed):
        self.random = random.Random(seed)
        self.steps = 400
        self.hits = {}
        self.calls = {}
        self.greenlets = []
        self.generators = []
        self.open = {}  # greenlet: how often the watching region is open there
        self._make(manager)

    def mark(self, text):
        self.hits[text] = self.hits.get(text, 0) + 1

    def watched(self, text):
        if self.open.get(greenlet.getcurrent(), 0):
            self.mark(text)

    def call(self, region):
        self.calls[region] = self.calls.get(region, 0) + 1

    def run(self):
        for _ in range(5):
            self.new()
        while self.steps > 0:
            with suppress(Boom):  # what nobody caught
                self.switch()
        main = greenlet.getcurrent()
        for each in self.greenlets:  # those that wait are killed
            each.parent = main
        while any(each and not each.dead for each in self.greenlets):
            for each in self.greenlets:
                if each and not each.dead:
                    with suppress(Boom):
                        each.throw()
        self.generators.clear()

    def new(self):
        # The first call may be of Python or of a decorated function, which is C on 3.11.
        first = self.random.choice([self.play, self.play, self.function])
        self.greenlets.append(greenlet.greenlet(first))

    def switch(self):
        if self.random.random() < 0.1:
            self.new()
        others = [g for g in self.greenlets if not g.dead and g is not greenlet.getcurrent()]
        if not others:
            return
        other = self.random.choice(others)
        what = self.random.random()
        if what < 0.9:
            other.switch()
        elif other and what < 0.95:
            other.throw(Boom)
        elif other:
            other.throw()

    def play(self, depth=0):
        for _ in range(self.random.randint(1, 4)):
            self.steps -= 1
            what = self.random.choice(self.DEEP if depth < 5 else self.FLAT)
            try:
                getattr(self, what)(depth + 1)
            except Boom:
                if self.random.random() < 0.5:
                    raise

    FLAT = ["act", "act", "throw", "resume"]
    DEEP = FLAT + ["function", "deeper", "block", "start", "run_coroutine", "watch", "use", "managed"]

    def act(self, depth):
        if self.steps > 0 and len(self.greenlets) < 60:
            self.switch()

    def throw(self, depth):
        if self.random.random() < 0.2:
            raise Boom

    def start(self, depth):
        make = self.random.choice([self.generator, self.block_in_a_generator])
        self.generators.append(make(depth))
        self.resume(depth)

    def resume(self, depth):
        if not self.generators:
            return
        generator = self.random.choice(self.generators)
        if generator.gi_running:
            return
        what = self.random.random()
        try:
            if what < 0.7:
                next(generator, None)
            elif what < 0.85:
                generator.throw(Boom)
            else:
                generator.close()
        except ValueError as error:  # it runs, in another greenlet
            assert "already executing" in str(error)

    def run_coroutine(self, depth):
        try:
            self.coroutine(depth).send(None)
        except StopIteration:
            pass

    def use(self, depth):
        self.used(depth)

    def managed(self, depth):
        with self.manager():
            self.play(depth)

    def _make(self, manager):
        mark, watched, play, call = self.mark, self.watched, self.play, self.call

        @manager.profile("function")
        def function(depth=0):
            call("function")
            mark("function begins"); play(depth)
            mark("function ends")

        @manager.profile("deeper")
        def deeper(depth):
            call("deeper")
            with manager.region("inside"):
                call("inside")
                for _ in range(2):
                    mark("deeper"); function(depth + 1)

        def block(depth):
            with manager.region("block"):
                call("block")
                mark("block begins"); play(depth)
                mark("block ends")

        @manager.profile("generator")
        def generator(depth):
            call("generator")
            for _ in range(3):
                mark("generator"); play(depth)
                yield
                mark("generator goes on")

        def block_in_a_generator(depth):
            with manager.region("sleeping"):
                call("sleeping")
                for _ in range(3):
                    mark("sleeping"); play(depth)
                    yield
                    mark("sleeping goes on")

        @manager.profile("coroutine")
        async def coroutine(depth):
            call("coroutine")
            mark("coroutine"); play(depth)

        @contextmanager
        def context_manager():
            with manager.region("managed"):
                call("managed")
                mark("managed")
                yield

        def used(depth):
            watched("used"); play(depth)
            watched("used to its end")

        def watch(depth):
            with manager.region("watching", functions=[used]):
                call("watching")
                here = greenlet.getcurrent()
                self.open[here] = self.open.get(here, 0) + 1
                try:
                    used(depth)
                finally:
                    self.open[here] -= 1

        self.function, self.deeper, self.block, self.generator = function, deeper, block, generator
        self.block_in_a_generator, self.coroutine = block_in_a_generator, coroutine
        self.manager, self.used, self.watch = context_manager, used, watch


def hits_of(manager):
    """{text: hits} of all lines that tell the model of themselves."""
    found = {}
    for region in manager.get_all_regions().values():
        for (file, _, _), rows in region.get_stats().timings.items():
            for line, hits, _ in rows:
                text = re.match(r' *(?:mark|watched)\("(.*)"\)', linecache.getline(file, line))
                if text is not None:
                    found[text[1]] = max(found.get(text[1], 0), hits)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_random_programs(lined, seed):
    program = Program(lined, seed)
    program.run()
    calls = {name: region.num_calls for name, region in lined.get_all_regions().items()}
    assert calls == program.calls
    assert hits_of(lined) == program.hits
