"""Results from journals: as finalize() has them; of damaged files the sound part, or a clear error."""

import random
import shutil
import threading

import numpy as np
import pytest

from scope_profiler import ProfileManager, load
from scope_profiler._run import checkpoint
from scope_profiler.io import CorruptProfileError
from scope_profiler.io import journal_format as form
from scope_profiler.io.journal_blocks import JournalFile
from scope_profiler.io.journal_reader import recover
from scope_profiler.io.unreadable import UnsupportedProfileError

from journal_checks import sequences


def journal_of(folder):
    (path,) = folder.glob("*.journal")
    return path


@pytest.fixture
def journalled(tmp_path, clock, monkeypatch):
    """A manager with a journal in tmp_path, under the fake clock, and so its checkpoints."""
    monkeypatch.setattr(checkpoint, "perf_counter_ns", lambda: clock.now)
    manager = ProfileManager()
    manager.setup(output=tmp_path / "out.h5", journal=True, verbose=False)
    yield manager
    manager.reset()


def recursive(manager, clock, depth, gap):
    with manager.profile_region("recursive"):
        clock.tick(3 + depth)
        if depth:
            with manager.profile_region("between"):
                clock.tick(gap)
                recursive(manager, clock, depth - 1, gap)
                clock.tick(gap)
        clock.tick(1)


def busy(manager, clock, gap=0):
    """Calls that begin and end at the same time, but for a gap."""
    for number in range(40):
        with manager.metadata(number=number, nested={"list": [1, None, 2.5, True, "ä\ud800\U0001f600"]}):
            with manager.profile_region("outer"):
                clock.tick(number)
                recursive(manager, clock, number % 4, gap)
                with manager.profile_region("inner", tags=["tag"]):
                    clock.tick(2 ** (number % 30))
                clock.tick(gap)
    with manager.profile_region("long"):
        clock.tick(3 << 41)
    with manager.profile_region("inner"):
        clock.tick(1)


_COMPARED = ("num_calls", "total_ns", "exclusive_ns", "average_ns", "minimum_ns", "maximum_ns", "std_ns",
             "p50_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "sum_ns")


def test_all_is_as_finalize_has_it(journalled, clock, tmp_path):
    busy(journalled, clock)
    got = load(journal_of(tmp_path))
    wanted = journalled.finalize(return_results=True)
    assert sequences(got) == sequences(wanted)
    ours, theirs = got.recorded[0].nodes, wanted.recorded[0].nodes
    assert [(node.name, node.parent, node.first_ns) for node in ours] == \
        [(node.name, node.parent, node.first_ns) for node in theirs]
    for one, other in zip(ours, theirs):
        for name in _COMPARED:
            assert getattr(one.statistics, name) == getattr(other.statistics, name), (one.name, name)
        assert (one.sketch.counts == other.sketch.counts).all()
        assert (one.sketch.values == other.sketch.values).all()
    for region in wanted:
        same = got[region.name][0]
        assert same.exclusive_duration_ns == region[0].exclusive_duration_ns
        assert same.tags == region[0].tags
        assert same.statistics == pytest.approx(region[0].statistics, abs=0.51)


def one_call(manager, clock):
    with manager.profile_region("short"):
        clock.tick(5)


# The second call of a region began where the first inside it did, at least, unless a checkpoint knows better.
@pytest.mark.parametrize("work, begun", [(one_call, 1_117), (busy, 1_017)])
def test_what_is_open_has_the_time_up_to_the_end(journalled, clock, tmp_path, work, begun):
    with journalled.profile_region("main"):
        clock.tick(7)
        with journalled.profile_region("step"):
            clock.tick(10)
        with journalled.profile_region("step"):
            clock.tick(100)
            work(journalled, clock)
            end = clock.now
            results, missing = recover(journal_of(tmp_path))
    assert "main" not in [region.name for region in results]
    assert missing[-1] == "at least 2 call(s) were open when the journal ends"
    main, step, *_ = (node.statistics for node in results.recorded[0].nodes)
    assert (main.name, main.open_calls, main.open_total_ns) == ("main", 1, end - 1_000)
    assert (step.name, step.num_calls, step.open_calls) == ("step", 1, 1)
    assert step.open_total_ns == end - begun
    assert main.open_exclusive_ns == end - 1_000 - 10 - step.open_total_ns
    assert results.metadata["missing"] == "; ".join(missing)


def test_threads_and_those_that_come_after(journalled, tmp_path):
    def work():
        with journalled.profile_region("r"):
            pass

    for _ in range(5):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    work()
    got = load(journal_of(tmp_path))["r"][0]
    wanted = journalled.finalize(return_results=True)["r"][0]
    assert sorted(got.thread_ids.tolist()) == sorted(wanted.thread_ids.tolist())  # all at one time
    assert len(set(got.thread_ids.tolist())) > 1


def test_metadata_that_is_no_plain_value_is_named(journalled, clock, tmp_path):
    with journalled.metadata(what=object(), big=1 << 80), journalled.profile_region("r"):
        clock.tick(1)
    assert load(journal_of(tmp_path))["r"][0].event_metadata[0] == {"what": "<object>", "big": 1 << 80}


def test_after_finalize_come_the_calls_from_there_on(journalled, clock, tmp_path):
    busy(journalled, clock)
    journalled.finalize(return_results=True)
    assert not [*tmp_path.glob("*.journal")]
    with journalled.metadata(step=1), journalled.profile_region("outer"):
        clock.tick(5)
    ((calls,),) = [sequences(load(journal_of(tmp_path))).values()]
    assert [call[1:] for call in calls] == [(5, "outer", {"step": 1})]
    assert journalled.finalize(return_results=True)["outer"].num_calls == 41


@pytest.mark.parametrize("end", [lambda manager: manager.finalize(), lambda manager: manager.reset(),
                                 lambda manager: manager.setup(output=None, replace=True)])
def test_a_run_that_is_over_leaves_no_journal(journalled, clock, tmp_path, end):
    busy(journalled, clock)
    end(journalled)
    assert not [*tmp_path.glob("*.journal")]


def test_a_part_of_a_run_in_parts(journalled, clock, tmp_path):
    busy(journalled, clock)
    journalled.finalize(start_over=True)
    with journalled.profile_region("inner"):
        clock.tick(5)
    assert [region.name for region in load(journal_of(tmp_path))] == ["inner"]


# -- damage ----------------------------------------------------------------------


@pytest.fixture
def whole(journalled, clock, tmp_path):
    """A journal that nobody writes to, and its calls."""
    for _ in range(30):
        busy(journalled, clock, 1)
    path = tmp_path / "whole"
    shutil.copy(journal_of(tmp_path), path)
    return path, sequences(load(path))


def by_end(calls):
    return sorted((call[:3] for call in calls), key=lambda call: call[0] + call[1])


def is_begin(some, all_calls):
    """Whether these are the calls that ended first."""
    return all(by_end(calls) == by_end(all_calls[thread])[: len(calls)] for thread, calls in some.items())


def test_truncated_anywhere(whole, tmp_path):
    path, calls = whole
    data = path.read_bytes()
    cut = tmp_path / "cut"
    found = set()
    for size in [*range(0, 200, 7), *range(200, len(data), 9001), len(data) - 1]:
        cut.write_bytes(data[:size])
        try:
            results, missing = recover(cut)
        except CorruptProfileError:
            continue
        got = sequences(results)
        assert is_begin(got, calls)
        found.add(sum(map(len, got.values())))
    assert len(found) > 5


def settled_bytes(path):
    """Where in the file bits are guarded by a hash."""
    with JournalFile(path) as file:
        blocks = file.journal().calls[0]
    return [(block.place, block.place + int(block.head["used"])) for block in blocks if block.is_settled]


def test_wrong_bits_in_blocks_that_are_over_show(whole, tmp_path):
    path, calls = whole
    data, chance = path.read_bytes(), random.Random(1)
    wrong = tmp_path / "wrong"
    for begin, end in settled_bytes(path):
        flipped = bytearray(data)
        place = chance.randrange(begin, end)
        flipped[place] ^= 1 << chance.randrange(8)
        wrong.write_bytes(flipped)
        results, missing = recover(wrong)
        got = sequences(results)
        assert is_begin(got, calls) and got != calls
        assert any("damaged" in sentence for sentence in missing)


def test_no_damage_makes_it_fail_otherwise(whole, tmp_path):
    """Bits, bytes and pages that are wrong, anywhere."""
    path, _ = whole
    data, chance = path.read_bytes(), random.Random(2)
    wrong = tmp_path / "wrong"
    for _ in range(60):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 10, 300))):
            place = chance.choice((chance.randrange(4096), chance.randrange(len(data)),
                                   chance.randrange(len(data)) & ~4095 | chance.randrange(96)))
            changed[place] = chance.choice((0, 255, changed[place] ^ 1 << chance.randrange(8)))
        if chance.random() < 0.2:
            page = chance.randrange(len(data) // 4096) * 4096
            changed[page : page + 4096] = chance.randbytes(4096)
        wrong.write_bytes(changed)
        try:
            load(wrong)
        except (CorruptProfileError, UnsupportedProfileError):
            pass


def test_files_that_are_none(tmp_path):
    path = tmp_path / "x.journal"
    path.write_bytes(form.MAGIC)
    with pytest.raises(CorruptProfileError, match="8 bytes, fewer than the head"):
        load(path)
    path.write_bytes(form.MAGIC + bytes(5000))
    with pytest.raises(CorruptProfileError, match="head of the journal is damaged"):
        load(path)
    path.write_bytes(b"something else")
    with pytest.raises(CorruptProfileError, match="not a profile"):
        load(path)


def changed_head(path, **values):
    data = bytearray(path.read_bytes())
    head = np.frombuffer(data[: form.HEAD.itemsize], form.HEAD).copy()
    for name, value in values.items():
        head[name] = value
    head["hash"] = form.hash_of(head.tobytes()[:-8])
    data[: form.HEAD.itemsize] = head.tobytes()
    path.write_bytes(data)


def test_other_versions_and_byte_orders_are_named(whole):
    path, _ = whole
    for version in (form.VERSION - 1, form.VERSION + 1):
        changed_head(path, version=version)
        with pytest.raises(UnsupportedProfileError, match=f"version {version}, this reads {form.VERSION}"):
            load(path)
    changed_head(path, version=form.VERSION, order=0x0807060504030201)
    with pytest.raises(UnsupportedProfileError, match="byte order"):
        load(path)


def test_a_length_that_is_not_in_the_file_takes_no_memory(whole):
    path, _ = whole
    changed_head(path, facts=1 << 60)
    with pytest.raises(CorruptProfileError, match="ends in its facts"):
        load(path)


def test_a_hole_of_a_terabyte_is_no_work(whole):
    path, calls = whole
    with open(path, "r+b") as file:
        file.truncate(1 << 40)
    assert sequences(load(path)) == calls


def test_what_a_journal_does_not_tell_is_unknown(tmp_path):
    manager = ProfileManager()
    manager.setup(file_path=str(tmp_path / "run.h5"), journal=True, verbose=False)
    with pytest.raises(ValueError), manager.profile_region("bad"):
        raise ValueError
    [path] = tmp_path.glob("*.journal")
    found = load(path)
    manager.reset()
    assert found["bad"].num_calls == 1
    assert found["bad"].errors is found["bad"][0].errors is None
    assert [node.statistics.errors for node in found.recorded[0].nodes] == [None]


def test_a_ring_in_a_journal(tmp_path, clock):
    manager = ProfileManager()
    manager.setup(output=tmp_path / "out.h5", journal=True, verbose=False, max_events=1_000)
    sizes = []
    for number in range(12):
        with manager.metadata(number=number):
            for _ in range(1_000):
                with manager.profile_region("r"):
                    clock.tick(1)
        sizes.append(journal_of(tmp_path).stat().st_size)
    results, missing = recover(journal_of(tmp_path))
    kept = manager.snapshot()["r"][0]
    manager.reset()
    assert sizes[2:] == sizes[2:3] * 10
    assert 850 < results["r"].num_events == kept.num_events <= 1_000
    assert results["r"][0].start_times_ns.tolist() == kept.start_times_ns.tolist()
    assert [entry["number"] for entry in results["r"][0].event_metadata] == [11] * kept.num_events
    assert "of those that are here" in missing[0]
