"""What a thread of the stress test does: a random walk through all ways of being in a region."""

import asyncio
from itertools import chain, count
import random

from stress_oracle import Oracle

DEPTH = 8   # of the walk; recursion and resumed generators go deeper
POOL = 3  # suspended generators of a lane
# By a random byte. How many calls are made inside one: less than one on average. And which, counted
# from one that the depth decides: nearly always one of few, or every call would have its own path.
FANOUT = bytes([0] * 110 + [1] * 80 + [2] * 40 + [3] * 26)
FROM_USUAL = bytes([0] * 200 + [1] * 45 + [2] * 10 + [15])


class Planned(Exception):
    """Is raised on purpose, and passes so many levels."""

    def __init__(self, levels):
        self.levels = levels


class Ways:
    """The regions, and for each a function of every kind; shared by all threads.

    Everything takes the worker, which has the oracle; entries are told right before or after they
    happen, and nothing of the profiler's is in between.
    """

    def __init__(self, manager, count):
        self.manager = manager
        self.names = [f"r{i}" for i in range(count)]
        self.regions = [manager.profile_region(name) for name in self.names]
        self.literal = [_literal(manager, i, name) for i, name in enumerate(self.names)]
        decorated = [_decorated(manager, i, name) for i, name in enumerate(self.names)]
        self.function, self.generator, self.coroutine, self.async_generator = zip(*decorated)


def _literal(manager, region, name):
    """A `with` whose name is a literal in the code."""
    space = {"manager": manager}
    exec(
        f"def block(worker):\n"
        f"    oracle = worker.oracle\n"
        f"    call, failed = oracle.enter({region}), True\n"
        f"    try:\n"
        f"        with manager.profile_region({name!r}):\n"
        f"            worker.block()\n"
        f"        failed = False\n"
        f"    finally:\n"
        f"        oracle.leave(call, failed)\n",
        space,
    )
    return space["block"]


def _decorated(manager, region, name):
    profile = manager.profile(name)

    @profile
    def function(worker, deeper):
        oracle = worker.oracle
        call, failed = oracle.enter(region), True
        try:
            if deeper:
                worker.ways.function[region](worker, deeper - 1)
            else:
                worker.block()
            failed = False
        finally:
            oracle.leave(call, failed)

    @profile
    def generator(worker, steps):
        oracle = worker.oracle
        call, failed = oracle.enter(region), True
        try:
            for _ in range(steps):
                worker.block()
                oracle.pause(call)
                try:
                    yield
                finally:
                    oracle.step(call)
            failed = False
        except GeneratorExit:
            failed = False
            raise
        finally:
            oracle.leave(call, failed)

    @profile
    async def coroutine(worker, steps):
        oracle = worker.oracle
        lane = oracle.lane
        call, failed = oracle.enter(region), True
        lane.chain.append(call)
        try:
            await worker.walk_and_wait(steps)
            failed = False
        finally:
            lane.chain.pop()
            oracle.leave(call, failed)

    @profile
    async def async_generator(worker, steps):
        oracle = worker.oracle
        lane = oracle.lane
        call, failed = oracle.enter(region), True
        lane.chain.append(call)
        try:
            for _ in range(steps):
                await worker.walk_and_wait(1)
                lane.chain.pop()
                oracle.pause(call)
                try:
                    yield
                finally:
                    lane.chain.append(call)
                    oracle.step(call)
            failed = False
        except GeneratorExit:
            failed = False
            raise
        finally:
            lane.chain.pop()
            oracle.leave(call, failed)

    return function, generator, coroutine, async_generator


class Worker:
    """One thread's walk: the same for the same seed, however threads take turns."""

    def __init__(self, ways, goal, seed, lanes_apart):
        self.ways = ways
        self.goal = goal  # calls to begin
        self.oracle = Oracle(lanes_apart)
        self.depth = 0
        self.loop = None
        dice = random.Random(seed)
        self.byte = chain.from_iterable(dice.randbytes(1 << 14) for _ in count()).__next__

    def run(self, index):
        """The walk; first a call of the region that tells which thread this is, which comes after
        the others."""
        oracle = self.oracle
        call = oracle.enter(len(self.ways.names) + index)
        with self.ways.manager.profile_region(f"thread {index}"):
            pass
        oracle.leave(call, False)
        self.loop = asyncio.new_event_loop()
        try:
            while oracle.begun < self.goal:
                self.act()
            self.drain()
        finally:
            self.loop.close()

    def block(self):
        """What is done inside of a call."""
        if self.depth >= DEPTH:
            return
        self.depth += 1
        try:
            for _ in range(FANOUT[self.byte()]):
                if self.oracle.begun < self.goal:
                    self.act()
        finally:
            self.depth -= 1

    def region(self):
        """The number of some region."""
        far = FROM_USUAL[self.byte()]
        if far == 15:
            far = self.byte()
        return (7 * self.depth + far) % len(self.ways.names)

    def act(self):
        """Any one thing. Planned exceptions end where their levels are used up."""
        code, region = self.byte(), self.region()
        try:
            if code < 60:
                self.ways.literal[region](self)
            elif code < 100:
                self.dynamic(region)
            elif code < 140:
                self.reused(region)
            elif code < 185:
                self.ways.function[region](self, 0)
            elif code < 195:
                self.ways.function[region](self, code % 5 + 1)
            elif code < 205:
                self.suspend(self.hold(region, code % 4 + 1))
            elif code < 215:
                self.suspend(self.ways.generator[region](self, code % 4 + 1))
            elif code < 245:
                self.resume(code)
            elif code < 254:
                self.fail(code % 6)
            elif self.depth < 4 and self.oracle.lane is self.oracle.home and not self.byte() % 3:
                self.loop.run_until_complete(self.tasks(2 + code % 4))
        except Planned as planned:
            if planned.levels > 0 and self.depth:
                planned.levels -= 1
                raise

    def fail(self, levels):
        if self.depth:
            raise Planned(levels)

    def dynamic(self, region):
        """A `with` whose name is made for it."""
        call, failed = self.oracle.enter(region), True
        try:
            with self.ways.manager.profile_region(f"r{region}"):
                self.block()
            failed = False
        finally:
            self.oracle.leave(call, failed)

    def reused(self, region):
        """A `with` of an object that there is, twice: side by side, as children of one."""
        for _ in range(2):
            call, failed = self.oracle.enter(region), True
            try:
                with self.ways.regions[region]:
                    self.block()
                failed = False
            finally:
                self.oracle.leave(call, failed)

    # ---- Generators

    def hold(self, region, steps):
        """A generator that has the region open while it is suspended."""
        call, failed = self.oracle.enter(region), True
        try:
            with self.ways.regions[region]:
                for _ in range(steps):
                    self.block()
                    yield
            failed = False
        finally:
            self.oracle.leave(call, failed)

    def suspend(self, generator):
        """Begin it, and keep it for later; the oldest must go when there are too many."""
        self.send(generator, self.oracle.lane.pool)
        while len(self.oracle.lane.pool) > POOL:
            self.oracle.lane.pool.pop(0).close()

    def resume(self, code):
        """Go on with one that is suspended, in one way or another."""
        pool = self.oracle.lane.pool
        if not pool:
            return
        generator = pool.pop(self.byte() % len(pool))
        if code < 233:
            self.send(generator, pool)
        elif code < 237:
            generator.close()
        elif code < 241:
            del generator
        else:
            generator.throw(Planned(code % 3))

    @staticmethod
    def send(generator, pool):
        try:
            next(generator)
        except StopIteration:
            return
        pool.append(generator)

    def drain(self):
        """End what the lane has suspended."""
        pool = self.oracle.lane.pool
        while pool:
            pool.pop().close()

    # ---- Tasks

    async def tasks(self, count):
        """Some that take turns; some are cancelled."""
        oracle = self.oracle
        lane = oracle.new_lane()
        oracle.go_to(lane)
        try:
            running = [self.loop.create_task(self.task()) for _ in range(count)]
            await self.rest()
            if self.byte() % 3 == 0:
                running[0].cancel()
            oracle.rest()
            try:
                await asyncio.gather(*running, return_exceptions=True)
            finally:
                oracle.wake(lane)
        finally:
            oracle.go_to(oracle.home)

    async def task(self):
        oracle = self.oracle
        lane = oracle.new_lane()
        oracle.go_to(lane)
        try:
            for _ in range(1 + self.byte() % 3):
                await self.wait(self.byte())
        finally:
            self.drain()
            oracle.go_to(oracle.home)

    async def rest(self):
        """Let others run."""
        oracle = self.oracle
        lane = oracle.lane
        oracle.rest()
        try:
            await asyncio.sleep(0)
        finally:
            oracle.wake(lane)

    async def walk_and_wait(self, steps):
        for _ in range(steps):
            self.block()
            code = self.byte()
            if code < 128:
                await self.rest()
            elif self.depth < DEPTH and code < 200:
                await self.wait(code)

    async def wait(self, code):
        """A call that waits inside."""
        region, steps = self.region(), 1 + self.byte() % 3
        if code % 4 == 0:
            await self.ways.coroutine[region](self, steps)
        elif code % 4 == 1:
            await self.consume(self.ways.async_generator[region](self, steps), code % 5)
        else:
            call, failed = self.oracle.enter(region), True
            try:
                with self.ways.regions[region]:
                    await self.walk_and_wait(steps)
                failed = False
            finally:
                self.oracle.leave(call, failed)

    async def consume(self, items, most):
        """The first of the items, perhaps all."""
        try:
            async for _ in items:
                most -= 1
                if most <= 0:
                    break
        finally:
            await items.aclose()
