"""The file of a run: where it is, and by its name JSON, or else HDF5.

Processes that have no more in common than the path write there at the same time, or while one
of them is still to write again. So a file is replaced only where it is the one that was there when
the run began, and nobody has it locked; a run locks what it has written for as long as it lasts.
"""

from contextlib import contextmanager, suppress
import os
from pathlib import Path
import struct
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from .._base import file_names, interpreter, needs
from .._base.warning import warn
from .._runtime import own_files, processes

_runs = 0


def check(settings):
    """What the file cannot be written with is an error now, not when there is something to write."""
    if settings["deactivate_file_output"] or settings["deactivate_profiling"]:
        return
    if not needs.is_there("numpy"):
        raise ModuleNotFoundError(
            "files need numpy, which is not installed: pip install numpy, or set up without a file, "
            "by output=None", name="numpy",
        )
    how = [settings[f"hdf5_{name}"] for name in ("compression", "compression_level", "chunk_size")]
    if any(value is not None for value in how):
        from ..io.compression import check_compression

        check_compression(*how)


class RunFile:
    """Where a run writes. Made when it begins, and for each of its parts. others: those of the parts
    before. path: where that is settled; else as the settings say. beside: the file of the same run, with
    the same fields in its name."""

    def __init__(self, settings, others=(), path=None, beside=None):
        global _runs
        _runs += beside is None
        self._settings = settings
        self._begun = time.time() if beside is None else beside._begun
        self._number = _runs if beside is None else beside._number
        fields = own_files.fields(self._number, self._begun, settings["comm"])
        self._in_folder = path is not None
        if path is None:
            path = settings["file_path"]
            if file_names.format_of(path) in (None, "hdf5") and not needs.is_there("h5py"):
                path = _as_json(path)
            self.path, self.shared_path = own_files.own_path(path, fields)
        else:
            self.path = self.shared_path = path
        stem, suffix = file_names.split(self.path)
        number = 2
        while self.path in others:
            self.path = f"{stem}-{number}{suffix}"
            number += 1
        self._there = file_names.identity(self.path)
        self._lock = None

    @property
    def format(self):
        """The format that the name of the file says."""
        return file_names.format_of(self.path) or "hdf5"

    def load(self):
        """Import what writing the file takes."""
        if self.format in file_names.EXPORTS:
            from ..exports.formats_of_exports import writer

            writer(self.format)
        elif self.format == "json":
            from ..io import json_writer  # noqa: F401
        else:
            with interpreter.no_process_for_platform():
                from ..io import hdf5_writer  # noqa: F401

    def write(self, results, fill=None):
        """Write the results; `path` is where they are then. fill: As for `write_hdf5`."""
        planned = self.path
        if self._in_folder:  # which who follows this child has removed when its own run was over
            os.makedirs(os.path.dirname(planned), exist_ok=True)
        if self.format in file_names.EXPORTS:
            from ..exports.formats_of_exports import writer

            writer(self.format)(results, Path(self.path), place=self._place)
        elif self.format == "json":
            from ..io.json_writer import write_document

            write_document(results, self.path, place=self._place)
        else:
            from ..io.hdf5_writer import write_hdf5

            settings = {
                name.removeprefix("hdf5_"): value
                for name, value in self._settings.items()
                if name.startswith("hdf5_") and value is not None
            }
            write_hdf5(results, self.path, **settings, place=self._place, fill=fill)
        if self.path != planned:
            results._file_path = Path(self.path)
            if processes.is_child():  # of a program, which load_processes() puts together
                return
            warn(f"another process writes to {planned}: this one has written {self.path}")

    def release(self):
        """The run is over: others may replace the file."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _place(self, temporary, target):
        lock = _locked(temporary, fcntl and fcntl.F_RDLCK)
        names = self._names(target)
        for name in names:
            if self._give_name(temporary, name, name == target):
                break
        self.release()
        self._lock, self._there = lock, file_names.identity(name)
        if name != target:
            self.path = os.path.join(os.path.dirname(self.path), os.path.basename(name))
        _written[name] = self._there

    def _names(self, target):
        yield target
        stem, suffix = file_names.split(own_files.numbered(target))
        yield stem + suffix
        number = 2
        while True:
            yield f"{stem}-{number}{suffix}"
            number += 1

    def _give_name(self, temporary, path, is_planned):
        """Give the file that name. False where there is one that this run may not replace."""
        there = file_names.identity(path)
        if there is None:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            except OSError:  # a file system without second names
                os.replace(temporary, path)
                return True
            os.unlink(temporary)
            return True
        if _written.get(path) != there:
            if there != self._there if is_planned else os.stat(path).st_mtime >= self._begun:
                return False
            if processes.is_child() and _is_of_program(path):
                return False
        with _exclusive(path, there) as is_free:
            if is_free:
                os.replace(temporary, path)
            return is_free


_warned_of = set()


def _as_json(path):
    """The path of a file in JSON, in the place of one in HDF5."""
    stem, suffix = file_names.split(path)
    instead = (stem if suffix.lower() in file_names.HDF5 else path) + ".json"
    if path not in _warned_of:
        _warned_of.add(path)
        warn(f"h5py is not installed, so {path} becomes {instead}")
    return instead


#: {path: identity} of what this process wrote: a run of its own does not keep it from there.
_written = {}


def _is_of_program(path):
    """Whether another process of this program wrote it."""
    from ..io.formats import metadata_of

    try:
        facts = metadata_of(Path(path))
    except (OSError, ValueError):
        return False
    return (facts.get("program_id") == processes.PROGRAM
            and facts.get("process_id") != os.getpid())


@contextmanager
def _exclusive(path, there):
    """Gives whether the file may be replaced: no other process has it locked, and none can inside."""
    if _written.get(path) == there:
        yield True
        return
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDWR)
        is_free = _lock(descriptor, fcntl and fcntl.F_WRLCK) and file_names.identity(path) == there
    except OSError:  # without the right to write to it, locks cannot be asked for
        is_free = True
    try:
        yield is_free
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(path, kind):
    """An open file, with a lock; None where that cannot be had."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        if _lock(descriptor, kind):
            return descriptor
        os.close(descriptor)
    return None


def _lock(descriptor, kind):
    """Lock a byte that no file has, as HDF5 and others lock files for their own ends. The lock is
    the open file's, not the process's. False when another has it; True where there are no locks."""
    command = getattr(fcntl, "F_OFD_SETLK", None)
    if command is None or struct.calcsize("P") != 8:
        return True
    try:
        fcntl.fcntl(descriptor, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, 1 << 62, 1, 0))
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True
