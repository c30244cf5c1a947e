"""Who is told what when many ranks come to rank 0 at once, without MPI: messages are what the test says."""

import pytest

from scope_profiler import ProfilingResults
from scope_profiler.io import write_profile
from scope_profiler.mpi import gather, messages

KEY = gather.Key("run.json", 1)


class World:
    def Get_size(self):
        return 4


@pytest.fixture
def told(monkeypatch):
    """What was sent: (rank, tag, word)."""
    monkeypatch.setattr(gather, "_announced", {})
    sent = []
    monkeypatch.setattr(messages, "tell", lambda world, rank, tag, facts: sent.append(
        (rank, tag, facts.get("word"))))
    return sent


def hears(monkeypatch, *rounds):
    """In each look those messages have arrived, and none afterwards."""
    left = list(rounds)
    monkeypatch.setattr(messages, "heard", lambda world, tag, rank=None: iter(
        left.pop(0) if left else ()))


def announced(number=1):
    path = write_profile(ProfilingResults({}), f"part{number}.json")
    return gather._Announced.of(gather.Key("run.json", number), path)._asdict()


def test_those_whose_turn_is_to_come_are_told_to_wait(monkeypatch, told):
    facts = announced()
    hears(monkeypatch, [(rank, facts) for rank in (3, 1, 2)])
    gathered = gather.gather(World(), KEY, 0, "run.json", lambda rank: "")
    assert sorted(gathered.results) == [1, 2, 3] and not gathered.missing
    assert [(rank, word) for rank, _, word in told] == [
        (1, "taken"), (3, "wait"), (2, "wait"), (2, "taken"), (3, "wait"), (3, "taken")]


def test_other_calls_of_finalize(monkeypatch, told):
    hears(monkeypatch, [(1, announced(0)), (2, announced(2))])
    gathered = gather.gather(World(), KEY, 0, None, lambda rank: "")
    assert (1, messages.REPLY, "late") in told and not gathered.results
    assert gathered.missing == {
        1: "it did not come to finalize() within 0 s", 2: "it has gone on to a later finalize()",
        3: "it did not come to finalize() within 0 s"}
    # What it has announced for later is there then.
    gathered = gather.gather(World(), gather.Key("run.json", 2), 0, None, lambda rank: "")
    assert [*gathered.results] == [2]


@pytest.mark.parametrize(("words", "is_taken"), [
    (["wait", "wait", "taken"], True), (["refused"], False), (["wait"], False), ([], False)])
def test_a_rank_waits_as_long_as_it_is_told(monkeypatch, told, words, is_taken):
    announced()
    facts = {"key": list(KEY), "where": "run.json"}
    others = (0, {**facts, "key": ["run.json", 7], "word": "taken"})
    hears(monkeypatch, *([others, (0, {**facts, "word": word})] for word in words))
    answer = gather.offer(World(), KEY, "part1.json", 0)
    assert answer.is_taken == is_taken and not answer.is_sent
    assert told == [(0, messages.HEADER, None)]


def test_a_file_that_cannot_be_read_is_refused(monkeypatch, told):
    facts = announced()
    with open("part1.json", "r+", encoding="utf-8") as file:
        text = file.read()
        file.seek(0)
        file.write("x" * len(text))
    facts = gather._Announced.of(KEY, "part1.json")._asdict()
    hears(monkeypatch, [(1, facts)])
    gathered = gather.gather(World(), KEY, 0, None, lambda rank: "")
    assert told == [(1, messages.REPLY, "refused")] and 1 in gathered.missing and not gathered.files
