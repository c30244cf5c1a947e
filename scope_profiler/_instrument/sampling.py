"""sample_every(): recording one time step in several."""

from contextlib import contextmanager

from .._base.arguments import integer, whole


def steps_of(manager, every, start):
    """See ProfileManager.sample_every."""
    return _sampled(manager, _whole("every", every, 1), _whole("start", start, 0))


def _whole(name, value, minimum):
    """An int of at least minimum; anything else is a ValueError, as it is in 0.7.5."""
    try:
        return whole(minimum)(name, value)
    except TypeError as error:
        raise ValueError(error) from None


@contextmanager
def _sampled(manager, every, start):
    @contextmanager
    def profile_step(timestep):
        timestep = integer("timestep", timestep)
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
