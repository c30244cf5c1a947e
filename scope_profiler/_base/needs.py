"""Packages that files and the command need, and recording does not: what is said when one is missing."""

from contextlib import contextmanager

_WHAT = {
    "numpy": "results and files need",
    "h5py": "files in HDF5 need",
    "click": "the command scope-profiler needs",
    "matplotlib": "pictures need",
    "jinja2": "HTML reports need",
    "plotly": "HTML reports need",
    "pyarrow": "files in Parquet need",
    "psutil": "the memory of processes needs, on this system,",
}

#: What to install in their place: all that the same takes.
_EXTRAS = {"jinja2": "'scope-profiler[html]'", "plotly": "'scope-profiler[html]'"}


@contextmanager
def explained():
    """Imports inside that fail, for one of these packages is not installed, say what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _WHAT:
            raise
        raise ModuleNotFoundError(_missing(name), name=name) from None


def _missing(name):
    return f"{_WHAT[name]} {name}, which is not installed: pip install {_EXTRAS.get(name, name)}"


def missing_for_html():
    """What to say of the packages that HTML reports take; None where they are installed."""
    return next((_missing(name) for name in ("jinja2", "plotly") if not is_there(name)), None)


def is_there(name):
    """Whether a package is installed. It is not imported."""
    from importlib.util import find_spec
    import sys

    if name in sys.modules:
        return sys.modules[name] is not None
    try:
        return find_spec(name) is not None
    except ImportError:
        return False
