"""generate.py --write | --check: what is made of the code, stubs and pages of the documentation.

scope_profiler/config/*.pyi and docs/settings.md come from the table of settings, docs/commands.md
from the commands, docs/api.md from the public names and their docstrings. --check fails, naming
them, when files are not as they would be written.
"""

import argparse
from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from generated import api, commands, settings  # noqa: E402

#: {file: what makes its text}
FILES = {
    "scope_profiler/config/options.pyi": settings.options_stub,
    "scope_profiler/config/setup_options.pyi": settings.setup_options_stub,
    "scope_profiler/_run/profiling_config.pyi": settings.profiling_config_stub,
    "docs/settings.md": settings.page,
    "docs/commands.md": commands.page,
    "docs/api.md": api.page,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    does = parser.add_mutually_exclusive_group(required=True)
    does.add_argument("--write", action="store_true", help="write them")
    does.add_argument("--check", action="store_true", help="fail unless they are up to date")
    if parser.parse_args().write:
        for name, make in FILES.items():
            (ROOT / name).write_text(make(), encoding="utf-8")
        return
    stale = [name for name, make in FILES.items() if not is_as(name, make())]
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}; run python tools/generate.py --write")


def is_as(name, text):
    path = ROOT / name
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    main()
