"""How functions are traced, where they are: what the settings of a run say."""


def begin(manager, settings, on):
    """Have what the manager traces traced as these say. on: whether the run records."""
    throttle = None
    if settings["throttle_calls"] is not None:
        throttle = settings["throttle_calls"], 1e9 * settings["throttle_time"]
    traced = on and settings["trace_c"], settings["max_depth"], throttle
    if traced != manager._traced:
        manager._traced = traced
        _decide_anew(manager)


def time_throttled(manager):
    """Functions that are throttled are timed again: a run begins, or a part of one, with nothing recorded."""
    if manager._traced[-1] is not None:
        _decide_anew(manager)


def _decide_anew(manager):
    from .._instrument import call_tracing

    call_tracing.settings_changed(manager)
