"""Settings from a TOML file."""

from .._base.arguments import path
from .names import renamed, unknown
from .options import CLASSES, ProfilingOptions
from .table import NAMES


def read(config_path):
    """The settings in the table [profiling] of a TOML file, or at its top level without one.

    Those of a group may stand in a table [profiling.memray], [profiling.gpu] or [profiling.hdf5],
    under the names that the group's class has for them. Relative paths start at the working
    folder. What else is in a file with a table [profiling] is not ours.

    Returns two dicts: the settings {name: value}, and {name: where it stands, for messages}.
    Raises TypeError when config_path is no path. Raises ValueError when the file cannot be read, is
    no TOML, or has a setting that does not exist, stands twice or has a wrong value; the message
    names file, table and key.
    """
    config_path = path("config_path", config_path)
    settings, places = {}, {}
    for table, values, kind in _tables(config_path, _parse(config_path)):
        where = f"{config_path}: [{table}] " if table else f"{config_path}: "
        keys = {flat: key for key, flat in getattr(kind, "FLAT", {}).items()}
        for name, value in _settings(where, values, kind).items():
            place = where + keys.get(name, name)
            if name in places:
                raise ValueError(f"{place} is set already, in {places[name]}")
            settings[name], places[name] = value, place
    return settings, places


def read_regions(config_path):
    """The functions that are to be regions, in the table [scope_profiler.regions] of a TOML file:

        "package.module:Class.method" = true
        "package.module:solve" = ["tag"]
        "package.module" = {include = ["s*"], exclude = [], prefix = "p", tags = ["tag"]}

    Returns {name: arguments of instrument()}. Raises TypeError when config_path is no path, ValueError
    when the file cannot be read, is no TOML, or has no such table or something else in it.
    """
    config_path = path("config_path", config_path)
    outer = _table(config_path, "scope_profiler", _parse(config_path).get("scope_profiler", {}))
    if "regions" not in outer:
        raise ValueError(f"{config_path} has no table [scope_profiler.regions]")
    where = "scope_profiler.regions"
    return {name: _region(f"{config_path}: [{where}] {name!r}", value)
            for name, value in _table(config_path, where, outer["regions"]).items()}


_OF_REGIONS = {"include", "exclude", "prefix", "tags"}


def _region(where, value):
    if value is True:
        return {}
    if isinstance(value, (str, list)):
        return {"tags": value}
    if not isinstance(value, dict):
        raise ValueError(f"{where} takes true, tags or a table, got {value!r}")
    if not value.keys() <= _OF_REGIONS:
        raise ValueError(f"{where}: {unknown(value.keys() - _OF_REGIONS, _OF_REGIONS)}")
    return value


def _parse(config_path):
    import tomllib

    try:
        with open(config_path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ValueError(f"{config_path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise ValueError(f"{config_path} is not TOML: {error}") from error


def _tables(config_path, document):
    """(name, content, class of options) of the table that has the settings and of its groups."""
    name = "profiling" if "profiling" in document else ""
    table = _table(config_path, name, document[name]) if name else document
    own = {key: value for key, value in table.items() if key not in CLASSES}
    yield name, own, ProfilingOptions
    for group in CLASSES.keys() & table.keys():
        inner = f"{name}.{group}" if name else group
        yield inner, _table(config_path, inner, table[group]), CLASSES[group]


def _table(config_path, name, value):
    if not isinstance(value, dict):
        raise ValueError(f"{config_path}: {name} takes a table, got {value!r}")
    return value


def _settings(where, values, kind):
    """What a table sets, under flat names."""
    known = getattr(kind, "FLAT", NAMES)
    if not values.keys() <= {*known}:
        raise ValueError(where + unknown(values.keys() - {*known}, known))
    try:
        return kind(**renamed(values, where)).to_kwargs()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}{error}") from None
