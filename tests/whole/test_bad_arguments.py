"""Bad arguments of public calls: each raises at once, says what it got, and changes nothing.

Here are those that the tests of the single modules have not, and one walk over everything.
"""

import inspect
import re
import warnings

import numpy as np
import pytest
from conftest import NEEDS_H5PY

import scope_profiler as sp
from scope_profiler import ProfileManager, ProfilingConfig, ProfilingResults, _core, io as files
from scope_profiler.results import (
    EventMetadata, MPIRegion, Region, TaskInfo, ThreadInfo, build_call_arrays, build_call_stack,
    call_stack_children, call_stack_roots, exclusive_totals, merge_results,
)
from results_support import region, results

NOT_SWITCHES = ("no", "", 2, -1, 0.0, [], b"", object(), np.zeros(2))
SURROGATE = "\ud800"


def shown(value):
    """A name for a test that is the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", ascii(value))


def thread(**facts):
    known = {"index": 0, "rank": 0, "name": "t", "ident": None, "native_id": None, "daemon": True,
             "start_ns": None, "end_ns": None, "cpu_ns": None}
    return ThreadInfo(**{**known, **facts})


def task(**facts):
    known = dict.fromkeys(TaskInfo.__dataclass_fields__)
    return TaskInfo(**{**known, "index": 0, "rank": 0, "kind": "task", "name": "t",
                       "coro_name": "c", **facts})


# ---- Switches


@pytest.mark.parametrize("value", NOT_SWITCHES, ids=shown)
@pytest.mark.parametrize("name", ["verbose", "return_results", "verbose_line_profiler"])
def test_switches_of_finalize(manager, name, value):
    with manager.session(deactivate_file_output=True, verbose=False, replace=True) as session:
        for call in (manager.finalize, manager._run.finalize, session.finalize, manager.session):
            with pytest.raises(TypeError, match=f"^{name} takes True or False, got "):
                call(**{name: value})
        assert manager._run.is_active and manager.last_results() is None


@pytest.mark.parametrize("value", [True, np.True_, 1])
def test_switches_that_are_on(manager, capsys, value):
    assert manager.finalize(verbose=value, return_results=value) is manager.last_results()
    assert "No region was entered" in capsys.readouterr().out


@pytest.mark.parametrize("value", [False, np.False_, 0])
def test_switches_that_are_off(manager, capsys, value):
    assert manager.finalize(verbose=value, return_results=value) is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", NOT_SWITCHES, ids=shown)
@pytest.mark.parametrize("name", ["auto_finalize", "replace"])
def test_switches_of_setup(manager, name, value):
    run = manager._run
    for call in (manager.setup, manager.setup_from_env, manager.session):
        with pytest.raises(TypeError, match=f"^{name} takes True or False, got"):
            call(**{"replace": True, name: value})
    assert manager._run is run and run.is_active


# ---- Before anything is changed


BAD_SETTINGS = [
    ({"label": 3}, TypeError, "^label takes a str, got int: 3$"),
    ({"lable": "x"}, TypeError, "^unknown setting 'lable'"),
    ({"output": SURROGATE}, ValueError, r"^output takes a path, got '\\ud800'$"),
    ({"output": "a\0b"}, ValueError, r"^output takes a path, got 'a\\x00b'$"),
    ({"file_path": b"x.h5"}, TypeError, "^file_path takes a path .*, got bytes"),
    ({"output": None, "file_path": "x"}, TypeError, "^output=None and file_path='x' do not go"),
    ({"region_tags": 3}, TypeError, "^region_tags takes a str or several, got int: 3$"),
    ({"region_tags": [b"x"]}, TypeError, "^region_tags takes a str or several, got bytes"),
    ({"config_path": 3}, TypeError, "^config_path takes a path .*, got int: 3$"),
    ({"config_path": SURROGATE}, ValueError, r"^config_path takes a path, got '\\ud800'$"),
    ({"options": {}}, TypeError, "^options takes a ProfilingOptions, got dict"),
    ({"use_likwid": True}, ValueError, "^use_likwid=True: this version has no LIKWID"),
    ({"hdf5_compression": "lzf", "hdf5_compression_level": 3}, ValueError, "'lzf' has no levels"),
    ({"output": "x.xyz"}, ValueError, "^file_path='x.xyz': no format is called '.xyz'"),
]


@pytest.mark.parametrize("settings, error, message", BAD_SETTINGS)
def test_a_run_is_not_replaced_by_one_with_bad_settings(manager, settings, error, message):
    run = manager._run
    with manager.region("before"):
        pass
    with pytest.raises(error, match=message):
        manager.setup(**settings, replace=True)
    with pytest.raises(error, match=message):
        manager.session(**settings)                     # not only when it is entered
    assert manager._run is run and run.is_active
    with manager.region("before"):
        pass
    assert manager.get_region("before").num_calls == 2


def test_a_run_is_not_replaced_when_line_mode_cannot_begin(manager, monkeypatch):
    from scope_profiler._instrument import lines
    from scope_profiler._run import recording

    def fail(*_):
        raise RuntimeError("no tool id")

    run, traced = manager._run, []
    monkeypatch.setattr(recording, "_set_tracing", lambda *args: traced.append(args))
    monkeypatch.setattr(lines, "start", fail)
    with pytest.raises(RuntimeError, match="no tool id"):
        manager.setup(replace=True, use_line_profiler=True, recursive_profile=True)
    assert manager._run is run and run.is_active and not manager._line_mode
    monkeypatch.undo()


def test_native_traces_of_a_session(manager):
    with pytest.raises(ValueError, match="^native_traces='x': this version does not read"):
        manager.session(native_traces="x")


def test_older_spellings_of_a_session_warn_once(manager):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with manager.session(flush_to_disk=False, verbose=False, replace=True):
            pass
    assert ["flush_to_disk" in str(each.message) for each in caught] == [True]


def test_a_session_takes_everything_that_setup_does(manager, tmp_path):
    (tmp_path / "c.toml").write_text("label = 'file'\nhdf5_chunk_size = 7\n")
    options = sp.ProfilingOptions(label="options", hdf5=sp.HDF5Options("gzip"))
    with manager.session(options, config_path="c.toml", output="x.json", region_tags="t",
                         auto_finalize=None, replace=True, verbose=False) as session:
        settings = session._run._settings
    assert settings["label"] == "options" and settings["hdf5_chunk_size"] == 7
    assert settings["hdf5_compression"] == "gzip" and settings["region_tags"] == {"t"}
    assert session.file_path == "x.json"


@NEEDS_H5PY
def test_a_file_of_any_name_is_written(manager):
    """What setup() takes is no error at finalize()."""
    manager.setup(output="x-1.5", replace=True)
    with manager.region("r"):
        pass
    manager.finalize(verbose=False)
    assert files.load("x-1.5").get_region("r").num_calls == 1


# ---- Regions and decorators


@pytest.mark.parametrize("value", [3, "abc", [3], [None], int], ids=shown)
def test_functions_of_a_region(manager, value):
    with pytest.raises(TypeError, match="^functions takes an iterable of Python functions"):
        manager.define_region("new", functions=value, tags="t")
    assert manager.get_region("new") is None
    manager.define_region("new", functions=[thread])            # nothing is left of it


@pytest.mark.parametrize("tags", [3, b"t", [""], [3], object()], ids=shown)
def test_tags(manager, tags):
    def of_decorator(region_name, tags):
        manager.profile(tags=tags)

    for call in (manager.define_region, manager.region_factory, manager.profile, of_decorator):
        with pytest.raises(TypeError, match="^tags takes non-empty str, one or several; got"):
            call("new", tags=tags)
    assert manager.get_region("new") is None


def test_a_failed_definition_leaves_the_one_before(manager):
    manager.define_region("r", functions=[thread], tags="t")
    for definition in ({"functions": [task], "tags": "t"}, {"functions": [thread], "tags": "u"}):
        with pytest.raises(ValueError, match="^region 'r' is defined already with other"):
            manager.define_region("r", **definition)
    assert manager.define_region("r", functions=[thread], tags="t").tags == ("t",)
    manager.profile_region("tagged", tags="t")
    with pytest.raises(ValueError, match="^region 'tagged' has the tags"):
        manager.define_region("tagged", tags="u")
    assert manager.define_region("tagged", tags="t")


@pytest.mark.parametrize("arguments, message", [
    ({"recursive": "x"}, "^recursive takes a bool, got str: 'x'$"),
    ({"record_outcome": 1}, "^record_outcome takes a bool, got int: 1$"),
    ({"metadata": 3}, "^metadata takes a dict or a callable that gives one, got int: 3$"),
])
def test_a_decorator_raises_before_it_is_applied(manager, arguments, message):
    for name in ("new", None):
        with pytest.raises(TypeError, match=message):
            manager.profile(name, **arguments)
    assert manager.get_region("new") is None


@pytest.mark.parametrize("value", [None, 3, "f", []], ids=shown)
def test_what_cannot_be_decorated(manager, value):
    for call, name in (
        (manager.session(deactivate_file_output=True), "session"), (manager.metadata(), "metadata"),
        (manager.region("r").wrap, "profile"),
    ):
        with pytest.raises(TypeError, match=rf"^{name}\(\) decorates a callable, got"):
            call(value)
    with pytest.raises(TypeError, match="^functions takes an iterable of Python functions"):
        manager.region("r").add_function(value)


def test_source(manager):
    one = manager.region("r")
    one.set_source("f.py", 3)
    for line, error in ((True, TypeError), (-1, ValueError), (2**31, ValueError)):
        with pytest.raises(error, match=f"^lineno takes .*, got {line}$"):
            one.set_source("g.py", line)
    assert (one.source_file, one.source_lineno) == ("f.py", 3)


@pytest.mark.parametrize("stream", [3, "x", b"", object()], ids=shown)
def test_streams(manager, stream):
    for call in (manager.region("r").print_stats, results().print_summary,
                 results().print_likwid_summary):
        with pytest.raises(TypeError, match="^stream takes a text file, got"):
            call(stream=stream)


def test_what_cannot_be_instrumented_stays(manager):
    class Example:
        def a(self):
            pass

        def b(self):
            pass

    before = dict(vars(Example))
    with pytest.raises(TypeError, match="^tags takes non-empty str"):
        manager.instrument(Example, include="nothing", tags=3)
    manager.profile_region("x.b", tags="u")
    with pytest.raises(ValueError, match="^region 'x.b' has the tags"):
        manager.instrument(Example, prefix="x", tags="t")
    assert dict(vars(Example)) == before


# ---- Programs


@pytest.mark.parametrize("arguments, error, message", [
    ({"script_path": ""}, ValueError, "^script_path takes a path, got ''$"),
    ({"script_path": "a\0b"}, ValueError, "^script_path takes a path, got"),
    ({"script_path": SURROGATE}, ValueError, "^script_path takes a path, got"),
    ({"region_name": 3}, TypeError, "^region_name takes a str, got int: 3$"),
    ({"entrypoint": b"x"}, TypeError, "^entrypoint takes a str, got bytes"),
    ({"only_user_code": "no"}, TypeError, "^only_user_code takes True or False, got str"),
    ({"recursive": "no"}, TypeError, "^recursive takes True or False, got str"),
    ({"include_patterns": 3}, TypeError, "^include_patterns takes a str or several, got int"),
    ({"exclude_patterns": [3]}, TypeError, "^exclude_patterns takes a str or several, got int"),
])
def test_scripts(manager, tmp_path, arguments, error, message):
    (tmp_path / "s.py").write_text("raise SystemError('it has run')")
    with pytest.raises(error, match=message):
        manager.run_script(**{"script_path": "s.py", "recursive": False, **arguments})


@pytest.mark.parametrize("arguments, error, message", [
    ({"output": 3}, TypeError, r"^output takes a path \(str or os.PathLike\), got int: 3$"),
    ({"output": ""}, ValueError, "^output takes a path, got ''$"),
    ({"recursive": "no"}, TypeError, "^recursive takes True or False, got str"),
    ({"all": "no"}, TypeError, "^all takes True or False, got str"),
    ({"mpi_calls": "no"}, TypeError, "^mpi_calls takes True or False, got str"),
])
def test_commands(manager, arguments, error, message):
    with pytest.raises(error, match=message):
        manager.profile_command(["absent.py"], **arguments)


def test_functions_are_not_run_with_bad_settings(manager):
    ran = []
    for arguments, message in (({"output": 3}, "^output takes"), ({"verbose": "no"}, "^verbose")):
        with pytest.raises(TypeError, match=message):
            manager.run(lambda: ran.append(1), replace=True, **arguments)
    assert not ran


# ---- Results

MANY = 10**30
ONE = {"start_times_ns": [1], "durations_ns": [1]}
BAD_RESULTS = [
    (lambda: Region(statistics=3), TypeError, "^statistics takes a mapping, got int: 3"),
    (lambda: Region(statistics={"count": 1, "total": 1, "std": "x"}), TypeError,
     r"^statistics\['std'\] takes a number, got str: 'x'"),
    (lambda: Region(tags=3), TypeError, "^tags must be several str, not one; got 3"),
    (lambda: Region(source_file=3), TypeError, "^source_file takes a str or None, got int: 3"),
    (lambda: Region(source_text=b"x"), TypeError, "^source_text takes a str or None, got bytes: b'x'"),
    (lambda: Region(source_lineno=True), TypeError, "^source_lineno takes an int, got bool: True"),
    (lambda: Region(errors=True), TypeError, "^errors takes an int, got bool: True"),
    (lambda: Region(exclusive_total_ns=MANY), ValueError, "^exclusive_total_ns takes an int of"),
    (lambda: Region(event_metadata=3, **ONE), TypeError, "^event_metadata must be a sequence"),
    (lambda: Region(event_metadata="x", **ONE), TypeError, "^event_metadata must be a sequence"),
    (lambda: region().percentile_duration("x"), TypeError, "^percentile takes a number, got str: 'x'"),
    (lambda: region().percentile_duration(float("nan")), ValueError, "^percentile takes 0 to 100, got nan"),
    (lambda: region().events(None), TypeError, "^origin takes a number, got NoneType: None"),
    (lambda: region().events(float("nan")), ValueError, "^origin takes a finite number, got nan"),
    (lambda: MPIRegion("a", None), TypeError, "^regions takes a mapping, got NoneType: None"),
    (lambda: MPIRegion("a", {True: region()}), TypeError, "^rank takes an int, got bool: True"),
    (lambda: MPIRegion("a", {})[[]], KeyError, r"region 'a' has no rank \[\]; it has \[\]"),
    (lambda: MPIRegion("a", {}).events(b"x"), TypeError, "^ranks takes an int, got bytes: b'x'"),
    (lambda: MPIRegion("a", {}).events(""), TypeError, "^ranks takes an int, got str: ''"),
    (lambda: MPIRegion("a", {}).events(origin="x"), TypeError, "^origin takes a number, got"),
    (lambda: MPIRegion("a", {}).percentile_duration(None), TypeError, "^percentile takes a numb"),
    (lambda: ProfilingResults(None), TypeError, "^regions takes a mapping, got NoneType: None"),
    (lambda: ProfilingResults({}, []), TypeError, r"^metadata takes a mapping, got list: \[\]"),
    (lambda: ProfilingResults({}, num_ranks=True), TypeError, "^num_ranks takes an int, got"),
    (lambda: ProfilingResults({}, likwid=np.ones(2)), ValueError, "^likwid must be None"),
    (lambda: ProfilingResults({}, line_profile=3), TypeError, "^line_profile takes a mapping"),
    (lambda: ProfilingResults({}, line_profile={0: 3}), TypeError, "^line_profile must map ranks"),
    (lambda: ProfilingResults({}, line_profile={0: [3]}), TypeError, "^line_profile entries must"),
    (lambda: ProfilingResults({}, file_path=3), TypeError, "^file_path must be a path or None"),
    (lambda: ProfilingResults({}, is_root="x"), TypeError, "^is_root takes True or False"),
    (lambda: ProfilingResults({}, event_data_available=[]), TypeError, "^event_data_available ta"),
    (lambda: ProfilingResults({}, exclusive_totals=3), TypeError, "^exclusive_totals takes a mapping"),
    (lambda: ProfilingResults({}, exclusive_totals={"a": 3}), TypeError,
     r"^exclusive_totals\['a'\] takes a mapping, got int: 3"),
    (lambda: ProfilingResults({}, threads=[]), TypeError, "^threads takes a mapping, got"),
    (lambda: ProfilingResults({}, tasks={0: "x"}), TypeError, "^tasks must map ranks to several"),
    (lambda: results().get_region([]), KeyError, r"no region named \[\]"),
    (lambda: results().get_regions(3), ValueError, "^include takes regular expressions, got 3"),
    (lambda: results().get_regions(exclude=b"x"), ValueError, "^exclude takes regular expressi"),
    (lambda: results().get_regions([b"x"]), ValueError, "^include takes regular expressions"),
    (lambda: results().events(relative="x"), TypeError, "^relative takes True or False"),
    (lambda: results().events(origin="x"), TypeError, "^origin takes a number, got str: 'x'"),
    (lambda: results().call_stack(origin=b"x"), TypeError, "^origin takes a number, got bytes: b'x'"),
    (lambda: results().call_stack(True), TypeError, "^rank takes an int, got bool: True"),
    (lambda: results().to_dataframe(per_rank="x"), TypeError, "^per_rank takes True or False"),
    (lambda: results().lane_label(None), TypeError, "^lane takes an int, got NoneType: None"),
    (lambda: results().lane_label(0, []), TypeError, r"^rank takes an int, got list: \[\]"),
    (lambda: results().print_summary(sort=[]), ValueError, r"^sort takes start, .*; got \[\]"),
    (lambda: results().print_summary(columns=3), ValueError, "^columns takes region, .*; got 3"),
    (lambda: results().print_summary(percentage_mode=[]), ValueError, "^percentage_mode takes"),
    (lambda: results().print_summary(title=3), TypeError, "^title takes a str or None, got int: 3"),
    (lambda: results().print_summary(suppress_notes="x"), TypeError, "^suppress_notes takes True"),
    (lambda: EventMetadata.of(3), TypeError, "^event_metadata must be several mappings; got 3"),
    (lambda: EventMetadata.none(-1), ValueError, "^length must be an int of at least 0; got -1"),
    (lambda: EventMetadata.none("x"), ValueError, "^length must be an int of at least 0; got 'x'"),
    (lambda: EventMetadata.none(1)["x"], TypeError, "'str' object cannot be interpreted as an int"),
    (lambda: thread(name=3), TypeError, "^name takes a str, got int: 3"),
    (lambda: thread(daemon="x"), TypeError, "^daemon takes True or False, got str"),
    (lambda: task(kind=None), TypeError, "^kind takes a str, got NoneType: None"),
    (lambda: task(coro_name=b"x"), TypeError, "^coro_name takes a str, got bytes: b'x'"),
    (lambda: merge_results(results(), label=3), TypeError, "^label takes a str or None, got int: 3"),
    (lambda: build_call_arrays(3, 0), TypeError, "^regions takes several MPIRegion, got int: 3"),
    (lambda: build_call_stack(["x"], 0), TypeError, "^regions takes several MPIRegion, got one of"),
    (lambda: build_call_stack([], 0, None), TypeError, "^origin takes a number, got NoneType: None"),
    (lambda: call_stack_roots(3), TypeError, "^calls takes several Mapping, got int: 3"),
    (lambda: call_stack_roots([{}]), ValueError, "the parent of number 0 is -1"),
    (lambda: call_stack_children([{"parent": 7}]), ValueError, "the parent of number 0 is 7"),
    (lambda: exclusive_totals([3]), TypeError, "^regions takes several Region, got one of int: 3"),
]


@pytest.mark.parametrize("call, error, message", BAD_RESULTS, ids=[row[2] for row in BAD_RESULTS])
def test_results(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ---- Everything

NONSENSE = (None, 3, -1, True, 10**30, float("nan"), "", "nonsense", "a\0b", SURROGATE, b"r", [],
            [3], {}, {3: 3}, object(), np.zeros((2, 2)), np.True_, len)
SAID = (TypeError, ValueError, OSError, RuntimeError, ImportError, KeyError)
NOT_CALLED = {
    "profile_command",  # starts processes
    "register_opt_in_tag",  # is for the whole process
    "run", "run_script", "profile_script",  # call what they are given
}


def public_calls():
    """(name, callable) of everything public that takes arguments, made anew."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    with manager.region("r") as one:
        pass
    session = manager.session(deactivate_file_output=True, verbose=False)
    known = results(a=region((0, 5), (6, 7), thread_ids=[0, 0]))
    config = manager.get_config()
    objects = (manager, one, manager.region_factory("f"), manager.metadata(a=1), manager._run,
               session, config, known, known["a"], known["a"][0], EventMetadata.of([{"a": 1}]),
               one.get_stats(), thread(), task(), sp.ProfilingOptions())
    for each in objects:
        if callable(each):
            yield type(each).__name__, each
        for name in dir(each):
            inner = inspect.getattr_static(each, name, None)
            if name.startswith("_") or name in NOT_CALLED or isinstance(inner, property):
                continue
            method = getattr(each, name)
            if callable(method) and not isinstance(method, type):
                yield f"{type(each).__name__}.{name}", method
    kinds = (ProfilingConfig, sp.ProfilingOptions, sp.GPUOptions, sp.HDF5Options, sp.MemrayOptions,
             ProfilingResults, MPIRegion, Region, ThreadInfo, TaskInfo, EventMetadata)
    for kind in (*kinds, build_call_arrays, build_call_stack, call_stack_roots,
                 call_stack_children, exclusive_totals, merge_results):
        yield kind.__name__, kind


INNER = {  # between ourselves
    "Region.attached", "Region.at_times", "Region.renumbered", "MPIRegion.attached", "EventMetadata.taken",
    "EventMetadata.index", "EventMetadata.count",
}


@pytest.mark.parametrize("value", NONSENSE, ids=shown)
def test_nothing_public_fails_in_an_obscure_way(value, capsys):
    for name, call in public_calls():
        if name in INNER:
            continue
        parameters = []
        try:
            parameters = [each.name for each in inspect.signature(call).parameters.values()
                          if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
        except ValueError:  # of C, without a signature
            pass
        for args, kwargs in (((value,), {}), ((value, value), {}), ((), {"nonsense": value}),
                             *(((), {each: value}) for each in parameters)):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    result = call(*args, **kwargs)
                if inspect.iscoroutine(result):
                    result.close()
            except SAID as error:
                assert len(str(error)) > 8, (name, args, kwargs)
                assert "NoneType' object has no" not in str(error), (name, args, kwargs)
            except AttributeError as error:  # of options: an unknown name
                assert "unknown setting" in str(error), (name, args, kwargs)


CORE = [each for each in vars(_core.Manager) if not each.startswith("__")]


@pytest.mark.parametrize("name", CORE)
def test_the_core_survives_nonsense(name):
    """What begins with an underscore may say anything; it must neither crash nor break down."""
    manager = _core.Manager()
    manager._begin(True, False)
    region = manager.profile_region("r")
    for value in (*NONSENSE, region, manager):
        for args in ((), (value,), (value, value), (value,) * 3, (region, value), (value,) * 4):
            member = getattr(manager, name)
            if callable(member):
                try:
                    member(*args)
                except SystemError:
                    raise
                except Exception as error:
                    assert str(error), (name, args)
    manager._begin(True, False)
    with manager.profile_region("after"):
        pass
    assert [row[2] for row in manager._collect(None)] == [1]
    manager._record(False)


# ---- Files

KNOWN = results(a=region((0, 5)))


@NEEDS_H5PY
@pytest.mark.parametrize("call, error, message", [
    *((function, TypeError, rf"^{name} takes a path .*, got int: 3$") for function, name in (
        (lambda: files.load(3), "path"), (lambda: files.sniff_profile_format(3), "path"),
        (lambda: files.read_profile(3), "file_path"), (lambda: files.read_h5(3), "file_path"),
        (lambda: files.read_json(3), "file_path"), (lambda: files.read_h5_summary(3), "file_path"),
        (lambda: files.write_profile(KNOWN, 3), "file_path"),
        (lambda: files.write_json(KNOWN, 3), "filepath"),
        (lambda: files.export_json(KNOWN, 3), "filepath"),
    )),
    (lambda: files.load(""), ValueError, "^path takes a path, got ''$"),
    (lambda: files.write_profile(3, "x.h5"), TypeError, "^results takes ProfilingResults, got int: 3"),
    (lambda: files.write_json([], "x.json"), TypeError, "^results takes ProfilingResults, got list"),
    (lambda: files.export_json(3, "x.json"), TypeError, "^profiling_data takes ProfilingResults"),
    (lambda: files.export_json([], "x.json"), ValueError, "profiling_data must be one run or several"),
    (lambda: files.export_json(KNOWN, "x.json", verbose="no"), TypeError, "^verbose takes True or"),
    (lambda: files.read_h5_summary("x.h5", fallback=2), TypeError, "^fallback takes True or False"),
])
def test_files(call, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        call()
    assert not list(tmp_path.iterdir())


def test_verbose_of_load(tmp_path):
    path = files.write_profile(KNOWN, tmp_path / "x.json")
    with pytest.raises(TypeError, match="^verbose takes True or False, got str: 'no'$"):
        files.load(path, verbose="no")
