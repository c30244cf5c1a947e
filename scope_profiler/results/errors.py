"""What the results of a run cannot answer."""


class EventDataUnavailableError(RuntimeError):
    """Single calls are asked for, of which only aggregates were kept."""


class NestingError(ValueError):
    """The recorded calls are no calls: one ends before it starts, or contains itself."""
