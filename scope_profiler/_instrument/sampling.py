"""sample_every(): recording one time step in several."""

from contextlib import contextmanager


def steps_of(manager, every, start):
    """See ProfileManager.sample_every."""
    _check("every", every, 1)
    _check("start", start, 0)
    return _sampled(manager, every, start)


def _check(name, value, least):
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} takes an int of at least {least}, got {value!r}")


@contextmanager
def _sampled(manager, every, start):
    @contextmanager
    def profile_step(timestep):
        if isinstance(timestep, bool) or not isinstance(timestep, int):
            raise TypeError(f"timestep takes an int, got {timestep!r}")
        wanted = timestep >= start and (timestep - start) % every == 0
        run, reason = manager._run, object()
        if run is None or wanted:
            yield wanted
            return
        manager._hold(reason)
        try:
            yield wanted
        finally:
            manager._release(run, reason)

    yield profile_step
