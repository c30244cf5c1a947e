"""python -m scope_profiler: the command `scope-profiler`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
