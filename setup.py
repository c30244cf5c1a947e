"""Builds the C extension; everything else about the package is in pyproject.toml."""

import os
import shlex
import shutil
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

CARRIED = Path(__file__).resolve().parent / "build_include" / "uthash.h"

GCC_FLAGS = ["-std=gnu11", "-O3", "-fvisibility=hidden", "-fno-plt", "-Wall", "-Wextra"]
MSVC_FLAGS = ["/std:c11", "/O2", "/W3"]


def usual_include_dirs():
    """Where compilers and package managers keep headers."""
    for variable in ("CPATH", "C_INCLUDE_PATH"):
        yield from filter(None, os.environ.get(variable, "").split(os.pathsep))
    yield from ("/usr/include", "/usr/local/include")
    prefixes = (
        sys.prefix,
        sys.base_prefix,  # sys.prefix is a temporary environment when pip isolates the build
        os.environ.get("CONDA_PREFIX"),
        os.environ.get("HOMEBREW_PREFIX"),
        "/opt/homebrew",
    )
    yield from (os.path.join(prefix, "include") for prefix in prefixes if prefix)


def find_uthash():
    """Return the path of uthash.h, or stop the build with what to do about it."""
    chosen = os.environ.get("UTHASH_INCLUDE_DIR")
    if chosen:
        header = Path(chosen, "uthash.h")
        if header.is_file():
            return header
        sys.exit(f"error: UTHASH_INCLUDE_DIR={chosen}: there is no uthash.h in this directory")
    for header in (CARRIED, *(Path(place, "uthash.h") for place in usual_include_dirs())):
        if header.is_file():
            return header
    sys.exit(
        "error: uthash.h was not found. Install uthash-dev (Debian, Ubuntu), uthash-devel (Fedora)"
        " or uthash (Homebrew, conda), or set UTHASH_INCLUDE_DIR to the directory that holds it."
    )


def dependencies():
    """What is installed along: only what has wheels for the interpreter that this is built for, as
    few can build numpy or HDF5. Where h5py is not installed, runs are written as JSON."""
    no_gil = sysconfig.get_config_var("Py_GIL_DISABLED")
    numpy = "numpy<2.5" if no_gil and sys.version_info < (3, 14) else "numpy"
    has_h5py = (3, 14 if no_gil else 11) <= sys.version_info < (3, 15)
    return [numpy, *(["h5py"] if has_h5py else []), "click"]


class BuildExt(build_ext):
    def build_extensions(self):
        # Only this header is put on the search path: all of /usr/include would get in the way of
        # a compiler that brings its own system headers.
        include = os.path.join(self.build_temp, "uthash")
        os.makedirs(include, exist_ok=True)
        shutil.copy(find_uthash(), include)

        if self.compiler.compiler_type == "msvc":
            flags = [*MSVC_FLAGS, f"/I{include}"]
        else:
            # As a system header, so that its macros do not trip our warnings.
            flags = [*GCC_FLAGS, "-isystem", include]
            if os.environ.get("SCOPE_PROFILER_WERROR") == "1":
                flags.append("-Werror")
        for extension in self.extensions:
            extension.extra_compile_args += flags + environment_flags("SCOPE_PROFILER_CFLAGS")
            extension.extra_link_args += environment_flags("SCOPE_PROFILER_LDFLAGS")
        self.compiler.compile = side_by_side(self.compiler.compile)
        super().build_extensions()


class SourceDistribution(sdist):
    """The header is never committed; source distributions carry it and so build without it."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        carried = Path(base_dir, CARRIED.parent.name, CARRIED.name)
        carried.parent.mkdir(exist_ok=True)
        shutil.copyfile(find_uthash(), carried)


def side_by_side(compile):
    """The same for many files at once: setuptools compiles one after the other."""
    def compile_all(sources, **settings):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = pool.map(lambda source: compile([source], **settings), sources)
            return [file for files in objects for file in files]

    return compile_all


def environment_flags(variable):
    return shlex.split(os.environ.get(variable, ""))


if __name__ == "__main__":
    setup(
        ext_modules=[
            Extension(
                "scope_profiler._core",
                sources=sorted(glob("src/**/*.c", recursive=True)),
                depends=sorted(glob("src/**/*.h", recursive=True)),
                include_dirs=["src"],
            )
        ],
        install_requires=dependencies(),
        cmdclass={"build_ext": BuildExt, "sdist": SourceDistribution},
    )
