"""The build itself: what the extension exports, where uthash.h comes from, what is shipped."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest

from conftest import ROOT
import scope_profiler
import scope_profiler._core

pytest.importorskip("setuptools", minversion="77")


def run(*command, cwd=ROOT, **environ):
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **{name: str(value) for name, value in environ.items()}},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def load_setup(tree):
    spec = importlib.util.spec_from_file_location("scope_profiler_setup", tree / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The directory that the source distribution unpacks to."""
    made = tmp_path_factory.mktemp("sdist")
    # Nothing is written beside the sources, as other Pythons may be building there.
    result = run(sys.executable, "setup.py", "--quiet", "egg_info", "--egg-base", made,
                 "sdist", "--formats=zip", "--dist-dir", made)
    assert result.returncode == 0, result.stdout
    (archive,) = made.glob("*.zip")
    zipfile.ZipFile(archive).extractall(made)
    return made / archive.stem


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """A wheel built from the source distribution, without optimisation to be quick."""
    pytest.importorskip("pip")
    compiler = sysconfig.get_config_var("CC")
    if compiler and shutil.which(compiler.split()[0]) is None:
        pytest.skip(f"the compiler {compiler} is not installed")
    made = tmp_path_factory.mktemp("wheel")
    result = run(
        *(sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", made, "."),
        cwd=sdist,
        SCOPE_PROFILER_CFLAGS="-O0 -g0",
    )
    assert result.returncode == 0, result.stdout
    (archive,) = made.glob("*.whl")
    return archive


@pytest.mark.skipif(sys.platform != "linux", reason="nm -D is for ELF files")
@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_only_the_init_function_is_exported():
    listing = run("nm", "-D", "--defined-only", scope_profiler._core.__file__)
    assert [line.split()[-1] for line in listing.stdout.splitlines()] == ["PyInit__core"]


def test_version_is_the_installed_one():
    assert importlib.metadata.version("scope-profiler") == scope_profiler.__version__


@pytest.mark.parametrize("version, no_gil, packages", [
    ((3, 11), 0, ["numpy", "h5py", "click"]),
    ((3, 14), 0, ["numpy", "h5py", "click"]),
    ((3, 15), 0, ["numpy", "click"]),
    ((3, 13), 1, ["numpy<2.5", "click"]),  # 2.4 is the last with wheels for it
    ((3, 14), 1, ["numpy", "h5py", "click"]),
    ((3, 15), 1, ["numpy", "click"]),
])
def test_only_packages_with_wheels_are_installed_along(monkeypatch, version, no_gil, packages):
    setup = load_setup(ROOT)
    monkeypatch.setattr(setup.sys, "version_info", (*version, 0))
    monkeypatch.setattr(setup.sysconfig, "get_config_var", {"Py_GIL_DISABLED": no_gil}.get)
    assert setup.dependencies() == packages


def test_named_directory_without_header_stops_the_build(tmp_path):
    result = run(
        *(sys.executable, "setup.py", "build_ext", "--build-lib", tmp_path, "--build-temp", tmp_path),
        "--force",
        UTHASH_INCLUDE_DIR=tmp_path,
    )
    assert result.returncode != 0
    assert f"UTHASH_INCLUDE_DIR={tmp_path}" in result.stdout
    assert "Traceback" not in result.stdout


def test_missing_header_names_the_packages(monkeypatch, tmp_path):
    setup = load_setup(ROOT)
    monkeypatch.delenv("UTHASH_INCLUDE_DIR", raising=False)
    monkeypatch.setattr(setup, "CARRIED", tmp_path / "uthash.h")
    monkeypatch.setattr(setup, "usual_include_dirs", lambda: [tmp_path])
    with pytest.raises(SystemExit) as stop:
        setup.find_uthash()
    for name in ("uthash-dev ", "uthash-devel", "Homebrew", "conda", "UTHASH_INCLUDE_DIR"):
        assert name in stop.value.code


def test_sdist_carries_the_header_it_was_built_with(monkeypatch, sdist):
    carried = sdist / "build_include" / "uthash.h"
    assert carried.read_bytes() == load_setup(ROOT).find_uthash().read_bytes()
    assert "Redistribution and use in source" in carried.read_text()

    monkeypatch.delenv("UTHASH_INCLUDE_DIR", raising=False)
    assert load_setup(sdist).find_uthash() == carried


def test_sdist_has_what_a_checkout_has(sdist):
    for pattern in ("src/**/*.[ch]", "tests/**/*.py", "tools/**/*", "scope_profiler/**/*.py"):
        for path in ROOT.glob(pattern):
            assert (sdist / path.relative_to(ROOT)).exists() or "__pycache__" in path.parts


def test_wheel_has_every_file_of_the_package(wheel):
    built = {".so", ".pyd", ".pyc"}
    ours = (path for path in ROOT.glob("scope_profiler/**/*") if path.is_file())
    expected = {str(path.relative_to(ROOT)) for path in ours if path.suffix not in built}
    assert expected <= set(zipfile.ZipFile(wheel).namelist())


def test_wheel_works(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    result = run(
        *(sys.executable, "-c", "import scope_profiler._core as core; print(core.__file__)"),
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stdout
    assert result.stdout.startswith(str(tmp_path))
