"""python -m scope_profiler.line_profiler: prints what files have."""

from .command import main

if __name__ == "__main__":
    main()
