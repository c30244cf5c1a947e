"""exports/: formats with single calls on tracks. Each file is read back and compared with the results."""

from collections import defaultdict
import gzip
import json
import re
import struct

from export_runs import ODD, RUNS, functions, two_ranks
from hypothesis import given, strategies as st
import numpy as np
import pytest
from results_support import region, results

from scope_profiler.exports import progress, timelines
from scope_profiler.exports.timelines import opens_and_closes
from scope_profiler.results import ProfilingResults, merge_processes


@pytest.fixture(params=RUNS)
def run(request):
    return RUNS[request.param]()


def calls_of(run):
    """(rank, name, start, duration) of every call, ns, sorted."""
    return sorted(
        (rank, one.name, start, duration)
        for one in run for rank in one
        for start, duration in zip(one[rank].start_times_ns.tolist(), one[rank].durations_ns.tolist())
    )


def origin_of(run):
    start = run.metadata.get("start_time_ns")
    first = min((start for _, _, start, _ in calls_of(run)), default=0)
    return first if start is None else min(start, first)


def check_nested(calls):
    """Calls (start, end, ...) of a track, as they come: each begins no earlier than the one before,
    and ends within those that are open."""
    stack = []
    before = 0
    for start, end, *_ in calls:
        assert before <= start <= end
        before = start
        while stack and stack[-1] <= start:
            stack.pop()
        assert not stack or end <= stack[-1]
        stack.append(end)


# ---- speedscope: what https://www.speedscope.app/file-format-schema.json demands


def check_schema(document):
    assert document["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert {*document} <= {"$schema", "shared", "profiles", "name", "activeProfileIndex", "exporter"}
    frames = document["shared"]["frames"]
    for frame in frames:
        assert {*frame} <= {"name", "file", "line", "col"} and isinstance(frame["name"], str)
        assert isinstance(frame.get("line", 1), int) and isinstance(frame.get("file", ""), str)
    assert document["profiles"]
    for profile in document["profiles"]:
        assert isinstance(profile["name"], str) and profile["unit"] == "nanoseconds"
        assert profile["startValue"] <= profile["endValue"]
        if profile["type"] == "evented":
            stack, at = [], profile["startValue"]
            for event in profile["events"]:
                assert {*event} == {"type", "frame", "at"} and at <= event["at"] <= profile["endValue"]
                at = event["at"]
                if event["type"] == "O":
                    assert 0 <= event["frame"] < len(frames)
                    stack.append(event["frame"])
                else:
                    assert event["type"] == "C" and stack.pop() == event["frame"]
            assert stack == []
        else:
            assert profile["type"] == "sampled"
            assert len(profile["samples"]) == len(profile["weights"])
            assert sum(profile["weights"]) == profile["endValue"]
            assert all(0 <= frame < len(frames) for stack in profile["samples"] for frame in stack)
    return document


def test_speedscope(run, tmp_path):
    [path] = run.export(tmp_path / "x.speedscope.json")
    document = check_schema(json.loads(path.read_text(encoding="utf-8")))
    names = [frame["name"] for frame in document["shared"]["frames"]]
    found = []
    for profile in document["profiles"]:
        stack = []
        for event in profile.get("events", ()):
            if event["type"] == "O":
                stack.append(event)
            else:
                begun = stack.pop()
                start = begun["at"] + origin_of(run)
                found.append((names[begun["frame"]], start, event["at"] - begun["at"]))
    assert sorted(found) == sorted(call[1:] for call in calls_of(run))


def test_speedscope_of_what_was_not_kept_has_the_paths(tmp_path):
    run = RUNS["aggregated"]()
    [path] = run.export_speedscope(tmp_path / "x.speedscope.json")
    [profile] = json.loads(path.read_text())["profiles"]
    assert profile["type"] == "sampled"
    assert sum(profile["weights"]) == sum(
        node.statistics.exclusive_ns for node in run.recorded[0].nodes)


# ---- Trace events


def traced(path):
    text = gzip.open(path, "rt").read() if path.suffix == ".gz" else path.read_text()
    document = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return document["traceEvents"], document


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_chrome_trace(run, suffix, tmp_path):
    [path] = run.export(tmp_path / f"x.trace.json{suffix}")
    events, _ = traced(path)
    tracks = defaultdict(list)
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    for event in events:
        assert event["ph"] in "XMsf" and isinstance(event["pid"], int) and isinstance(event["tid"], int)
        if event["ph"] == "X":
            start, length = round(event["ts"] * 1000), round(event["dur"] * 1000)
            tracks[event["pid"], event["tid"]].append((start, start + length, event["name"]))
    assert tracks.keys() <= named
    for calls in tracks.values():
        check_nested(calls)
    if run.has_event_data:
        assert sorted(
            (rank, name, start + origin_of(run), end - start)
            for (rank, _), calls in tracks.items() for start, end, name in calls
        ) == calls_of(run)


def test_arguments_of_a_chrome_trace(tmp_path):
    run = RUNS["regions"]()
    [path] = run.export_chrome_trace(tmp_path / "x.trace.json")
    events, document = traced(path)
    assert document["otherData"]["exporter"].startswith("scope-profiler@")
    threads = {event["tid"]: event["args"]["name"] for event in events
               if event["name"] == "thread_name"}
    assert [threads[number] for number in sorted(threads)][:2] == ["MainThread", "worker <1>"]
    calls = [event for event in events if event["ph"] == "X" and event["name"] == ODD]
    assert {threads[event["tid"]] for event in calls} == {"MainThread", "worker <1>"}
    for event in calls:
        arguments = event["args"]
        assert arguments["step"] == 1 and arguments["ratio"] == "nan"
        assert arguments["source_file"].endswith("export_runs.py") and arguments["source_line"] > 1


def test_overlapping_calls_have_tracks_of_their_own(tmp_path):
    run = RUNS["tasks"]()
    [path] = run.export_chrome_trace(tmp_path / "x.trace.json")
    events, _ = traced(path)
    names = [event["args"]["name"] for event in events if event["name"] == "thread_name"]
    assert len(names) == 4 and all("job" in name for name in names)
    waited = [event["args"].get("await_duration", 0) for event in events if event["ph"] == "X"]
    assert sum(waited) == pytest.approx(sum(one[0].total_await_duration for one in run), rel=1e-6)


def test_each_rank_is_a_process(tmp_path):
    [path] = two_ranks().export_chrome_trace(tmp_path / "x.trace.json")
    events, _ = traced(path)
    assert {event["pid"] for event in events} == {0, 1}
    names = [event["args"]["name"] for event in events if event["name"] == "process_name"]
    assert all(name.startswith(f"rank {rank}") for rank, name in enumerate(names))


def test_processes_have_their_names(tmp_path):
    begun = (results(r=region((0, 5))), results(r=region((6, 9))))
    run = merge_processes([ProfilingResults({"r": one["r"]}, {"program_id": "p", "process_id": rank,
                                                              "start_time_ns": 0, "process_name": name})
                           for rank, (one, name) in enumerate(zip(begun, ("", "Worker-1")))])
    [path] = run.export_chrome_trace(tmp_path / "x.trace.json")
    names = [event["args"]["name"] for event in traced(path)[0] if event["name"] == "process_name"]
    assert names == ["rank 0", "rank 1: Worker-1"]


def test_a_call_on_another_track_than_its_parent_has_an_arrow(tmp_path):
    run = results(
        submit=region((0, 100), call_ids=[0], parent_ids=[-1], thread_ids=[0]),
        work=region((50, 150), call_ids=[1], parent_ids=[0], thread_ids=[1]),
    )
    [path] = run.export_chrome_trace(tmp_path / "x.trace.json")
    events, _ = traced(path)
    start, end = (next(event for event in events if event["ph"] == phase) for phase in "sf")
    assert start["id"] == end["id"] and start["tid"] != end["tid"]
    assert start["ts"] == end["ts"] == 0.05 and end["bp"] == "e"
    [path] = run.export_perfetto(tmp_path / "x.perfetto-trace")
    events = [event for packet in packets_of(path) for event in packet[11]]
    flows = [message(event) for event in events]
    assert [event[47] for event in flows if event[47]] == [event[48] for event in flows if event[48]]
    assert sum(map(len, (event[47] for event in flows))) == 1


def test_what_was_not_kept_is_laid_out(tmp_path):
    run = RUNS["aggregated"]()
    [path] = run.export_chrome_trace(tmp_path / "x.trace.json")
    events, _ = traced(path)
    calls = [event for event in events if event["ph"] == "X"]
    assert len(calls) == len(run.recorded[0].nodes)
    assert sum(event["args"]["calls"] for event in calls) == sum(one.num_calls for one in run)


# ---- Perfetto: a reader of the wire format


def message(data):
    """The fields of a message: {number: [value, ...]}, bytes where they have a length."""
    fields = defaultdict(list)
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            fields[number].append(varint())
        elif kind == 1:
            fields[number].append(struct.unpack_from("<Q", data, at)[0])
            at += 8
        else:
            assert kind == 2
            length = varint()
            fields[number].append(data[at:at + length])
            at += length
    assert at == len(data)
    return fields


def packets_of(path):
    trace = message(path.read_bytes())
    assert {*trace} == {1}
    return [message(packet) for packet in trace[1]]


def test_perfetto(run, tmp_path):
    [path] = run.export(tmp_path / "x.perfetto-trace")
    names, ranks, found, stacks, times = {}, {}, [], defaultdict(list), {}
    for number, packet in enumerate(packets_of(path)):
        assert packet[10] == [1] and packet[13] == [1] if number == 0 else packet[10] == [1]
        for descriptor in map(message, packet[60]):
            [uuid] = descriptor[1]
            assert uuid not in ranks
            ranks[uuid] = ranks[descriptor[5][0]] if descriptor[5] else uuid - 1
        for interned in map(message, packet[12]):
            for row in map(message, interned[2]):
                names[row[1][0]] = row[2][0].decode()
        for event in map(message, packet[11]):
            [track], [at] = event[11], packet[8]
            assert times.get(track, 0) <= at and track in ranks and packet[13] == [2]
            times[track] = at
            if event[9] == [1]:
                stacks[track].append((names[event[10][0]], at))
            else:
                assert event[9] == [2]
                name, start = stacks[track].pop()
                found.append((ranks[track], name, start + origin_of(run), at - start))
    assert not any(stacks.values())
    if run.has_event_data:
        assert sorted(found) == calls_of(run)


def test_notes_in_perfetto(tmp_path):
    run = RUNS["regions"]()
    [path] = run.export_perfetto(tmp_path / "x.perfetto-trace")
    events = [message(event) for packet in packets_of(path) for event in packet[11]]
    noted = [{note[10][0].decode(): {key: value for key, value in note.items() if key != 10}
              for note in map(message, event[4])} for event in events if event[4]]
    assert len(noted) == 2
    for notes in noted:
        assert notes["step"] == {4: [1]}
        assert notes["name"] == {6: [(ODD + r"\ud800").encode()]}
        assert struct.unpack("<d", struct.pack("<Q", notes["ratio"][5][0]))[0] != 0


def test_protobuf_reads_it(tmp_path):
    pb2 = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2")
    run = RUNS["regions"]()
    [path] = run.export_perfetto(tmp_path / "x.perfetto-trace")
    trace = pb2.Trace()
    trace.ParseFromString(path.read_bytes())
    begins = [packet for packet in trace.packet if packet.track_event.type == 1]
    assert len(begins) == sum(one.num_calls for one in run)
    assert any(note.name == "step" and note.int_value == 1
               for packet in begins for note in packet.track_event.debug_annotations)


# ---- Order, and the bar


@given(st.recursive(st.just([]), lambda inside: st.lists(inside, max_size=4), max_leaves=40))
def test_opens_and_closes_are_those_of_a_walk(tree):
    depth, expected = [], []

    def walk(children, level):
        for child in children:
            number = len(depth)
            depth.append(level)
            expected.append(number)
            walk(child, level + 1)
            expected.append(~number)

    walk(tree, 0)
    order = [place for piece in opens_and_closes(np.array(depth, np.int32)) for place in piece.tolist()]
    assert order == expected


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), max_size=30))
def test_calls_of_a_lane_lie_within_each_other(calls):
    calls = sorted((start, start + length) for start, length in calls)
    run = results(a=region(*calls[::2]), b=region(*calls[1::2]))
    [*made] = timelines.timelines(run, None, None, None)
    assert len(made) == bool(calls)
    for timeline in made:
        rows = np.concatenate([lane.rows for lane in timeline.lanes])
        assert sorted(rows.tolist()) == [*range(len(calls))]
        for lane in timeline.lanes:
            starts, ends = timeline.start_ns[lane.rows], timeline.end_ns[lane.rows]
            check_nested(zip(starts.tolist(), ends.tolist()))
            for order in opens_and_closes(lane.depth):
                at = np.where(order < 0, ends[~order], starts[np.maximum(order, 0)])
                assert (at[1:] >= at[:-1]).all()


def test_chosen_regions_alone_are_written(tmp_path):
    run = functions()
    [path] = run.export(tmp_path / "x.trace.json", include=r".*leaf")
    events, _ = traced(path)
    assert {event["name"] for event in events if event["ph"] == "X"} == {"export_runs.leaf"}


def test_the_bar_is_for_terminals_and_many_calls(tmp_path, monkeypatch, capsys):
    run = results(a=region(*((place, place + 1) for place in range(3000))))
    run.export(tmp_path / "x.trace.json")
    monkeypatch.setattr(progress, "_MANY", 1000)
    run.export(tmp_path / "x.trace.json")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(progress, "_is_terminal", lambda: True)
    for suffix in ("trace.json", "speedscope.json", "perfetto-trace"):
        run.export(tmp_path / f"x.{suffix}")
        assert re.fullmatch(rf"(\rWriting x\.{suffix} ━* *\d+%)*\rWriting x\.{suffix} ━{{30}} 100%"
                            r"\r\x1b\[K", capsys.readouterr().err)
