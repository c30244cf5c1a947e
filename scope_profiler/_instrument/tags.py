"""Tags: by which regions are switched on and off as groups.

A run records a region when its tags meet `region_tags`, if that is given, and when it has no
opt-in tag or one that the run enables.
"""

from .._base.environment import enabled_tags

_opt_in = set()  # the process's: libraries add theirs when they are imported


def normal_tags(name, tags):
    """The tags as a tuple of str; a str alone is one tag. Raises TypeError when they are not that."""
    try:
        normal = (tags,) if isinstance(tags, str) else tuple(tags)
    except TypeError:
        normal = (None,)
    if not all(isinstance(tag, str) and tag for tag in normal):
        raise TypeError(f"{name} takes non-empty str, one or several; got {tags!r}")
    return normal


def add_opt_in(tags):
    """Make them opt-in tags, of all managers. Raises TypeError when one is not a non-empty str."""
    _opt_in.update(normal_tags("tags", tags))


def set_tags(manager, region, tags):
    """Tags stay with a region, and a later run may give it others, unless they are those of a decorated
    function or defined region."""
    tags, name = normal_tags("tags", tags), region.name
    if tags == region.tags:
        return
    if region.tags and (name in manager._tagged or name in manager._decorated_tags
                        or name in manager._definitions):
        raise ValueError(f"region {name!r} has the tags {region.tags}, not {tags}")
    manager._tagged.add(name)
    region._tag(tags, manager._selection.takes(tags))


class Selection:
    """Which tags a run records.

    region_tags: only regions with one of these, or None for all; enable_tags: opt-in tags that
    are on, "*" for all. The variable SCOPE_PROFILER_ENABLE_TAGS (tags between commas) adds to
    these.
    """

    def __init__(self, region_tags=None, enable_tags=None):
        self.wanted = None if region_tags is None else set(region_tags)
        self._enabled = {*(region_tags or ()), *(enable_tags or ())}
        self._enabled.update(enabled_tags())

    def takes(self, tags):
        """Whether a region with these tags records."""
        if self.wanted is not None and self.wanted.isdisjoint(tags):
            return False
        opt_in = _opt_in.intersection(tags)
        return not opt_in or "*" in self._enabled or not opt_in.isdisjoint(self._enabled)
