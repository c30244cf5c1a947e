"""The file of a run: by its name JSON, or else HDF5."""


def check(settings):
    """What the file cannot be written with is an error now, not when there is something to write."""
    how = [settings[f"hdf5_{name}"] for name in ("compression", "compression_level", "chunk_size")]
    if any(value is not None for value in how) and not settings["deactivate_file_output"]:
        from .io.compression import check_compression

        check_compression(*how)


def is_json(run):
    """Whether the name of the run's file makes it JSON."""
    return run.file_path.lower().endswith((".json", ".json.gz"))


def load(run):
    """Import what writing the file takes."""
    if is_json(run):
        from .io import json_writer  # noqa: F401
    else:
        from .io import hdf5_writer  # noqa: F401


def write(results, run):
    """Write the results to the run's file."""
    if is_json(run):
        from .io import write_json

        write_json(results, run.file_path)
        return
    from .io import write_hdf5

    settings = {
        name.removeprefix("hdf5_"): value
        for name, value in run._settings.items()
        if name.startswith("hdf5_") and value is not None
    }
    write_hdf5(results, run.file_path, **settings)
