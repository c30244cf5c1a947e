"""Runs journal_program.py, ends it, and compares what its journal has with what it did."""

import os
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from scope_profiler import load
from scope_profiler.io.journal_reader import recover

from journal_program import region_of, step_of

PROGRAM = Path(__file__).with_name("journal_program.py")


class Killed:
    """A program that has ended, and how many calls each of its threads had made."""

    def __init__(self, folder, threads=1, calls=1 << 60, end="none", at=-1, delay=None, environment=None,
                 name="out.h5"):
        self.output = Path(folder, name)
        self.threads = threads
        self._progress = Path(folder, "progress")
        self._progress.write_bytes(bytes(8 * threads))
        command = [sys.executable, "-X", "faulthandler=0", PROGRAM, self.output, self._progress,
                   str(threads), str(calls), end, str(at)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL,
                              env={**os.environ, **(environment or {})}) as process:
            if delay is not None:
                while not any(self.done) and process.poll() is None:
                    time.sleep(0.001)
                time.sleep(delay)
                process.kill()
            self.status = process.wait()

    @property
    def done(self):
        """Of each thread the calls that were over for sure."""
        return struct.unpack(f"{self.threads}Q", self._progress.read_bytes())

    @property
    def journals(self):
        return sorted(self.output.parent.glob("*.journal"))


def sequences(results):
    """Of each thread the (name, start, duration, metadata) of its calls, in their order."""
    found = {}
    for region in results:
        one = region[0]
        threads = one.thread_ids if one.thread_ids is not None else np.zeros(one.num_events, int)
        metadata = one.event_metadata
        for row, (start, duration, thread) in enumerate(
            zip(one.start_times_ns.tolist(), one.durations_ns.tolist(), threads.tolist())
        ):
            found.setdefault(thread, []).append(
                (start, duration, region.name, metadata[row] if metadata is not None else {}))
    return {thread: sorted(calls, key=lambda call: call[:3]) for thread, calls in found.items()}


def check(killed):
    """What is recovered is the begin of what each thread did, without a call that was over."""
    (journal,) = killed.journals
    results, missing = recover(journal)
    calls = sequences(results)
    numbers = {}  # the threads of the program by how their calls begin
    for thread, made in calls.items():
        fits = [number for number in range(killed.threads) if number not in numbers.values()
                and all(name == region_of(number, place)
                        for place, (_, _, name, _) in enumerate(made[:20]))]
        assert fits, f"thread {thread} began as none did: {[name for _, _, name, _ in made[:20]]}"
        numbers[thread] = fits[0]
    for thread, made in calls.items():
        number = numbers[thread]
        assert [call[2] for call in made] == [region_of(number, place) for place in range(len(made))]
        assert all(before[0] + before[1] <= after[0] + 2 for before, after in zip(made, made[1:]))
        if number == 0:
            assert all(call[3] == {"step": step_of(place)} for place, call in enumerate(made))
    for number, done in enumerate(killed.done):
        recovered = sum(len(made) for thread, made in calls.items() if numbers[thread] == number)
        assert done <= recovered <= done + 1, (number, done, recovered, missing)
    return sum(map(len, calls.values())), missing


def random_kill(folder, seed):
    """One run killed at random; returns (how, calls recovered, sentences about what is missing)."""
    chance = random.Random(seed)
    threads = chance.choice((1, 1, 2, 4))
    how = chance.choice(("SIGKILL", "kill", "exit", "segfault"))
    if how == "SIGKILL":
        killed = Killed(folder, threads, delay=chance.random() ** 3 * 0.3)
    else:
        killed = Killed(folder, threads, end=how, at=int(10 ** (chance.random() * 4.5)))
    return how, *check(killed)


def finalize_killed(folder, faults, at, name, old=None):
    """A run of 3000 calls that is killed at a write of finalize(), or before; whether it was. old: the bytes
    of results of another run with fewer calls, which are in the place of its own. Raises where there are
    neither the old results nor the new ones, each whole, or the calls are in neither results nor journal."""
    calls = 3000
    if old is not None:
        Path(folder, name).write_bytes(old)
    killed = Killed(folder, 1, calls, "finalize", environment=faults.killing_all(at), name=name)
    assert killed.status in (0, -9), killed.status
    written = None
    if old is not None or killed.output.exists():
        written = sum(region.num_calls for region in load(killed.output))
        assert written == calls or old is not None and killed.output.read_bytes() == old, (at, written)
    if killed.done[0] == calls and written != calls:
        (journal,) = killed.journals
        assert sum(region.num_calls for region in recover(journal)[0]) == calls, at
    return killed.status != 0


_FAULTS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* At the FAULT_AT-th call of these that is about a file of ours: end the process, or fail. */
static int of_ours(int file)
{
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, name, sizeof name - 1);
    if (size <= 0)
        return 0;
    name[size] = 0;
    const char *wanted = getenv("FAULT_IN");
    return strstr(name, wanted) != NULL;
}

static int seen;

/* Of the write at which the process ends, half is done. */
static size_t torn(size_t size)
{
    return seen + 1 == atoi(getenv("FAULT_AT")) && getenv("FAULT_ERROR") == NULL ? size / 2 : 0;
}

static int fault(void)
{
    if (++seen != atoi(getenv("FAULT_AT")))
        return 0;
    const char *error = getenv("FAULT_ERROR");
    if (error == NULL)
        kill(getpid(), SIGKILL);
    errno = atoi(error);
    return 1;
}

#define REAL(name) static __typeof__(name) *real; if (real == NULL) real = dlsym(RTLD_NEXT, #name)
int fallocate(int file, int mode, off_t at, off_t size)
{
    REAL(fallocate);
    return of_ours(file) && fault() ? -1 : real(file, mode, at, size);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    REAL(pwrite);
    if (of_ours(file) && torn(size) != 0)
        real(file, data, torn(size), at);
    return of_ours(file) && fault() ? -1 : real(file, data, size, at);
}
ssize_t pwrite64(int file, const void *data, size_t size, off_t at)
{
    REAL(pwrite64);
    if (of_ours(file) && torn(size) != 0)
        real(file, data, torn(size), at);
    return of_ours(file) && fault() ? -1 : real(file, data, size, at);
}
ssize_t write(int file, const void *data, size_t size)
{
    REAL(write);
    if (of_ours(file) && torn(size) != 0)
        real(file, data, torn(size));
    return of_ours(file) && fault() ? -1 : real(file, data, size);
}
int fsync(int file)
{
    REAL(fsync);
    return of_ours(file) && fault() ? -1 : real(file);
}
void *mmap(void *at, size_t size, int rights, int flags, int file, off_t offset)
{
    REAL(mmap);
    return file >= 0 && (flags & MAP_SHARED) && of_ours(file) && fault()
               ? MAP_FAILED : real(at, size, rights, flags, file, offset);
}
int ftruncate(int file, off_t size)
{
    REAL(ftruncate);
    return of_ours(file) && fault() ? -1 : real(file, size);
}
int ftruncate64(int file, off_t size)
{
    REAL(ftruncate64);
    return of_ours(file) && fault() ? -1 : real(file, size);
}
int fchmod(int file, mode_t mode)
{
    REAL(fchmod);
    return of_ours(file) && fault() ? -1 : real(file, mode);
}
int rename(const char *from, const char *to)
{
    REAL(rename);
    return strstr(to, getenv("FAULT_IN")) && fault() ? -1 : real(from, to);
}
int link(const char *from, const char *to)
{
    REAL(link);
    return strstr(to, getenv("FAULT_IN")) && fault() ? -1 : real(from, to);
}
int unlink(const char *path)
{
    REAL(unlink);
    return strstr(path, getenv("FAULT_IN")) && fault() ? -1 : real(path);
}
"""


class FaultLibrary:
    """A library that, loaded before others, ends a program or fails at a write to a file of a run."""

    def __init__(self, folder):
        self._library = Path(folder, "faults.so")
        source = Path(folder, "faults.c")
        source.write_text(_FAULTS)
        subprocess.run(["cc", "-shared", "-fPIC", "-w", "-D_GNU_SOURCE", "-o", self._library, source, "-ldl"],
                       check=True)

    def _at(self, at, where, **more):
        return {"LD_PRELOAD": str(self._library), "FAULT_AT": str(at), "FAULT_IN": where, **more}

    def killing(self, at):
        """The variables with which a program is killed at that write to its journal."""
        return self._at(at, ".journal")

    def killing_all(self, at):
        """... or to its file."""
        return self._at(at, "killed_run")

    def failing(self, at, error):
        """... with which that write fails."""
        import errno

        return self._at(at, ".journal", FAULT_ERROR=str(getattr(errno, error)))
