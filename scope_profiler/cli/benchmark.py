"""scope-profiler benchmark: a program several times over, and two such series compared."""

import json
import os
import subprocess
import sys
import time
import tomllib

import click

from .._base.shown import shown
from .profile_files import Refused, refusing

#: {table: {key: the types of its value, and what it is where it is not given}}
_KEYS = {
    "benchmark": {
        "script": (str, None), "name": (str, None), "args": (list, ()), "runs": (int, 5),
        "warmups": (int, 1), "timeout_seconds": ((int, float), 300), "only_user_code": (bool, True),
        "output_dir": (str, ".scope-profiler"), "threshold_pct": ((int, float), 2.0),
    },
    "correctness": {"command": ((str, list), None), "timeout_seconds": ((int, float), 300)},
}


@click.command("benchmark", short_help="Run a program several times, and compare two such series.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("action", metavar="run|compare", type=click.Choice(["run", "compare"]))
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("--label", metavar="TEXT", default="candidate", show_default=True,
              help="run: the name of the series.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
def benchmark(action, files, label, as_json):
    """Run a program several times over, or compare two such series, region by region.

    `run` takes a TOML file: in its table [benchmark] script, and if wanted name, args, runs = 5,
    warmups = 1, timeout_seconds = 300, only_user_code = true, output_dir = ".scope-profiler" and
    threshold_pct = 2.0; in [correctness] a command, which has to succeed after the runs, and its
    timeout_seconds. Every function of the program is recorded. `compare` takes the JSON files of two
    series, and exits with 1 where a region is slower by more than threshold_pct, with its whole interval.

    \b
    Examples:
      scope-profiler benchmark run benchmark.toml --label before
      scope-profiler benchmark compare .scope-profiler/solve/before.json .scope-profiler/solve/candidate.json
    """
    if action == "run":
        if len(files) != 1:
            raise click.UsageError("benchmark run takes one TOML file")
        return _run(files[0], label, as_json)
    if len(files) != 2:
        raise click.UsageError("benchmark compare takes two JSON files, BASE and CANDIDATE")
    return _compare(*map(_series, files), as_json)


# ---- Running


def _run(path, label, as_json):
    from ..io.safe_file import written

    chosen, correctness = (_table(path, name) for name in _KEYS)
    script = chosen["script"]
    if script is None or not os.path.exists(script):
        raise Refused(f"{path}: script = {script!r} in [benchmark] is no file")
    name = chosen["name"] or os.path.splitext(os.path.basename(script))[0]
    folder = os.path.join(chosen["output_dir"], name)
    with refusing():
        os.makedirs(os.path.join(folder, label), exist_ok=True)
    functions = "--recursive" if chosen["only_user_code"] else "--all"
    runs, seconds = [], []
    for number in range(-chosen["warmups"], chosen["runs"]):
        output = os.path.join(label, f"run-{number + 1}.h5" if number >= 0 else "warmup.h5")
        words = [sys.executable, "-m", "scope_profiler", "run", "-q", functions, "-o",
                 os.path.join(folder, output), script, *map(str, chosen["args"])]
        begun = time.perf_counter()
        _call(words, chosen["timeout_seconds"],
              f"run {number + 1} of {script}" if number >= 0 else f"a warm-up of {script}")
        if number >= 0:
            runs.append(output)
            seconds.append(round(time.perf_counter() - begun, 6))
    if correctness["command"]:
        command = correctness["command"]
        _call(command, correctness["timeout_seconds"], "the command in [correctness]",
              shell=isinstance(command, str))
    found = {"name": name, "label": label, "threshold_pct": chosen["threshold_pct"], "runs": runs,
             "seconds": seconds}
    target, text = os.path.join(folder, f"{label}.json"), json.dumps(found, indent=2)
    with refusing(target), written(target) as file:
        file.write(f"{text}\n".encode())
    if as_json:
        click.echo(text)
    else:
        click.echo(f"{len(runs)} runs of {shown(script)}: {min(seconds):.3f} s to {max(seconds):.3f} s")
        click.echo(f"Written: {shown(target)}")


def _table(path, name):
    """The settings in a table of the file."""
    with refusing(path), open(path, "rb") as file:
        table = tomllib.load(file).get(name, {})
    known = _KEYS[name]
    for key, value in table.items():
        if key not in known:
            raise Refused(f"{path}: [{name}] has no {key!r}; it takes {', '.join(known)}")
        is_kind = isinstance(value, known[key][0]) and not (type(value) is bool and known[key][0] is not bool)
        if not is_kind or key in ("runs", "warmups") and value < (key == "runs"):
            raise Refused(f"{path}: {key} = {value!r} in [{name}] is not what it takes")
    return {key: table.get(key, default) for key, (_, default) in known.items()}


def _call(words, seconds, what, shell=False):
    try:
        done = subprocess.run(words, timeout=seconds, shell=shell, stdout=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Refused(f"{what} has not ended after {seconds:g} s: see timeout_seconds") from None
    except OSError as error:
        raise Refused(f"{what}: {error.strerror}") from None
    if done.returncode:
        raise Refused(f"{what} has ended with status {done.returncode}")


# ---- Comparing


def _series(path):
    """What `run` has written, its runs as paths."""
    with refusing(path):
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    if not isinstance(found, dict) or not {"name", "label", "threshold_pct", "runs"} <= found.keys():
        raise Refused(f"{path}: no series of runs, as `benchmark run` writes them")
    folder = os.path.dirname(path)
    return {**found, "runs": [os.path.join(folder, run) for run in found["runs"]]}


def _compare(base, candidate, as_json):
    from .._compare.comparison import common_change, compare
    from ..report.changes_text import show_changes
    from ..report.output import Output
    from .profile_files import loaded

    limit = candidate["threshold_pct"] / 100
    sides = [[loaded(path) for path in series["runs"]] for series in (base, candidate)]
    found = compare(*sides)
    if as_json:
        click.echo(json.dumps([
            {"region": each.shown_name, "calls": each.calls, "verdict": each.verdict(limit),
             **each.change._asdict()} for each in found], indent=2))
    else:
        out = Output(sys.stdout)
        show_changes(found, out, limit=limit, runs=tuple(map(len, sides)), common=common_change(found))
        out.deliver()
    return int(any(each.verdict(limit) == "slower" for each in found))
