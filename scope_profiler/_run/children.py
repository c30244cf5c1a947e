"""What the children of a program have left for the run of the process that follows them; see
_runtime/following.py."""

from contextlib import suppress
from pathlib import Path
import shutil

from .._base.warning import complain
from .._runtime import processes


class Children:
    """The folder in which children leave their results."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._taken = set()

    def with_them(self, results):
        """The results of this process and those of its children that have left theirs, each as a process;
        the results themselves where there are none."""
        found = sorted(self._results(), key=lambda each: each.metadata.get("start_time_ns", 0))
        if not found:
            return results
        from ..results import merge_processes

        return merge_processes([results, *found])

    def _results(self):
        from ..io.journal_files import is_in_use

        paths = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        for path in paths:
            of_killed = path.suffix == ".journal"
            # A journal beside its results is about to be removed.
            if of_killed and (is_in_use(path) or Path(str(path).rsplit(".", 2)[0]) in paths):
                continue
            try:
                results = self._load(path, of_killed)
            except (OSError, ValueError) as error:
                complain(f"the results of a child process in {path} are left out", error)
                continue
            if results is not None:
                self._taken.add(path)
                yield results

    @staticmethod
    def _load(path, of_killed):
        """What is in a file, if a process of this program wrote it, and it recorded anything."""
        from ..io import load

        if not of_killed and path.suffix not in (".h5", ".json"):
            return None
        results = load(path)
        if results.metadata.get("program_id") != processes.PROGRAM or not len(results):
            return None
        return results

    def discard(self):
        """What was taken is in the file of the run."""
        for path in self._taken:
            with suppress(OSError):
                path.unlink()
        self._taken.clear()
        with suppress(OSError):  # others are still to leave theirs
            self._folder.rmdir()

    def remove(self):
        """Remove all, as nobody would find it."""
        shutil.rmtree(self._folder, ignore_errors=True)
