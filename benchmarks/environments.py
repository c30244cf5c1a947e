"""The interpreters: for each one an environment with the peers, made once and kept."""

import os
from pathlib import Path
import subprocess
import sys

ROOT = Path(__file__).resolve().parent.parent
_KEPT = ROOT / ".bench"

#: What is compared with: the versions that tools/setup_peer.sh installs.
PEERS = {"scope_profiler": "0.7.5", "line_profiler": "5.1.0", "memory_profiler": "0.61.0"}


class WrongPackage(Exception):
    """A process measured another package than the row says."""


def check(tool, about):
    """Compare what a process says about the package it uses, as about() gives it, with what it is
    to use, and print it. Raises WrongPackage."""
    ours = about["file"] is not None and Path(about["file"]).is_relative_to(ROOT / "scope_profiler")
    wanted = None if tool == "ours" else PEERS.get(tool)
    told = f"{tool}: {about['file']}, version {about['version']}"
    if ours != (tool == "ours") or wanted not in (None, about["version"]):
        raise WrongPackage(told)
    if told not in _told:
        _told.add(told)
        print(told, file=sys.stderr)


_told = set()


def about(package):
    """The package that is used here: its version and where it is from."""
    module = __import__(package)
    python = ".".join(map(str, sys.version_info[:3]))
    return {"version": getattr(module, "__version__", python), "python": python,
            "file": str(Path(module.__file__).resolve())}


def write(part, about, tables):
    """Put tables, [(heading, text), ...], into the part of README.md that is marked by comments."""
    path = ROOT / "benchmarks" / "README.md"
    before, begin, rest = path.read_text().partition(f"<!-- {part} -->\n")
    _, end, after = rest.partition(f"<!-- end of {part} -->\n")
    if not end:
        raise ValueError(f"{path} has no part {part}")
    text = "".join(f"\n### {heading}\n\n```text\n{table}\n```\n" for heading, table in tables)
    path.write_text(f"{before}{begin}\n{about}\n{text}\n{end}{after}")


_DESCRIBE = """
import sys, sysconfig
print(sys.version.split()[0], sysconfig.get_config_var("Py_GIL_DISABLED"))
"""


class Interpreter:
    """One Python: ours runs in it as it is, from the checkout; the peers in `peers`, which may be
    None."""

    def __init__(self, path, peers=True):
        self.path = path
        said = subprocess.run([path, "-c", _DESCRIBE], capture_output=True, text=True, check=True)
        self.version, no_gil = said.stdout.split()
        self.minor = tuple(map(int, self.version.split(".")[:2]))
        self.has_gil = no_gil != "1"
        # Not all that the peers need can be had without the GIL.
        self.peers = _peers(path, self.version) if peers and self.has_gil else None

    def can_measure(self, row):
        """Whether a row of rows.py says anything of it."""
        return not (row.needs_no_gil and self.has_gil)

    def command(self, tool, script, *arguments):
        """How to start a script for "ours" or for a peer: (command, environment)."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        if tool == "ours":
            environment["PYTHONPATH"] = str(ROOT)
        python = self.path if tool == "ours" else self.peers
        return [python, str(ROOT / "benchmarks" / script), *map(str, arguments)], environment


def _peers(path, version):
    """The interpreter of the environment that has the peers."""
    kept = _KEPT / version
    subprocess.run([ROOT / "tools" / "setup_peer.sh", path, kept], check=True)
    return str(kept / "bin" / "python")
