"""The interpreters: for each one an environment with the peers, made once and kept."""

import os
from pathlib import Path
import subprocess
import sys

ROOT = Path(__file__).resolve().parent.parent
_KEPT = ROOT / ".bench"


class Interpreter:
    """One Python: ours runs in it as it is, from the checkout; the peers in `peers`."""

    def __init__(self, path):
        self.path = path
        said = subprocess.run([path, "-c", "import sys; print(sys.version.split()[0])"],
                              capture_output=True, text=True, check=True)
        self.version = said.stdout.strip()
        self.minor = tuple(map(int, self.version.split(".")[:2]))
        self.peers = _peers(path, self.version)

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
