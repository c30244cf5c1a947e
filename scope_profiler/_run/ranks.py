"""finalize() on the ranks of a job: one result of all where MPI can bring it about, a file each elsewhere."""

from contextlib import suppress
import os
import sys

from .._base import file_names
from .._base.shown import shown
from .._base.warning import complain
from .._runtime import launcher, own_files, process_end, processes

#: How many times finalize() was called: {(path as it was given, handle of the setting `comm`): count}.
_counts = {}


class Together:
    """What finalize() on a rank has come to.

    results: Those of all ranks on rank 0, of this one elsewhere.
    where: The file that rank 0 puts the results of this rank into; None where it does not.
    remarks: What there is to say of it.
    is_of_all: Whether these are the results of all that have come.
    """

    is_of_all = False

    def __init__(self, results, remarks=(), where=None):
        self.results, self.remarks, self.where = results, remarks, where

    def write(self, files):
        """Write what has come of other ranks to the files, too."""

    def written(self):
        """The files are there: what others have left for them goes."""


class _OfAllRanks(Together):
    """On rank 0 what has come of the others, over `world`. own: The results of rank 0 alone."""

    is_of_all = True

    def __init__(self, results, gathered, world, own, seconds):
        super().__init__(results, _remarks(gathered, world.Get_size()))
        self._gathered, self._world, self._own, self._seconds = gathered, world, own, seconds

    def write(self, files):
        for file in files:
            if file.format != "hdf5" or not self._gathered.held or not self._write_together(file):
                file.write(self.results)
        self._gathered.release(self._world)

    def _write_together(self, file):
        """Whether all ranks have written the file."""
        plan, gathered = _plan(self._own, 0), self._gathered
        try:
            file.write(self.results, lambda path: gathered.write_together(
                self._world, path, lambda path: plan(path, None), self._seconds))
        except Exception as error:
            self.remarks.append(f"Not written by parallel HDF5: {shown(error)}.")
            return False
        self.remarks = _remarks(gathered, self._world.Get_size())
        return True

    def written(self):
        self._gathered.remove_files()


def job(run):
    """The launcher.Place of this process among several ranks that make one result, or None."""
    place = launcher.place(run._settings["comm"])
    return place if place is not None and (place.rank > 0 or (place.size or 1) > 1) else None


def begun(run):
    """A run begins: read the clocks of ranks on other machines, where there are any."""
    place = job(run)
    if place is None or not launcher.is_on_several_machines():
        return
    world, _ = _world(run, place)
    if world is not None:
        from ..mpi import clocks

        try:
            clocks.meet(world, min(clocks.PATIENCE, run._settings["mpi_timeout"]))
        except Exception as error:
            complain("the clocks of the machines could not be read", error)


def together(run, place, results, files):
    """Put the results of this rank together with those of the others, as far as they come.

    files: the RunFiles that have them already. Returns a Together.
    """
    what = run._settings["file_path"] if files else ""
    world, reason = _world(run, place)
    among = what, run._settings["comm"] and world and world.py2f()
    count = _counts[among] = _counts.get(among, 0) + 1
    if world is None:
        return _alone(place, results, files, reason)
    try:
        return _gathered(world, (what, count), run, place, results, files)
    except Exception as error:
        complain("the results of the ranks could not be put together", error)
        return _alone(place, results, files, "it failed")


def _world(run, place):
    """The communicator of the ranks, or None and why it cannot be used here and now."""
    world, members = launcher.communicator(), run._settings["comm"]
    if world is None:
        loaded = "mpi4py.MPI" in sys.modules
        return None, "MPI has ended" if loaded else "the program has not imported mpi4py"
    if not run._settings["mpi_timeout"]:
        return None, "mpi_timeout is 0"
    if process_end.is_terminated:
        return None, "SIGTERM has ended the process"
    if processes.is_child():
        return None, "this is a child of the rank"
    if members is not None:
        world = getattr(members.communicator, "communicator", members.communicator)
        if not world:
            return None, "its communicator was freed"
    from mpi4py import MPI

    if MPI.Query_thread() != MPI.THREAD_MULTIPLE and not MPI.Is_thread_main():
        return None, "MPI was begun without THREAD_MULTIPLE, and this is not its thread"
    if (world.Get_rank(), world.Get_size()) != (place.rank, place.size):
        return None, f"it is rank {world.Get_rank()} of {world.Get_size()} of MPI"
    return world, None


def _alone(place, results, files, reason):
    of = f" of {place.size}" if place.size else ""
    remarks = [f"Rank {place.rank}{of} alone: {reason}."]
    if files:
        stem, suffix = file_names.split(files[0].shared_path)
        pattern = f"{stem}.rank*{suffix}"
        remarks[0] = (f"Rank {place.rank}{of} alone, as {reason}; the others write {pattern}: "
                      f"scope-profiler merge {files[0].shared_path} '{pattern}' -o all{suffix or '.h5'}")
    return Together(results, remarks)


def _gathered(world, key, run, place, results, files):
    from ..mpi.gather import Key, gather, offer

    key, seconds = Key(*key), run._settings["mpi_timeout"]
    part = next((file.path for file in files if file.format in file_names.FORMATS), None)
    plan = _plan(results, place.rank) if _is_shareable(run, place, part, results) else None
    temporary = None
    if place.rank:
        if part is None:
            part = temporary = _write_part(results)
        answer = offer(world, key, part, seconds, plan)
        if answer.is_taken:
            for path in {temporary, *(file.path for file in files)}:
                if path != part or answer.is_sent:
                    _remove(path)
            return Together(_of_rank(results, place.rank), where=answer.where)
        _remove(temporary)
        done = _alone(place, results, files, f"rank 0 did not take it within {seconds:g} s")
        complain(f"rank {place.rank} is not in the results of rank 0", done.remarks[0])
        return done
    gathered = gather(world, key, seconds, files[0].path if files else None,
                      lambda rank: _place_of(part, rank), plan is not None)
    return _OfAllRanks(_merged(results, gathered, place.size), gathered, world, results, seconds)


def _is_shareable(run, place, path, results):
    """Whether this rank may write its calls into one file with the others. path: Its own file. Rank 0
    says whether it is worth it."""
    wanted, settings = run._settings["parallel_hdf5"], run._settings
    is_plain = settings["hdf5_compression"] is settings["hdf5_chunk_size"] is None
    if wanted is False or path is None or file_names.format_of(path) != "hdf5" or not (
            is_plain and results.num_ranks == 1):
        return False
    from ..io import hdf5_parallel

    return hdf5_parallel.is_possible() and bool(
        wanted or place.rank or os.path.getsize(path) >= hdf5_parallel.WORTHWHILE)


def _plan(results, rank):
    """How this rank writes its calls into the file of all, by the name of that and the Alignment of its
    clock or None: gives what does it."""
    def plan(path, clock):
        from ..io.hdf5_parallel import RankCalls
        from ..results import at_times

        return RankCalls(path, at_times(results, clock.to_root) if clock else results, rank).write
    return plan


def _remarks(gathered, size):
    how = "written together by parallel HDF5" if gathered.is_shared else "gathered by MPI"
    ways = [f"{len(gathered.results) + 1} of {size} ranks, {how}"]
    if gathered.bytes_sent:
        ways.append(f"{gathered.bytes_sent} bytes of it sent")
    remarks = [", ".join(ways) + "."]
    if gathered.aligned:
        worst = max(clock.error_ns for clock in gathered.aligned.values()) / 1e3
        drifts = any(clock.drift is None for clock in gathered.aligned.values())
        remarks.append(f"Clocks of other machines: put on that of rank 0, within {worst:.1f} µs"
                       f"{' at the end, as their drift is not known' if drifts else ''}.")
    return remarks + [f"Rank {rank} is missing: {why}." for rank, why in sorted(gathered.missing.items())]


def _merged(results, gathered, size):
    import socket

    from ..results import merge_processes

    merged = merge_processes([results, *(gathered.results[rank] for rank in sorted(gathered.results))])
    hosts = {0: socket.gethostname(), **gathered.hosts}
    nodes = {host: number for number, host in enumerate(dict.fromkeys(hosts[rank] for rank in sorted(hosts)))}
    merged._metadata.update(
        num_nodes=len(nodes), gathered_by="MPI",
        nodes=[str(nodes[hosts[rank]]) if rank in hosts else "" for rank in range(size)],
    )
    if gathered.aligned:
        _note_clocks(merged._metadata, gathered.aligned, size)
    if gathered.missing:
        merged._metadata["missing"] = [f"rank {rank}: {why}" for rank, why in
                                       sorted(gathered.missing.items())]
    return merged


def _note_clocks(metadata, aligned, size):
    """By how much the clocks of ranks were moved, as text by rank, empty on rank 0's machine."""
    for name, value in (
        ("clock_offsets_ns", lambda clock: clock.last.offset_ns),
        ("clock_errors_ns", lambda clock: clock.error_ns),
        ("clock_drifts", lambda clock: "" if clock.drift is None else f"{clock.drift:.3e}"),
    ):
        metadata[name] = [str(value(aligned[rank])) if rank in aligned else "" for rank in range(size)]


def _of_rank(results, rank):
    from ..results import moved_to_rank

    return moved_to_rank(results, rank if results.num_ranks == 1 else 0)


def _write_part(results):
    """A file with the results, for the time until rank 0 has them."""
    import tempfile

    from .._base import needs
    from ..io import write_profile

    descriptor, path = tempfile.mkstemp(".h5" if needs.is_there("h5py") else ".json", "scope-profiler-")
    os.close(descriptor)
    os.unlink(path)
    return os.fspath(write_profile(results, path))


def _place_of(path, rank):
    """Where rank 0 puts the file of another that it does not see."""
    import tempfile

    if path is None:
        return os.path.join(tempfile.gettempdir(), f"scope-profiler-{os.getpid()}.rank{rank}")
    stem, suffix = file_names.split(path)
    return own_files.numbered(f"{stem}.rank{rank}{suffix}")


def _remove(path):
    if path is not None:
        with suppress(OSError):
            os.unlink(path)
