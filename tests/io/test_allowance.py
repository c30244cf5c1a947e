"""allowance.py, and what crafted or damaged files do: they take neither memory nor time, and what
is outside of them stays unread."""

import gzip
import os
from pathlib import Path
import subprocess
import sys

from h5py_needed import h5py
from hdf5_support import example
import numpy as np
import pytest

import scope_profiler as sp
from scope_profiler.io.allowance import ALWAYS, TIMES, Allowance

COLUMN = "rank_region_index/ranks"
SECRET = "secret.txt"


def crafted(edit, path="x.h5"):
    sp.write_profile(example(), path)
    with h5py.File(path, "r+") as file:
        edit(file)
    return path


def column(file, name, count, **how):
    """Puts a column of so many zeros in the place of one."""
    dtype = file[name].dtype
    del file[name]
    file.create_dataset(name, (count,), dtype, **how)


def external(file):
    Path(SECRET).write_bytes(b"secret" * 100)
    column(file, COLUMN, 4, external=[(SECRET, 0, 16)])


def virtual(file):
    os.mkfifo("pipe")
    layout = h5py.VirtualLayout((4,), file[COLUMN].dtype)
    layout[:] = h5py.VirtualSource("pipe", "x", (4,))
    del file[COLUMN]
    file.create_virtual_dataset(COLUMN, layout)


def linked(link):
    def edit(file):
        os.path.exists("pipe") or os.mkfifo("pipe")
        del file["region_table"]
        file["region_table"] = link

    return edit


def linked_attributes(file):
    os.mkfifo("pipe")
    file["metadata/_exact"] = h5py.ExternalLink("pipe", "/x")


@pytest.mark.parametrize("edit", [
    external, virtual, linked(h5py.ExternalLink("pipe", "/x")),
    linked(h5py.SoftLink("/metadata")), linked_attributes,
])
def test_what_is_outside_of_the_file_is_not_read(edit):
    for read in (sp.load, sp.read_h5_summary):
        with pytest.raises(sp.CorruptProfileError, match="in other files|a link to elsewhere"):
            read(crafted(edit))
        for name in ("pipe", SECRET):
            Path(name).unlink(missing_ok=True)


def test_pipes_are_not_waited_for():
    os.mkfifo("pipe")
    for read in (sp.load, sp.read_h5, sp.read_json, sp.read_h5_summary):
        with pytest.raises(sp.CorruptProfileError, match="no regular file"):
            read("pipe")


def many_calls(file):
    for name in file["events"]:
        column(file, f"events/{name}", 200_000_000, chunks=(1 << 20,), compression="gzip")


def many_rows(file):
    for name in list(file["rank_region_index"]):
        column(file, f"rank_region_index/{name}", 0)
    for name in ("region_ids", "ranks", "event_offsets", "event_counts"):
        column(file, f"rank_region_index/{name}", 8_000_000, chunks=(1 << 20,), compression="gzip")


def many_threads(file):
    for name in list(file["thread_table"]):
        del file["thread_table"][name]
    file.create_dataset("thread_table/ranks", (8_000_000,), "u4", chunks=(1 << 20,),
                        compression="gzip")


def large_chunks(file):
    column(file, COLUMN, 4, chunks=(1 << 29,), maxshape=(None,), compression="gzip")


def packed_twice(file):
    column(file, COLUMN, 4, chunks=(4,), compression="gzip", scaleoffset=3)


def piece_that_is_longer(file):
    column(file, COLUMN, 4, chunks=(4,), compression="gzip")
    file[COLUMN].id.write_direct_chunk((0,), bytes(10_000))


def in_two_places(file):
    """2**30 ways lead to the last group."""
    file.attrs["scope_profiler_schema"] = 1
    group = file.create_group("rank0/regions/r")
    for _ in range(30):
        inner = group.create_group("x")
        group["y"] = inner
        group = inner


def long_texts(file):
    """Each refers to the same text."""
    name = "region_table/names"
    del file[name]
    file.create_dataset(name, (4000,), h5py.string_dtype(), data=["x" * 1_000_000] + [""] * 3999)
    at = file[name].id.get_offset()
    file.close()
    data = bytearray(Path("x.h5").read_bytes())
    data[at : at + 64_000] = data[at : at + 16] * 4000
    Path("x.h5").write_bytes(data)


@pytest.mark.parametrize("edit, text", [
    (many_calls, "takes 1600000000 bytes of memory.* max_bytes="),
    (many_rows, "8000000 rows takes"), (many_threads, "8000000 rows takes"),
    (large_chunks, "bytes of memory"), (packed_twice, "compressed several times"),
    (piece_that_is_longer, "longer than what it unpacks to"), (in_two_places, "in two places"),
    (long_texts, "bytes of memory"),
])
def test_lengths_are_checked_before_memory_is_taken(edit, text):
    with pytest.raises(sp.CorruptProfileError, match=text):
        sp.load(crafted(edit))


@pytest.mark.parametrize("text, times, max_bytes", [
    (b"[],", 20_000_000, None), (b"0,", 12_000_000, 64 << 20), (b" ", 80_000_000, 64 << 20),
    (b'{"":0},', 1_200_000, 64 << 20),
])
def test_json_is_not_unpacked_without_end(text, times, max_bytes):
    with gzip.open("x.json.gz", "wb", 1) as file:
        file.write(b'{"format":"scope-profiler-profile","regions":[')
        for _ in range(100):
            file.write(text * (times // 100))
    with pytest.raises(sp.JSONProfileError, match="takes .* bytes of memory.* max_bytes="):
        sp.load("x.json.gz", max_bytes=max_bytes)


@pytest.mark.parametrize("suffix", ["h5", "json", "json.gz"])
def test_the_limit_can_be_set(suffix):
    path = sp.write_profile(example(), f"x.{suffix}")
    with pytest.raises((sp.CorruptProfileError, sp.JSONProfileError), match="max_bytes="):
        sp.load(path, max_bytes=1000)
    assert sp.load(path, max_bytes=1 << 30).region_names == sp.load(path).region_names
    with pytest.raises(TypeError, match="max_bytes takes an int or None, got str: '1'"):
        sp.load(path, max_bytes="1")
    with pytest.raises(ValueError, match="max_bytes takes an int of at least 1, got 0"):
        sp.load(path, max_bytes=0)


def test_what_is_allowed_goes_by_the_size_of_the_file():
    allowance = Allowance(1000)
    assert allowance.limit == ALWAYS + 1000 * TIMES and Allowance(1000, 7).left == 7
    allowance.take(allowance.limit - 10, "this")
    allowance.check(10, "that")
    with pytest.raises(ValueError, match="that takes 11 bytes"):
        allowance.take(11, "that")


def test_columns_that_are_all_alike_are_read_without_asking():
    """The best that compressing ours can do."""
    from hdf5_support import columns, run

    count = 2_000_000
    alike = run({"r": {0: columns(np.zeros(count, np.int64), np.ones(count, np.int64),
                                  thread_ids=np.zeros(count, np.int64))}})
    path = sp.write_profile(alike, "x.h5", compression="gzip")
    assert sp.load(path)["r"].num_calls == count


@pytest.mark.parametrize("text", [b"name of a region", b"value of metadata"])
def test_the_length_of_a_text_is_not_believed(text):
    """One changed byte has HDF5 take gigabytes, and write to them."""
    from hdf5_support import run

    names = {text.decode(): {}} if text.startswith(b"name") else {}
    path = sp.write_profile(run(names, {"k": text.decode()}), "x.h5")
    whole = path.read_bytes()
    length = len(text).to_bytes(4, "little")
    at = whole.find(length)
    found = 0
    while at >= 0:
        # A reference: the length, the address of a heap, the number in it.
        heap = int.from_bytes(whole[at + 4 : at + 12], "little")
        if 0 < heap < len(whole) and whole[heap : heap + 4] == b"GCOL":
            path.write_bytes(whole[: at + 3] + b"\x90" + whole[at + 4 :])
            with pytest.raises(sp.CorruptProfileError, match="text of 24159191.. bytes|checksum"):
                sp.load(path)
            found += 1
        at = whole.find(length, at + 1)
    assert found >= 1


# ---- At random

FUZZ = """
import os, random, resource, signal, sys
import h5py, numpy
import scope_profiler as sp
from hdf5_support import contents

path, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
whole = open(path, "rb").read()
chance = random.Random(seed)
[used] = [int(line.split()[1]) << 10 for line in open("/proc/self/status") if "VmSize" in line]
resource.setrlimit(resource.RLIMIT_AS, (used + (700 << 20),) * 2)
full = [place for place in range(len(whole)) if whole[place]]
for number in range(count):
    data = bytearray(whole)
    if number % 10 == 0:
        del data[chance.randrange(len(data)):]
    for _ in range(chance.choice((1, 1, 2, 5))):
        place = min(chance.choice((chance.choice(full), chance.randrange(len(whole)))),
                    len(data) - 1)
        if place >= 0:
            data[place] = chance.choice((0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)))
    with open("fuzzed", "wb") as file:
        file.write(data)
    signal.alarm(30)
    try:
        contents(sp.load("fuzzed"))
        if path.endswith("h5"):
            contents(sp.read_h5_summary("fuzzed"))
    except (sp.CorruptProfileError, sp.JSONProfileError, sp.UnsupportedProfileError) as error:
        assert not isinstance(error.__cause__, MemoryError), (number, error)
        assert "annot allocate" not in str(error), (number, error)
print("done")
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="it asks /proc")
@pytest.mark.parametrize("name, settings", [
    ("x.h5", {}), ("x.h5", {"compression": "gzip"}), ("x.json", {}), ("x.json.gz", {}),
])
def test_damaged_files_give_results_or_an_error_of_ours(name, settings, request):
    """Quickly, and in little memory. Another seed may be given by SCOPE_PROFILER_SEED."""
    if name.endswith("h5"):
        request.getfixturevalue("hdf5_for_damaged_files")
    path = sp.write_profile(example(), name, **settings)
    seed = os.environ.get("SCOPE_PROFILER_SEED", str(len(name)))
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(path), seed, "100"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1",
             "OPENBLAS_NUM_THREADS": "1"})
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-2000:]
