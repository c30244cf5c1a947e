"""Where does the time go when Python's own standard library is compiled?

Reads the source files of the standard library and takes each through the steps of the compiler:
reading, tokenizing, parsing, compiling. A region for each step, inside a region for each package;
two small functions in line mode look at the text and at the tree.

    python examples/stdlib_compile.py
"""

import ast
from pathlib import Path
import sysconfig
import tokenize

import scope_profiler as sp
from scope_profiler import ProfileManager

STDLIB = Path(sysconfig.get_paths()["stdlib"])
PACKAGES = ["asyncio", "email", "encodings", "importlib", "json", "unittest", "xml"]


@ProfileManager.profile("indentation")
def indentation(source):
    """How deep the lines are indented: {depth: lines}."""
    depths = {}
    for line in source.splitlines():
        text = line.lstrip(" ")
        if not text:
            continue
        depth = (len(line) - len(text)) // 4
        depths[depth] = depths.get(depth, 0) + 1
    return depths


@ProfileManager.profile("functions")
def functions(tree):
    """The names of the functions in a syntax tree, and how many statements each has."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[node.name] = sum(isinstance(child, ast.stmt) for child in ast.walk(node)) - 1
    return found


def compile_file(path):
    with ProfileManager.profile_region("read"):
        with tokenize.open(path) as file:
            source = file.read()
    with ProfileManager.profile_region("tokenize"):
        lines = iter(source.splitlines(keepends=True))
        for _ in tokenize.generate_tokens(lambda: next(lines, "")):
            pass
    with ProfileManager.profile_region("parse"):
        tree = ast.parse(source, path)
    with ProfileManager.profile_region("compile"):
        compile(tree, path, "exec")
    indentation(source)
    functions(tree)


def main():
    ProfileManager.setup(use_line_profiler=True, label="compiling the standard library")
    for package in PACKAGES:
        with ProfileManager.profile_region(f"package: {package}"):
            for path in sorted((STDLIB / package).rglob("*.py")):
                compile_file(path)
    with ProfileManager.profile_region("single modules"):
        for path in sorted(STDLIB.glob("*.py")):
            compile_file(path)
    ProfileManager.finalize()

    print()
    print("get_region('tokenize').get_stats():")
    stats = ProfileManager.get_region("tokenize").get_stats()
    for name in ("num_calls", "total", "average", "minimum", "maximum", "p50", "p99"):
        print(f"  {name:<10}{getattr(stats, name):.6g}")

    print()
    print("Read back from profiling_data.h5:")
    results = sp.load("profiling_data.h5")
    for name in ("read", "tokenize", "parse", "compile"):
        region = results[name]
        print(f"  {name:<10}{region.num_calls:>6} calls {region.total_duration:>9.3f} s")
    assert results["tokenize"].num_calls == stats.num_calls


if __name__ == "__main__":
    main()
