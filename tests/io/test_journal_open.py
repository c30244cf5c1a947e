"""What was open when a journal ends: never more than was."""

import asyncio
from pathlib import Path
import random
import threading

import pytest

from conftest import examples
from scope_profiler import ProfileManager
from scope_profiler.io.journal_follower import JournalFollower
from scope_profiler.io.journal_reader import recover

NAMES = "abc"


class Program:
    """Calls at random: of functions, generators and tasks that begin and end in any order."""

    def __init__(self, manager, seed, decorated):
        self.manager, self.chance, self.decorated = manager, random.Random(seed), decorated
        self.live = []

    def region(self):
        return self.manager.profile_region(self.chance.choice(NAMES))

    def generator(self, depth=0):
        def body():
            for _ in range(self.chance.randrange(1, 4)):
                what = self.chance.random()
                if what < 0.3:
                    with self.region():
                        pass
                elif what < 0.6:
                    with self.region():
                        yield
                elif what < 0.75 and depth < 2:
                    yield from self.generator(depth + 1)
                else:
                    yield

        if self.decorated and self.chance.random() < 0.7:
            return self.manager.profile(self.chance.choice(NAMES))(body)()
        return body()

    def step(self):
        if not self.live or self.chance.random() < 0.3:
            self.live.append(self.generator())
            return
        one = self.chance.choice(self.live)
        if self.chance.random() < 0.9:
            next(one, None)
        else:
            one.close()
            self.live.remove(one)

    def steps(self, count):
        for _ in range(count):
            if self.chance.random() < 0.3:
                with self.region():
                    self.step()
            else:
                self.step()

    async def task(self, depth=0):
        begun = []
        for _ in range(self.chance.randrange(1, 5)):
            with self.region():
                if self.chance.random() < 0.5:
                    await asyncio.sleep(0)
                if depth < 2 and self.chance.random() < 0.5:
                    begun.append(asyncio.create_task(self.task(depth + 1)))
                if self.chance.random() < 0.3:
                    self.step()
        if self.chance.random() < 0.5:
            await asyncio.gather(*begun)
        return begun

    async def tasks(self):
        begun = [asyncio.create_task(self.task()) for _ in range(3)]
        while begun:
            begun = [one for later in await asyncio.gather(*begun) for one in later or ()]

    def run(self, kind):
        for _ in range(3):
            self.steps(5)
            if kind == "threads":
                other = threading.Thread(target=self.steps, args=(5,))
                other.start()
                other.join()
            elif kind == "tasks":
                asyncio.run(self.tasks())


@pytest.mark.parametrize("kind", ["one thread", "threads", "tasks"])
@pytest.mark.parametrize("decorated", [False, True])
@pytest.mark.parametrize("is_open", [False, True])
def test_no_more_is_open_than_was(tmp_path, kind, decorated, is_open):
    for seed in range(examples(12)):
        manager = ProfileManager()
        manager.setup(output=tmp_path / f"{seed}.json", verbose=False)
        program = Program(manager, seed, decorated)
        program.run(kind)
        left = [manager.profile_region(name) for name in "xyz" if is_open]
        for region in left:
            region.__enter__()
            with program.region():
                pass
            program.step()
        opened = manager._counters()["open"]
        (path,) = Path(tmp_path).glob("*.journal")
        results, missing = recover(path)
        found = {node.name for node in results.recorded[0].nodes if node.statistics.open_calls}
        told = [sentence for sentence in missing if " open " in sentence]
        count = int(told[0].split()[2]) if told else 0
        assert count <= opened, (seed, found)
        assert not is_open or found >= {"x", "y", "z"}, seed
        follower = JournalFollower(path)
        assert opened or not (live := follower.update().open), (seed, live)
        follower.close()
        for region in reversed(left):
            region.__exit__(None, None, None)
        manager.reset()
