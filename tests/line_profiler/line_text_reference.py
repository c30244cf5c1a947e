"""What line_profiler prints, to be compared with.

Run it with an interpreter that has line_profiler:

    python tests/line_profiler/line_text_reference.py             write it down in line_texts.json
    python tests/line_profiler/line_text_reference.py SEED COUNT  print it as JSON, of other cases

A case is a dict: "timings", [[file, first line, function, [[line, hits, time], ...]], ...]; "unit";
"options" of show_text(). FILES stand in the working folder.
"""

import importlib
import io
import json
from pathlib import Path
import random
import sys

TEXTS_FILE = Path(__file__).with_name("line_texts.json")

PROGRAM = '''\
def short():
    return 1


@decorated
@decorated_with(1,
                2)
def long(a, b):
    """A docstring
of several lines."""
    if a:\t# a tab

        # a comment of the block
        return [x
  for x in b]
    # at its end
# not of the block

class Thing:
    x = 1

    def method(self):
        return "prögramm – 日本語"

    async def waits(self):
        await self.method()

f = lambda a: (a +
               1)
def one_line(): return 2
'''

CYTHON = '''\
cdef class Fast:
    cdef int x
    cpdef int run(self, int n):
        return n

    property y:
        def __get__(self):
            return 1

cdef f(int x,
       int y):
    return x
'''

FILES = {"program.py": PROGRAM, "fast.pyx": CYTHON, "empty.py": ""}

#: (file, first line, name, lines)
FUNCTIONS = [
    ("program.py", 1, "short", 2), ("program.py", 5, "long", 12), ("program.py", 19, "Thing", 8),
    ("program.py", 22, "Thing.method", 2), ("program.py", 25, "Thing.waits", 2),
    ("program.py", 28, "<lambda>", 2), ("program.py", 30, "one_line", 1),
    ("fast.pyx", 1, "Fast", 8), ("fast.pyx", 3, "Fast.run", 2), ("fast.pyx", 6, "y", 3),
    ("fast.pyx", 10, "f", 3), ("gone.py", 7, "gone", 9), ("<string>", 1, "made", 3),
    ("/no/such/folder/program.py", 3, "short", 2),
]


def write_files(folder):
    for name, text in FILES.items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


def cases(seed, count):
    """So many cases, of all sizes of numbers."""
    random_ = random.Random(seed)

    def number(most):
        return random_.choice((0, 1, 9, random_.randrange(10 ** random_.randint(1, most))))

    for _ in range(count):
        timings = []
        for file, first, name, lines in random_.sample(FUNCTIONS, random_.randint(0, 4)):
            wanted = random_.sample(range(lines), random_.randint(0, lines))
            rows = [[first + line, 1 + number(16), number(19)] for line in sorted(wanted)]
            timings.append([file, first, name, rows])
        switches = ("stripzeros", "details", "summarize", "sort")
        options = {name: random_.random() < 0.5 for name in switches}
        options["output_unit"] = random_.choice((None, None, 1.0, 1e-3, 1e-6, 1e-9, 2.5e-7))
        options["config"] = random_.choice((False, "wide.toml"))
        unit = random_.choice((1e-9, 1e-9, 1e-6, 1e-7, 0.5))
        yield {"timings": timings, "unit": unit, "options": options}


CONFIG = """\
[tool.line_profiler.show.column_widths]
line = 9
hits = 4
time = 15
percent = 10
"""


def text_of(module, case):
    """What it prints. module: "line_profiler" or ours."""
    Path("wide.toml").write_text(CONFIG)
    show_text = importlib.import_module(module).show_text
    timings = {tuple(key): [tuple(row) for row in rows] for *key, rows in case["timings"]}
    stream = io.StringIO()
    show_text(timings, case["unit"], stream=stream, **case["options"])
    return stream.getvalue()


def answer(seed, count):
    return [{**case, "text": text_of("line_profiler", case)} for case in cases(seed, count)]


if __name__ == "__main__":
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_files(folder)
        if sys.argv[1:]:
            print(json.dumps(answer(*map(int, sys.argv[1:]))))
        else:
            text = ",\n".join(json.dumps(case) for case in answer(1, 60))
            TEXTS_FILE.write_text(f"[{text}]\n", encoding="utf-8")
        os.chdir("/")
