"""ProfileManager: the life of a profiling run, from setup() to finalize()."""

from . import _core
from ._base.arguments import UNSET, boolean, wrong_type
from ._base.unrecorded import unrecorded
from ._instrument.decorator import profile
from ._instrument.regions import Region
from ._instrument.tags import Selection, add_opt_in, normal_tags, set_tags
from ._run import forks, managers  # noqa: F401 - forks are followed from the import on
from ._run.managers import on_class_or_instance

# What is needed from setup() on only is imported there: the import stays cheap for the many
# programs that carry instrumentation and do not use it today.


class ProfileManager(_core.Manager):
    """Named regions with their calls, times and lines.

    The methods act on the process-wide manager when called on the class, and on the instance
    when called on one: ProfileManager() makes an independent manager. The attributes

    profile_region(region_name, functions=None, tags=None), region(...)
        give the Region of that name, made when it does not exist: a context manager that times
        what runs inside it. functions: in line mode, functions whose lines count while it is
        open. tags: str, one or several, by which regions are switched on and off; see setup().
        Raises TypeError or ValueError when an argument is not that, ValueError when the region has
        other tags already.
    metadata(**values)
        is a context manager or decorator: the calls that begin inside it, in this thread or task,
        carry the values. Scopes add up, the innermost wins; gives the dict of all values, which
        may be added to. In aggregation mode there are no single calls to carry them.
    """

    def __init__(self):
        managers.register(self)
        self._region_type = Region
        self.profile_region = self.region = self._region_lookup
        self.metadata, self.add, self.counter = super().metadata, super().add, super().counter
        self._run = self._tasks = self._submitting = None
        self._host = None  # while it runs a program: see host.py
        self._line_mode = self._follows_children = False
        self._measures_memory = False
        self._thins = False  # some regions do not keep all calls
        self._recursive = False  # some decorated functions ask to have traced what they call,
        self._traces = False  # and it is
        self._traced = False, None, None  # of C, too; down to this depth; throttled
        self._named_targets = None  # functions to decorate, by name
        self._interpreter_regions = ()  # what makes regions of the interpreter's own doings
        self._selection = Selection()
        self._definitions = {}  # of define_region: {name: (functions, tags)}
        self._tagged = set()  # names of the regions that have been given tags in this run,
        self._decorated_tags = set()  # and by decorators
        self._decorated = {}  # id(code): weak reference to the code, of decorated functions

    # ---- Life cycle

    @on_class_or_instance
    @unrecorded
    def setup(self, options=None, *, auto_finalize=False, output=UNSET, replace=False,
              region_tags=None, config_path=None, **settings):
        """Begin a run; returns its ProfilingRun.

            setup(file_path="run.h5")
            setup(use_line_profiler=True, output=None)

        What was recorded before is forgotten; regions and decorators stay and record again.

        settings: those of ProfilingOptions, by keyword; None means not given. The ones most used are
            file_path, label, use_line_profiler, recursive_profile, aggregation_mode, track_threads,
            track_async and verbose; help(ProfilingOptions) and docs/settings.md say what they do.
        options: the same as a ProfilingOptions. config_path: a TOML file that has them. Keywords win
            over options, options over the file.
        auto_finalize: call finalize() when the process ends, by itself or by a SIGTERM for which the
            program has no handler. Other threads record nothing any more then.
        output: where finalize() writes, None for nowhere; instead of file_path.
        replace: end the run that is active, if any.
        region_tags: record only the regions that have one of these tags.

        In a program that the profiler runs (`scope-profiler run`, run_script()) the run that is on
        takes these settings over, but for those that it was given itself, and writes both files.

        Raises RuntimeError when a run is active already and replace is not True; TypeError for an
        unknown setting or a value of the wrong type, ValueError for a value that a setting does
        not take or a setting that this version does not have.
        """
        from ._base.arguments import switch
        from ._run import recording, run_file
        from ._run.runs import ProfilingRun
        from ._runtime import process_end
        from .config.resolve import resolve

        auto_finalize = switch("auto_finalize", auto_finalize)
        replace = switch("replace", replace)
        run, host = self._run, self._host
        is_on = run is not None and run.is_active and not run.finalize_time_ns
        if is_on and not replace and host is None:
            raise RuntimeError(
                "profiling is set up already: call finalize() first, or pass replace=True"
            )
        chosen = resolve(options, settings, config_path=config_path, output=output,
                         region_tags=region_tags)
        run_file.check(chosen)
        if host is None:
            recording.start(self, ProfilingRun(self, chosen, auto_finalize))
        else:
            host.take_over(chosen)
        if auto_finalize and self._run.is_active:
            process_end.finalize_at_exit(self, self._run)
        return self._run

    @on_class_or_instance
    @unrecorded
    def setup_from_env(self, **settings):
        """setup() with what the environment says, if it says anything.

        SCOPE_PROFILER_CONFIG: config_path. SCOPE_PROFILER_OUTPUT: output.
        SCOPE_PROFILER_RECURSIVE: recursive_profile. SCOPE_PROFILER_AUTO_FINALIZE: auto_finalize.
        SCOPE_PROFILER_VERBOSE: verbose.
        Settings given here win. Raises ValueError for a variable whose value is not understood.
        """
        from .config import variables

        return self.setup(**variables.settings(**settings))

    def _select(self):
        for region in self._regions():
            if region.tags:
                region._tag(region.tags, self._selection.takes(region.tags))

    @on_class_or_instance
    def session(self, options=None, *, verbose_line_profiler=None, return_results=False,
                native_traces=None, style="table", **settings):
        """A run as a context manager or decorator: setup() on the way in, finalize() on the way
        out, also when an exception passes. The region "scope_profiler.session" is around it all.

        with sp.session() as run: ...        run.results afterwards, with return_results=True
        @sp.session(file_path="x.h5")        a run for each call

        Arguments are those of setup() and of finalize(), and are checked here; what takes the
        file of config_path or the whole to tell is checked on the way in.
        """
        from ._run.runs import Session
        from .config.resolve import checked, finalizing

        ending = finalizing(None, return_results, native_traces, verbose_line_profiler, style)
        return Session(self, *checked(options, settings), ending)

    @on_class_or_instance
    @unrecorded
    def finalize(self, verbose=None, return_results=False, native_traces=None,
                 verbose_line_profiler=None, *, style="table", start_over=False, report_file=None):
        """Write the file and print the report of everything recorded since setup().

        A checkpoint: recording goes on, and the next finalize() has it all again and more; a
        call that is open now is in the next one, whole.

        verbose: False prints nothing; None is what setup(verbose=) says, True where it does not.
        verbose_line_profiler: False leaves out the tables of lines, True prints them in any case; a
        second finalize() prints those of what ran since.
        style: "table" prints the regions as a tree; "blocks" prints calls, total, average, minimum,
        maximum and deviation of each, in seconds, in the order in which they were first entered.
        return_results: whether to return the ProfilingResults; else it gives None.
        native_traces: this version reads none, anything but None is a ValueError.
        report_file: where an HTML report goes as well, a name in .html; None is what setup() was told.
        start_over: hand this out as a part and begin the next one, with nothing recorded and a file of its
        own: {time} in file_path is when that began, and a name that a part has had gets a number. A call
        that is open counts in the part where it ends, with its whole time. Where a file cannot be written,
        last_results() has the part.

        Without setup() there is nothing to do, which a printed line says. TypeError or ValueError
        when an argument is not that (numpy's bools, 0 and 1 pass); the run is as it was then.
        Raises OSError when the file cannot be written. What fails in the report is a printed line.
        """
        from ._run.finalizing import finalize
        from .config.resolve import finalizing

        ending = finalizing(verbose, return_results, native_traces, verbose_line_profiler, style, start_over,
                            report_file)
        return finalize(self, *ending.values())

    @on_class_or_instance
    @unrecorded
    def snapshot(self, *, events=True):
        """The ProfilingResults of this moment, as finalize() would return them; nothing of the run is
        touched, printed or written. events=False leaves the single calls out, which makes it cheap
        enough for every second; two of them give the time between: later - earlier.

        Raises RuntimeError before setup(), TypeError when events is no bool."""
        from ._run.finalizing import snapshot

        self._need_run("snapshot")
        return snapshot(self, boolean("events", events))

    def _calls_of(self, region):
        from ._run.snapshot import calls_of

        return calls_of(region)

    def _stop(self):
        """The run is over; what it recorded stays."""
        from ._run import recording

        recording.stop(self)

    def _recurse(self, region, recursive):
        """Have traced what functions decorated with the region call, or not."""
        from ._run import recording

        recording.recurse(self, region, recursive)

    @on_class_or_instance
    @unrecorded
    def pause(self):
        """Record no call that begins before resume(). Those that are open end as they would and
        count. Raises RuntimeError before setup()."""
        self._need_run("pause")
        self._hold("pause()")

    @on_class_or_instance
    @unrecorded
    def resume(self):
        """Go on recording after pause(). Raises RuntimeError before setup()."""
        self._need_run("resume")
        self._release(self._run, "pause()")

    def _hold(self, reason):
        """Record nothing in this run until every reason for that is released."""
        self._run._held.add(reason)
        self._record(False)

    def _release(self, run, reason):
        run._held.discard(reason)
        if run._held is getattr(self._run, "_held", None):  # it has not been replaced
            self._record(self._run.is_active and not run._held)

    def _need_run(self, what):
        if self._run is None:
            raise RuntimeError(f"{what}() before setup()")

    @on_class_or_instance
    def sample_every(self, every, start=0):
        """Context manager for loops over time steps: gives a context manager profile_step(timestep).

        Inside that, regions record when timestep is start or a multiple of `every` after it;
        it gives whether they do. Outside steps recording goes on as it was.

        with sp.sample_every(10) as profile_step:
            for step in range(1000):
                with profile_step(step): ...

        Raises ValueError unless every is an int of at least 1 and start one of at least 0; TypeError
        for a timestep that is no int.
        """
        from ._instrument.sampling import steps_of

        return steps_of(self, every, start)

    @on_class_or_instance
    @unrecorded
    def reset(self):
        """Forget the run, what it recorded, what define_region() defined and every region that
        nobody holds. Decorators and the regions that something refers to stay, switched off."""
        from ._run import recording

        recording.forget(self)
        self._definitions.clear()
        self._tagged.clear()
        self._forget()
        self._decorated_tags.intersection_update(self.registered_regions())

    # The test suites of users call it by this name.
    _reset = reset

    # ---- Instrumentation

    @on_class_or_instance
    def profile(self, region_name=None, recursive=None, metadata=None, record_outcome=False,
                tags=None, keep_every=None, keep=None):
        """Decorator: time every call of a function under a region.

        @profile("name"), or @profile and @profile() for the function's own name. It may be
        applied before setup() and follows every later one; without a run the function runs as if
        it were not there. Takes functions, methods, static and class methods in either order of
        the decorators, and any other callable but classes, which are a TypeError. Where the
        variable SCOPE_PROFILER_DISABLE is set, it gives the function itself.

        recursive: have every function traced that is called inside; None: as setup() says.
        metadata: of each call, a dict or a callable that gets the arguments and gives one.
        record_outcome: each call's metadata gets status, "ok" or "error", and exception, the
        name of its type. tags, keep_every, keep: as of profile_region().
        """
        return profile(self, region_name, recursive, metadata, record_outcome, tags, keep_every, keep)

    @on_class_or_instance
    @unrecorded
    def define_region(self, region_name, functions=None, tags=None, keep_every=None, keep=None):
        """The Region of that name, as profile_region() gives it, defined once for all: ValueError when it
        has been defined otherwise. Whatever is wrong, the region is as it was."""
        self._find(region_name)  # is it a name?
        definition = (*self._check_region(functions, tags, keep_every, keep), keep_every, keep)
        known = self._definitions.get(region_name, definition)
        if known != definition:
            raise ValueError(
                f"region {region_name!r} is defined already with other arguments: "
                f"{known}, now {definition}"
            )
        region = self.profile_region(region_name, *definition[:2], keep_every=keep_every, keep=keep)
        self._definitions[region.name] = definition
        return region

    @on_class_or_instance
    def region_factory(self, region_name, *, tags=None):
        """A RegionFactory: called with metadata, it gives a context manager that is region and
        metadata in one: `with factory(step=3): ...`."""
        tags = None if tags is None else normal_tags("tags", tags)
        return self._factory(self.profile_region(region_name, None, tags))

    @on_class_or_instance
    @unrecorded
    def instrument(self, module, *names, include=("*",), exclude=(), prefix=None, tags=None):
        """Decorate the functions of a module, or the methods of a class, in place; or what names mean,
        when their modules are imported: "package.module:Class.method"; see instrumentation.instrument."""
        from ._instrument.named_targets import instrument

        return instrument(self, module, names, include, exclude, prefix, tags)

    @unrecorded
    def _check_region(self, functions, tags, keep_every=None, keep=None):
        """What profile_region() was given, as tuples or None. Raises TypeError when they are not that."""
        if keep_every is not None or keep is not None:
            from ._instrument.thinning import normal_thinning

            normal_thinning(keep_every, keep)
        if functions is not None:
            from ._instrument.lines import with_lines

            functions = with_lines(functions)
        return functions, None if tags is None else normal_tags("tags", tags)

    @unrecorded
    def _set_tags(self, region, tags):
        set_tags(self, region, tags)

    @unrecorded
    def _set_thinning(self, region, keep_every, keep):
        from ._instrument.thinning import thin

        thin(region, keep_every, keep)

    @unrecorded
    def _add_functions(self, region, functions):
        from ._instrument.lines import watch

        watch(region, functions)

    @staticmethod
    @unrecorded
    def register_opt_in_tag(*tags):
        """Make these tags opt-in, in all managers: a region that has one does not record unless
        the run enables it, by setup(enable_tags=[...]) or region_tags, or by the variable
        SCOPE_PROFILER_ENABLE_TAGS. "*" enables all.

        For libraries that carry instrumentation of their own. Regions that exist already follow.
        Raises TypeError when a tag is not a non-empty str.
        """
        add_opt_in(tags)
        for manager in managers.every():
            manager._select()

    # ---- Whole programs

    @on_class_or_instance
    def run(self, func, *args, output=None, **session_settings):
        """func(*args) in a session; see programs.run."""
        from ._launch import programs

        return programs.run(self, func, *args, output=output, **session_settings)

    @on_class_or_instance
    def run_script(self, script_path, script_args=None, region_name=None, only_user_code=True,
                   recursive=True, include_patterns=(), exclude_patterns=(), entrypoint=None):
        """Run a script as `__main__` in the current run; see programs.run_script."""
        from ._launch import programs

        programs.run_script(self, script_path, script_args, region_name, only_user_code,
                            recursive, include_patterns, exclude_patterns, entrypoint)

    @on_class_or_instance
    def profile_script(self, script_path, *, script_args=None, output=None, **settings):
        """Run a script in a run of its own, for its ProfilingResults; see
        programs.profile_script."""
        from ._launch import programs

        return programs.profile_script(self, script_path, script_args=script_args, output=output,
                                       **settings)

    @on_class_or_instance
    def profile_command(self, command, *, output=None, recursive=False, all=False,
                        mpi_calls=False):
        """Run a Python program in a process of its own, under the profiler; see
        programs.profile_command."""
        from ._launch import programs

        return programs.profile_command(self, command, output=output, recursive=recursive,
                                        all=all, mpi_calls=mpi_calls)

    # ---- What there is

    @on_class_or_instance
    def get_region(self, region_name):
        """The Region of that name, or None when there is none."""
        return self._find(region_name)

    @on_class_or_instance
    def get_all_regions(self):
        """All regions as a dict {name: Region}, in the order in which they were made."""
        return {region.name: region for region in self._regions()}

    @on_class_or_instance
    def registered_regions(self):
        """The names of all regions: a tuple of str."""
        return tuple(region.name for region in self._regions())

    @on_class_or_instance
    @unrecorded
    def recorded_regions(self):
        """The names of the regions with a finished call in the current run: a tuple of str."""
        return tuple(row[1].name for row in self._collect_regions() if row[2])

    @on_class_or_instance
    def is_active(self):
        """Whether a run is on, recording or paused."""
        return self._run is not None and self._run.is_active

    @on_class_or_instance
    def is_configured(self):
        """Whether setup() has been called."""
        return self._run is not None

    @on_class_or_instance
    @unrecorded
    def get_config(self):
        """The settings of the current run, to read: a ProfilingConfig. Of the defaults, without
        a run."""
        from ._run.profiling_config import ProfilingConfig

        run = self._run
        return ProfilingConfig() if run is None else ProfilingConfig.of_run(run, run._effective())

    @on_class_or_instance
    @unrecorded
    def set_config(self, config):
        """Begin a run with the settings of a ProfilingConfig; the run before is replaced.

        Raises TypeError when config is something else.
        """
        from ._run import recording
        from ._run.runs import ProfilingRun
        from ._run.profiling_config import ProfilingConfig

        if not isinstance(config, ProfilingConfig):
            raise wrong_type("config", "a ProfilingConfig", config)
        recording.start(self, ProfilingRun(self, dict(config._settings)))

    @on_class_or_instance
    @unrecorded
    def last_results(self):
        """The ProfilingResults of the last finalize(); None before it. When that was not asked to
        return them, they are taken now."""
        run = self._run
        if run is None:
            return None
        if run._results is None and run.finalize_time_ns is not None:
            from ._run.snapshot import take_snapshot

            run._results = take_snapshot(self).results
        return run._results

    @on_class_or_instance
    @unrecorded
    def read_results(self):
        """The ProfilingResults in the file that the last finalize() wrote.

        Raises RuntimeError before setup() and when the run writes no file; FileNotFoundError before
        finalize().
        """
        self._need_run("read_results")
        if self._run.file_path is None:
            raise RuntimeError("read_results(): this run writes no file; see last_results()")
        from .io import load

        return load(self._run._written_path or self._run.file_path)


# Plain attributes, no descriptors: these made an empty `with` block slower by a fifth.
ProfileManager._default = ProfileManager()
ProfileManager._default._make_permanent()
ProfileManager.profile_region = ProfileManager.region = ProfileManager._default.profile_region
for _name in ("metadata", "add", "counter"):
    setattr(ProfileManager, _name, getattr(ProfileManager._default, _name))
