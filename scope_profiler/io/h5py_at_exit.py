"""Writing HDF5 while the process ends."""

from contextlib import contextmanager


@contextmanager
def h5py_at_exit():
    """h5py can be used inside, also while exit handlers run.

    It takes its converters of types away in an exit handler of its own. That has run already when
    h5py was imported after our handler was registered, and files cannot be written any more; and
    it does not run when h5py is imported in an exit handler only, upon which HDF5 crashes as it
    closes. Taking them away twice does no harm; HDF5 refuses to take one that it has and has used.
    """
    try:
        from h5py._conv import register_converters, unregister_converters
    except ImportError:  # without h5py, or in a version that goes about it in another way
        yield
        return
    unregister_converters()
    register_converters()
    try:
        yield
    finally:
        unregister_converters()
