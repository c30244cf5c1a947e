"""Mutate files of every format and read them: python tools/fuzz_readers.py --seconds 60 [--seed N].

Half of the changes are to bytes; the others are to values, and keep what is around them sound (checksums,
the syntax of JSON), as what is damaged otherwise is not looked at. Each is read in a child process, many in
each, with `load(max_bytes=)` of 64 MiB and four times the file. What is found is a crash, more than 5
seconds, more memory than that (as the limit of the address space tells, with 64 MiB for what Python itself
takes), or an exception that `load` does not document. The files that did it are left in --keep.
"""

from __future__ import annotations

import argparse
import base64
import gc
import gzip
import io
import json
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

import h5py
import numpy as np

import scope_profiler as sp
from scope_profiler._run import checkpoint
from scope_profiler.io import hdf5_reader, journal_format as form

LONGEST, SPARE = 5, 64 << 20
INTERESTING = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1,
               (1 << 64) - 1, 1 << 40]
DOCUMENTED = (sp.CorruptProfileError, sp.JSONProfileError, sp.UnsupportedProfileError)


def made() -> sp.ProfilingResults:
    """Results with something of everything."""
    notes = [{"step": 1}, {}, {"x": "y", "z": [1, 2.5, None]}]
    line = {"region": "a", "filename": "f.py", "function": "f", "first_lineno": 3, "line_numbers": [4],
            "hits": [10], "times": [1.5], "unit": 1e-9}
    a = sp.Region(start_times_ns=[10, 20, 30], durations_ns=[5, 4, 3], thread_ids=[0, 1, 0],
                  task_ids=[-1, 0, -1], await_ns=[0, 2, 0], event_metadata=notes, tags=["t"],
                  source_file="f.py", source_lineno=3, source_text="def f(): ...", errors=1)
    b = sp.Region(statistics={"count": 3, "total": 9, "minimum": 1, "maximum": 5, "std": 1.5})
    thread = sp.ThreadInfo(0, 0, "MainThread", 12, 34, False, 0, None, 5)
    return sp.ProfilingResults(
        {"a": sp.MPIRegion("a", {0: a, 3: a}), "ü b": sp.MPIRegion("ü b", {0: b})},
        {"label": "x", "start_time_ns": 1}, line_profile={0: [line]}, threads={0: [thread]},
    )


def recorded(folder: Path) -> Path:
    manager = sp.ProfileManager()
    manager.setup(file_path=str(folder / "recorded.h5"), verbose=False)
    for step in range(5):
        with manager.metadata(step=step), manager.region("outer"), manager.region("inner"):
            pass
    manager.finalize(verbose=False)
    return folder / "recorded.h5"


def trace(version: int, order: str) -> bytes:
    data = b"SCOPEPRF" + struct.pack(order + "iiq", version, 1, 2)
    for name in (b"one", b"two"):
        data += struct.pack(order + "i", len(name)) + name
        if version == 2:
            data += struct.pack(order + "i", 3) + b"f.c" + struct.pack(order + "i", 7)
        data += struct.pack(order + "q", 2) + struct.pack(order + "4q", 1, 5, 4, 9)
    return data


def journals(folder: Path) -> list[bytes]:
    """Of a run with everything, before and after a checkpoint."""
    found = []
    manager = sp.ProfileManager()
    manager.setup(file_path=str(folder / "journalled.h5"), verbose=False, journal=True, memory=True,
                  track_threads=True, use_line_profiler=True)
    lined = manager.profile("lined")(lambda: None)
    for step in range(5):
        with manager.metadata(step=step), manager.region("outer"), manager.region("inner", tags=["t"]):
            lined()
        if step > 2:
            (path,) = folder.glob("*.journal")
            found.append(path.read_bytes())
            checkpoint.make(manager)
    manager.reset()
    return found


def seeds(folder: Path) -> dict[str, list[bytes]]:
    """Files to begin with, by format."""
    results, run = made(), recorded(folder)
    found: dict[str, list[bytes]] = {"hdf5": [run.read_bytes()], "json": [], "spt": []}
    for name, settings in (("a.h5", {}), ("b.h5", {"compression": "gzip", "chunk_size": 2})):
        found["hdf5"].append(sp.write_profile(results, folder / name, **settings).read_bytes())
    for source in (results, sp.load(run)):
        found["json"].append(sp.write_profile(source, folder / "a.json").read_bytes())
    found["json"].append(gzip.compress(found["json"][0]))
    found["stored"] = found["hdf5"]
    found["journal"] = journals(folder)
    found["spt"] = [trace(version, order) for version in (1, 2) for order in "<>"]
    try:
        path = sp.load(run).to_parquet(folder / "a.parquet") / "rank=0/calls.parquet"
    except ImportError:
        return found
    found["parquet"] = [path.read_bytes()]
    return found


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The bytes with one to eight changes."""
    new = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(new) + 1)
        kind = chance.randrange(7)
        if kind == 0 and new:
            new[at % len(new)] ^= 1 << chance.randrange(8)
        elif kind == 1 and new:
            new[at % len(new)] = chance.randrange(256)
        elif kind == 2:
            size = chance.choice((1, 2, 4, 8))
            value = chance.choice(INTERESTING) % (1 << 8 * size)
            new[at : at + size] = value.to_bytes(size, chance.choice(("little", "big")))
        elif kind == 3:
            del new[at : at + chance.choice((1, 2, 8, 64, 1024))]
        elif kind == 4:
            begin = chance.randrange(len(new) + 1)
            new[at:at] = new[begin : begin + chance.choice((1, 8, 64, 1024))]
        elif kind == 5:
            other = chance.choice(others)
            begin = chance.randrange(len(other))
            piece = other[begin : begin + chance.choice((4, 16, 256))]
            new[at : at + len(piece)] = piece
        elif chance.random() < 0.1:
            del new[at:]
    return bytes(new)


def mutated_json(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Half of the time a sound document, in which values are others, of other kinds, or not there."""
    if chance.random() < 0.5 or data[:1] != b"{":
        return mutated(data, others, chance)
    document = json.loads(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        inside, key = document, None
        while isinstance(inside, (dict, list)) and inside:
            around, key = inside, chance.choice([*inside] if isinstance(inside, dict) else range(len(inside)))
            inside = around[key]
            if chance.random() < 0.15:
                break
        if key is None:
            continue
        kind = chance.randrange(8)
        if kind == 0:
            del around[key]
        elif kind == 1:
            around[key] = inside + inside if isinstance(inside, (list, str)) else [inside]
        elif kind == 2 and isinstance(around, dict):
            around[chance.choice(("x", "", *around))] = around.pop(key)
        elif kind == 3 and isinstance(inside, (int, float)):
            around[key] = inside + chance.choice((-1, 1, 0.5, 1 << 40, -(1 << 70)))
        else:
            around[key] = chance.choice((None, True, -1, 1.5, "", "a", [], {}, [[]], 10**30, float("nan"),
                                         1e308, *INTERESTING))
    return json.dumps(document).encode()


def mutated_columns(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Half of the time a sound file, in which a value of a table is another."""
    if chance.random() < 0.5:
        return mutated(data, others, chance)
    file = io.BytesIO(data)
    with h5py.File(file, "r+") as root:
        tables: list[h5py.Dataset] = []
        root.visititems(lambda _, item: tables.append(item) if isinstance(item, h5py.Dataset) else None)
        for _ in range(chance.choice((1, 1, 2, 4))):
            table = chance.choice([table for table in tables if table.size])
            values = np.atleast_1d(table[()])
            row = chance.randrange(len(values))
            if values.dtype.hasobject:
                values[row] = chance.choice(("", "x", "[1]", "{}", "[", *values.tolist()))
            else:
                words = values.view(np.uint8).reshape(len(values), -1)
                at = chance.randrange(0, words.shape[1], min(8, words.shape[1]))
                changed = chance.choice(INTERESTING).to_bytes(8, "little")
                words[row, at : at + 8] = np.frombuffer(changed, np.uint8)[: words.shape[1] - at]
            table[()] = values.reshape(table.shape)
    return file.getvalue()


def mutated_parquet(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The file with its own metadata changed: what Parquet itself reads is not ours to check."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(data))
    packed = table.schema.metadata[b"scope_profiler"]
    if chance.random() < 0.1:
        packed = mutated(packed, [packed], chance)
    else:
        text = zlib.decompress(base64.b64decode(packed))
        packed = base64.b64encode(zlib.compress(mutated(text, [text], chance)))
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({b"scope_profiler": packed}), sink)
    return sink.getvalue().to_pybytes()


def mutated_journal(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Mostly what is in one of its blocks is changed, and the hashes are those of that: what is damaged
    otherwise is not looked at."""
    if chance.random() < 0.2:
        return mutated(data, others, chance)
    new = bytearray(data)
    blocks = [place for place in range(0, len(data), form.PAGE)
              if data[place : place + 4] == form.BLOCK_MAGIC.to_bytes(4, sys.byteorder)]
    place = chance.choice(blocks)
    begin = place + form.BLOCK.itemsize
    head = np.frombuffer(data, form.BLOCK, 1, place).copy()
    room = int(head["length"][0]) - form.BLOCK.itemsize
    used = int(head["used"][0]) or len(data[begin : begin + room].rstrip(b"\0"))
    if chance.random() < 0.7:
        contents = data[begin : begin + used]
        kind = int(head["kind"][0])
        changed = mutated_items(contents, chance) if kind == form.ITEMS else mutated(
            contents, [contents or b"x"], chance)
        changed = changed[:room]
        new[begin : begin + room] = changed + bytes(room - len(changed))
        if head["used"][0]:
            head["used"], head["contents"] = len(changed), form.hash_of(changed)
    else:
        field = chance.choice(form.BLOCK.names)
        head[field] = chance.choice(INTERESTING) % (1 << 8 * head[field].itemsize - 1)
    hashed = form.BLOCK.fields["hash"][1]
    head["hash"] = form.hash_of(head.tobytes()[:hashed])
    new[place:begin] = head.tobytes()
    return bytes(new)


def mutated_items(contents: bytes, chance: random.Random) -> bytes:
    """Items of which one is changed."""
    items, at = [], 0
    while at + form.ITEM.itemsize <= len(contents):
        head = np.frombuffer(contents, form.ITEM, 1, at)[0]
        begin = at + form.ITEM.itemsize
        items.append((int(head["kind"]), contents[begin : begin + int(head["size"])]))
        at = begin + int(head["size"]) + -int(head["size"]) % 8
    which = chance.randrange(len(items) or 1)
    found = b""
    for number, (kind, body) in enumerate(items):
        if number == which:
            body = mutated(body, [body or b"x"], chance)
            kind = chance.choice((kind, kind, kind, 1, 2, 3, 77))
        head = np.zeros(1, form.ITEM)
        head["kind"], head["size"], head["hash"] = kind, len(body), form.hash_of(body)
        found += head.tobytes() + body + bytes(-len(body) % 8)
    return found


def read(path: Path) -> None:
    """Everything that a file holds."""
    size = path.stat().st_size
    results = sp.load(path, max_bytes=(64 << 20) + 4 * size)
    for region in results:
        for rank in region:
            one = region[rank]
            np.sum(one.durations_ns), np.sum(one.start_times_ns), one.node_ids
            one.event_metadata.ids
    results.summary()


def child(name: str, files: dict[str, list[bytes]], seed: int, batch: int, folder: Path, stop: float) -> None:
    """Read a batch; exits with 0, or leaves the file that did it. Which one it is at is in "at"."""
    chance = random.Random(seed)
    path, at = folder / "case", folder / "at"
    change = {"parquet": mutated_parquet, "journal": mutated_journal, "json": mutated_json,
              "stored": mutated_columns}.get(name, mutated)
    if name == "stored":
        hdf5_reader.SMALL = -1  # as files of very many regions or calls are read
    for number in range(batch):
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        data = change(chance.choice(files[name]), files[name], chance)
        path.write_bytes(data)
        at.write_text(str(number))
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = used + (64 << 20) + 4 * len(data) + SPARE
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        # What does not end is ended by these: of the processor, as the machine may have other work, and a
        # wait for something that does not come.
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        signal.alarm(20 * LONGEST)
        try:
            read(path)
        except DOCUMENTED as error:
            if "MemoryError" in repr(error) or "Unable to allocate" in str(error):
                raise SystemExit(3) from error
        except BaseException as error:
            print(f"{name}: {error!r}"[:300], file=sys.stderr)
            raise SystemExit(4) from error
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        if time.monotonic() > stop:
            break
    raise SystemExit(0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=2000, help="how many files a child reads")
    parser.add_argument("--batches", type=int, help="of each format; as many as there is time for")
    parser.add_argument("--formats", nargs="*")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    arguments = parser.parse_args()
    stop = time.monotonic() + arguments.seconds
    counts: dict[str, int] = {}
    findings = 0
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        folder = Path(name)
        files = seeds(folder)
        chosen = arguments.formats or [*files]
        for of_format in chosen:  # so that no child has to import what reads them
            for data in files[of_format]:
                (folder / "case").write_bytes(data)
                read(folder / "case")
        gc.collect()
        gc.freeze()
        seed = arguments.seed
        last = None if arguments.batches is None else seed + arguments.batches * len(chosen)
        while time.monotonic() < stop and seed != last:
            for of_format in chosen:
                seed += 1
                pid = os.fork()
                if pid == 0:
                    code = 5
                    try:
                        child(of_format, files, seed, arguments.batch, folder, stop)
                    except SystemExit as end:
                        code = int(end.code or 0)
                    finally:
                        os._exit(code)
                status = os.waitpid(pid, 0)[1]
                counts[of_format] = counts.get(of_format, 0) + 1 + int((folder / "at").read_text())
                if status:
                    findings += 1
                    arguments.keep.mkdir(exist_ok=True)
                    kept = arguments.keep / f"{of_format}-{seed}-{status}"
                    kept.write_bytes((folder / "case").read_bytes())
                    print(f"{kept}: status {status}", file=sys.stderr)
    print(json.dumps({"mutations": counts, "all": sum(counts.values()), "findings": findings}))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
