"""cli/: the command as a shell sees it. Every test runs it in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import zipfile

import pytest
from conftest import NEEDS_H5PY

import scope_profiler as sp
from scope_profiler.cli import main

pytestmark = NEEDS_H5PY         # as the file that the command writes by itself

REGION = 'import scope_profiler as sp\nwith sp.region("r"): pass\n'


def command(*arguments, python=(), **settings):
    return subprocess.run([sys.executable, *python, "-m", "scope_profiler", *arguments],
                          capture_output=True, text=True, encoding="utf-8", **settings)


def run(*arguments, **settings):
    return command("run", *arguments, **settings)


def write(source, name="script.py"):
    folder = os.path.dirname(name)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(name, "w", encoding="utf-8") as file:
        file.write(source)
    return name


def calls(path="profiling_data.h5"):
    return {region.name: region.num_calls for region in sp.load(path)}


# ---- Words on the command line


def test_help_and_version():
    for arguments in (["--help"], ["-h"]):
        done = command(*arguments)
        assert done.returncode == 0 and "Run a program and record its regions" in done.stdout
    done = command("run", "--help")
    assert done.returncode == 0 and "scope-profiler run [OPTIONS] SCRIPT [ARGS]..." in done.stdout
    for option in ("--output", "--line-profile", "--recursive", "--quiet", "--label", "--config",
                   "--memory-profile"):
        assert option in done.stdout
    assert command("--version").stdout == f"scope-profiler {sp.__version__}\n"


@pytest.mark.parametrize("arguments, message", [
    ([], "Missing argument 'SCRIPT'"),
    (["--nonsense", "script.py"], "No such option"),
    (["-o", "x.h5", "--no-output", "script.py"], "--output and --no-output exclude each other"),
    (["--all", "--no-recursive", "script.py"], "--no-recursive excludes --all and --entrypoint"),
    (["--entrypoint", "main", "--no-recursive", "script.py"], "--no-recursive excludes --all"),
    (["--include", "x", "script.py"], "--ignore-module and --ignore-dir are about --recursive: add that"),
    (["-o", "nowhere/x.h5", "script.py"], "cannot write into the folder "),
    (["-o", ".", "script.py"], "is a folder"),
    (["-o", "x.xyz", "script.py"], "no format is called '.xyz'"),
    (["--config", "missing.toml", "script.py"], "missing.toml"),
])
def test_what_cannot_be_is_said_before_the_program_runs(arguments, message):
    write("print('it ran')")
    done = run(*arguments)
    assert done.returncode == 2 and message in " ".join(done.stderr.split()) and done.stdout == ""
    assert os.listdir() == ["script.py"]


def test_an_unknown_command():
    done = command("runn", "script.py")
    assert done.returncode == 2 and "No such command 'runn': did you mean 'run'?" in done.stderr


@pytest.mark.parametrize("arguments, message", [
    (["missing.py"], "can't open file 'missing.py': there is none"),
    (["."], "can't run '.': can't find '__main__' module in '.'"),
    (["-m", "missing"], "can't run 'missing': no module named 'missing' that can be run"),
    (["-m", "missing.module"], "can't run 'missing.module': No module named 'missing'"),
])
def test_what_is_no_program(arguments, message):
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: {message}\n")
    assert os.listdir() == []


def test_options_after_the_script_are_its_own():
    path = write("import sys; print(sys.argv)")
    words = ["--help", "-q", "-o", "x", "--", "a b", "ü"]
    assert run("-q", path, *words).stdout == f"{[path, *words]}\n"


@pytest.mark.parametrize("name", ["native-lines", "site", "tui"])
def test_commands_for_a_later_version(name, capsys):
    assert main([name, "x.h5"]) == 2
    assert f"Error: {name} is for a later version of scope-profiler" in capsys.readouterr().err


def test_every_command_helps_with_examples_and_says_its_exit_status(capsys):
    from scope_profiler.cli.group import COMMANDS

    for name in COMMANDS:
        assert main([name, "--help"]) == 0
        text = capsys.readouterr().out
        assert "Examples:" in text and f"{name} " in text, name
    assert main(["--help"]) == 0 and "Exit status: 0" in capsys.readouterr().out


def test_completion_in_shells():
    done = command(env={**os.environ, "_SCOPE_PROFILER_COMPLETE": "bash_complete",
                        "COMP_WORDS": "scope-profiler ru", "COMP_CWORD": "1"})
    # The name of the program is that under which it was called.
    assert done.returncode == 0 and done.stdout == "plain,run\n"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_a_reader_that_goes_leaves_no_traceback(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen([sys.executable, "-m", "scope_profiler", *arguments], stdout=writing,
                               stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert process.communicate()[1] == "" and process.returncode in (1, 128 + signal.SIGPIPE)


# ---- The program runs as under Python

PROGRAMS = {
    "prints": "print('out'); import sys; print('err', file=sys.stderr)",
    "exit": "import sys; sys.exit()",
    "exit 3": "import sys; sys.exit(3)",
    "exit text": "import sys; sys.exit('last words')",
    "exit true": "raise SystemExit(True)",
    "exit in function": "def f():\n    raise SystemExit(4)\nf()",
    "error": "def f():\n    1 / 0\nf()",
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e",
    "context": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('x')",
    "group": "raise ExceptionGroup('g', [ValueError(1), KeyError(2)])",
    "notes": "e = ValueError('x'); e.add_note('see also'); raise e",
    "recursion": "def f(): f()\ntry:\n    f()\nexcept RecursionError: print('deep')",
    "syntax": "def f(:\n    pass",
    "import": "import missing_module",
    "interrupt": "raise KeyboardInterrupt",
    "end of input": "input()",
    "broken pipe": "raise BrokenPipeError(32, 'Broken pipe')",
    "warning": "import warnings; warnings.warn('old', DeprecationWarning)",
    "excepthook": "import sys\nsys.excepthook = lambda *e: print('mine', e[0])\n1 / 0",
    "exiting excepthook": "import sys\nsys.excepthook = lambda *e: sys.exit(7)\n1 / 0",
    "exit handlers": "import atexit\natexit.register(print, 'one')\natexit.register(print, 'two')",
    "exit handler fails": "import atexit\natexit.register(lambda: 1 / 0)",
    "thread fails": "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='T')\n"
                    "t.start()\nt.join()",
    "hard exit": "import os; os._exit(6)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "annotations": "x: int = 1\nprint(__annotations__)",
    "future": "from __future__ import annotations\nx: nonsense = 1\nprint(__annotations__)",
    "pickle": "import pickle\nclass C: pass\nassert type(pickle.loads(pickle.dumps(C()))) is C",
    "source": "import inspect\ndef f(): pass\nprint(inspect.getsource(f))",
    "globals": "print(sorted(set(globals()) - {'__annotations__'}))",
    "dataclass": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    x: 'int'\nprint(C(1))",
    "doc": '"""A doc."""\nprint(__doc__)',
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_under_python(name):
    path = write(PROGRAMS[name])
    ours = run("-q", "--no-output", path, stdin=subprocess.DEVNULL)
    plain = subprocess.run([sys.executable, path], capture_output=True, text=True,
                           encoding="utf-8", stdin=subprocess.DEVNULL)
    if name == "thread fails" or name == "exit handler fails":  # has an address
        assert "ZeroDivisionError" in ours.stderr and "scope_profiler" not in ours.stderr
    else:
        assert ours.stderr == plain.stderr
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout)


def test_a_path_with_spaces_and_other_letters(tmp_path):
    path = write(REGION + "import nachbar; print(nachbar.name, __file__)",
                 "ein Ördner/ein prögramm.py")
    write("name = 'Grüße'", "ein Ördner/nachbar.py")
    done = run("-q", "-o", "ein Ördner/ergebnis ä.h5", path)
    assert done.stdout == f"Grüße {tmp_path / path}\n" and done.stderr == ""
    assert calls("ein Ördner/ergebnis ä.h5") == {"r": 1}


def test_the_current_folder_is_not_in_the_way():
    """Python puts it on sys.path for -m scope_profiler; a script would not have it."""
    path = write("import neighbour", "folder/script.py")
    write("", "neighbour.py")
    assert "No module named 'neighbour'" in run("-q", path).stderr


def test_modules_folders_and_archives():
    write("", "package/__init__.py")
    write(REGION + "from . import inside", "package/__main__.py")
    write(REGION + "print(__name__)", "package/inside.py")
    write(REGION, "folder/__main__.py")
    with zipfile.ZipFile("archive.zip", "w") as file:
        file.writestr("__main__.py", REGION)
    for arguments, expected in [
        (["-m", "package"], {"r": 2}), (["-m", "package.inside"], {"r": 1}),
        (["folder"], {"r": 1}), (["archive.zip"], {"r": 1}),
    ]:
        done = run("-q", *arguments)
        assert done.returncode == 0, done.stderr
        assert calls() == expected


def test_with_safe_path():
    write("", "folder/neighbour.py")
    path = write("import neighbour", "folder/script.py")
    assert run("-q", path).returncode == 0
    done = run("-q", path, python=["-P"])
    assert done.returncode == 1 and "No module named 'neighbour'" in done.stderr


def test_what_the_program_imports_is_not_there_before():
    """It may set what they read from the environment when they are imported, or shadow them."""
    path = write("import sys\nprint([m for m in ('numpy', 'h5py', 'rich', 'subprocess') "
                 "if m in sys.modules])")
    assert run("-q", path).stdout == "[]\n"


# ---- The report and the file


def test_the_report_comes_at_the_end():
    path = write(REGION + "print('the program')")
    done = run("--label", "a label", path)
    assert done.returncode == 0 and done.stderr == ""
    program, report = done.stdout.split("\n", 1)
    assert program == "the program" and report.count("Written: ") == 1
    assert "scope-profiler: a label – " in report and "\nr  " in report
    assert calls() == {"r": 1} and sp.load("profiling_data.h5").label == "a label"
    assert sorted(os.listdir()) == ["profiling_data.h5", "script.py"]


def test_quiet_prints_nothing_of_its_own():
    path = write(REGION + "import sys; sys.stdout.write('no newline')")
    done = run("--quiet", "-o", "x.h5", path)
    assert (done.stdout, done.stderr) == ("no newline", "") and calls("x.h5") == {"r": 1}


@pytest.mark.parametrize("option", ["-o", "--output", "--outfile"])
def test_the_output_has_a_name(option):
    run("-q", option, "x.h5", write(REGION))
    assert sorted(os.listdir()) == ["script.py", "x.h5"]


def test_the_extension_chooses_the_format():
    run("-q", "-o", "x.json", write(REGION))
    with open("x.json") as file:
        assert file.read(1) == "{"
    assert calls("x.json") == {"r": 1}


def test_settings_from_a_file():
    write("[profiling]\nlabel = 'from file'\nfile_path = 'a.h5'\nbuffer_limit = 3\n", "c.toml")
    done = run("-q", "--config", "c.toml", write(REGION))
    assert done.returncode == 0 and done.stdout == ""
    assert "Warning: buffer_limit=3" in done.stderr and "Traceback" not in done.stderr
    assert sp.load("a.h5").label == "from file"
    run("-q", "--config", "c.toml", "--label", "mine", "-o", "b.h5", "script.py")
    assert sp.load("b.h5").label == "mine"


def test_tags_choose_what_is_recorded():
    path = write("import scope_profiler as sp\nsp.register_opt_in_tag('lib')\n"
                 "with sp.region('a', tags='x'): pass\nwith sp.region('b', tags='y'): pass\n"
                 "with sp.region('c', tags='lib'): pass\nwith sp.region('d'): pass\n")
    for options, expected in [
        ([], "abd"), (["--tag", "x", "--tag", "y"], "ab"), (["--enable-tag", "lib"], "abcd"),
    ]:
        assert run("-q", *options, path).returncode == 0
        assert "".join(calls()) == expected


def test_no_output():
    done = run("--no-output", write(REGION))
    assert "\nr  " in done.stdout and "Written" not in done.stdout
    assert os.listdir() == ["script.py"]


@pytest.mark.parametrize("ending, status", [
    ("1 / 0", 1), ("raise SystemExit(3)", 3), ("raise KeyboardInterrupt", -signal.SIGINT),
])
def test_report_and_file_also_when_it_fails(ending, status):
    done = run(write(REGION + ending))
    assert done.returncode == status
    assert done.stdout.count("Written: ") == 1 and calls() == {"r": 1}


def test_an_interrupt_from_outside():
    # In pieces: a signal that comes right before a sleep is seen after it.
    path = write(REGION + "import time\nprint('ready', flush=True)\n"
                          "for _ in range(600): time.sleep(0.1)")
    process = subprocess.Popen(
        [sys.executable, "-m", "scope_profiler", "run", path], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert out.count("Written: ") == 1 and err.endswith("KeyboardInterrupt\n")
    assert "scope_profiler" not in err and calls() == {"r": 1}


def test_the_file_is_where_the_command_was_given():
    run("-q", write(REGION + "import os; os.mkdir('sub'); os.chdir('sub')"))
    assert calls() == {"r": 1} and os.listdir("sub") == []


def test_a_file_that_cannot_be_written_in_the_end():
    path = write(REGION + "import shutil; shutil.rmtree('sub')")
    os.mkdir("sub")
    done = run("-q", "-o", "sub/x.h5", path)
    assert done.returncode == 0 and "scope-profiler: finalize() failed: FileNotFoundError: " in done.stderr
    assert "x.h5" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("with_h5py", ["", "import h5py\n"])
def test_exit_handlers_and_h5py(with_h5py):
    """h5py has an exit handler that takes from us what writing needs, and crashes the process
    when it is imported in one."""
    done = run("-q", write(with_h5py + REGION + "import atexit\natexit.register(print, 'bye')"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "bye\n", "")
    assert calls() == {"r": 1}


def test_lines_are_recorded():
    path = write("import scope_profiler as sp\n@sp.profile\ndef work():\n    x = 1\n    return x\n"
                 "work()\n")
    done = run("--line-profile", path)
    assert "Function: work at line 2" in done.stdout
    assert len(sp.load("profiling_data.h5").line_profile[0]) == 1


def test_aggregation_mode():
    run("-q", "--aggregation-mode", write(REGION))
    results = sp.load("profiling_data.h5")
    assert results["r"].num_calls == 1 and not results.has_event_data


def test_every_function_is_traced():
    pytest.importorskip("scope_profiler._instrument.call_tracing")
    path = write("import json\ndef work(): json.dumps([1])\nwork()")
    write("recursive_profile = true", "c.toml")
    assert run("-q", "--config", "c.toml", "-o", "c.h5", path).returncode == 0
    assert any("work" in name for name in calls("c.h5"))
    assert run("-q", "--config", "c.toml", "-o", "c.h5", "--no-recursive", path).returncode == 0
    assert calls("c.h5") == {}
    assert run("-q", "--recursive", path).returncode == 0
    names = list(calls())
    assert any("work" in name for name in names) and not any("dumps" in name for name in names)
    assert run("-q", "--all", "--exclude", "*encode*", path).returncode == 0
    names = list(calls())
    assert any("dumps" in name for name in names) and not any("encode" in name for name in names)


# ---- Programs that profile themselves


def test_a_program_that_calls_finalize():
    """A checkpoint, as ever: the file has it all in the end."""
    done = run(write(REGION + "sp.finalize(verbose=False)\n" + REGION))
    assert done.stdout.count("Written: ") == 1 and calls() == {"r": 2}


@pytest.mark.parametrize("begin, end", [
    ("sp.setup(file_path='own.h5')", ""),
    ("sp.setup(file_path='own.h5', replace=True)", "sp.finalize()"),
    ("sp.setup(file_path='own.h5', auto_finalize=True)", ""),
    ("sp.setup(file_path='own.h5', track_threads=True)", "sp.finalize(); sp.setup()"),
    ("session = sp.session(file_path='own.h5'); session.__enter__()",
     "session.__exit__(None, None, None)"),
    ("manager = sp.ProfileManager._default; manager.setup(output='own.h5')", "manager.pause()"),
    ("sp.reset(); sp.setup(file_path='own.h5')", ""),
])
def test_a_program_that_begins_a_run(begin, end):
    """It goes into the one that is on. Both files have all of it."""
    done = run("-q", "-o", "asked.h5",
               write("import scope_profiler as sp\n" + begin + "\n" + REGION + end
                     + "\nassert sp.is_active()\n" + REGION))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    both = calls("asked.h5")
    assert both.pop("scope_profiler.session", 1) == 1
    assert both == {"r": 1 if "pause" in end else 2}
    own = "profiling_data.h5" if "sp.setup()" in end else "own.h5"
    assert calls(own).items() >= both.items()


def test_a_program_with_a_session_as_in_the_readme():
    done = run(write("""
import scope_profiler as sp
@sp.profile("solve")
def solve(): pass
with sp.session() as session:
    with sp.region("assemble"): solve()
    assert session.is_active and session.file_path == "profiling_data.h5"
"""))
    assert done.returncode == 0 and done.stderr == ""
    assert calls() == {"scope_profiler.session": 1, "assemble": 1, "solve": 1}


def test_settings_of_the_program_count_but_for_those_of_the_command():
    script = write("""
import scope_profiler as sp
run = sp.setup(label="mine", aggregation_mode=True, use_line_profiler=False, verbose=True,
               file_path="own.json", metadata_detail="full", deactivate_profiling=True)
config = sp.get_config()
print(config.label, config.aggregation_mode, config.use_line_profiler, config.verbose,
      config.metadata_detail, config.deactivate_profiling, config.file_path, run.file_path)
""" + REGION)
    done = run("-q", "--label", "asked", "--line-profile", "-o", "asked.json", script)
    assert done.stdout == "asked True True False full False own.json own.json\n"
    assert (done.returncode, done.stderr) == (0, "") and sp.load("own.json").label == "asked"
    assert calls("asked.json") == calls("own.json") == {"r": 1}
    done = run("--no-output", script)
    assert done.stdout.startswith("mine True False True full False own.json own.json\n")
    assert done.stdout.count("Written: ") == 1 and "Written: own.json" in done.stdout


def test_values_that_the_command_was_given_stay():
    done = run("-q", "--recursive", "--max-depth", "3", "-o", "x.json", write(
        REGION + "sp.setup(verbose=False)\ndef f(n):\n    if n: f(n - 1)\nf(5)"))
    assert done.stderr == "" and calls("x.json")["__main__.f"] == 1


def test_a_program_that_asks_for_another_mode_begins_anew():
    """What is recorded otherwise cannot go on."""
    done = run("--recursive", "-q", "-o", "asked.h5", write(
        REGION + "sp.setup(file_path='own.h5', use_line_profiler=True)\n" + REGION
        + "def f(): pass\nf()"))
    assert done.returncode == 0 and re.search(
        r"begins anew here, with another use_line_profiler; .* left out: 1 call$", done.stderr, re.M)
    assert calls("asked.h5") == calls("own.h5") == {"r": 1, "__main__.f": 1}


def test_a_program_that_begins_anew_loses_no_line_in_silence():
    done = run("-q", "--count", write("import scope_profiler as sp\nsp.setup(on_slow={'r': 1})\n" + REGION))
    assert done.returncode == 0 and "with another on_slow; what was recorded" in done.stderr
    assert "left out: lines\n" in done.stderr


def test_a_program_whose_children_record():
    done = run("-q", "-o", "asked.h5", write("""
import os, scope_profiler as sp
sp.setup(file_path="own.h5")
pid = os.fork()
""" + REGION + "if pid: os.waitpid(pid, 0)\n"))
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("asked.h5", "own.h5"):
        assert sp.load_processes(name)["r"].num_calls == 2


def test_a_program_that_is_terminated():
    done = run("-q", "-o", "asked.h5", write(
        "import os, signal, time, scope_profiler as sp\nsp.setup(file_path='own.h5')\n" + REGION
        + "os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)"))
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")
    assert calls("asked.h5") == calls("own.h5") == {"r": 1}


def test_where_nothing_is_recorded_it_says_what_to_add():
    hint = "nothing was recorded. --recursive traces every function"
    assert hint in run(write("def f(): pass\nf()")).stderr
    assert run("-q", "script.py").stderr == run("--recursive", "script.py").stderr == ""
    assert run(write(REGION)).stderr == ""


# ---- main() in a program


def test_main_has_done_all_when_it_returns(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["own"])
    state = [list(sys.argv), list(sys.path), sys.modules["__main__"]]
    write("import sys, scope_profiler as sp\nassert sys.argv == ['script.py', 'x']\n" + REGION)
    for _ in range(2):
        assert main(["run", "-o", "x.h5", "script.py", "x"]) is None
        assert capsys.readouterr().out.count("Written: ") == 1
        assert calls("x.h5") == {"r": 1} and not sp.is_active()
        assert state == [sys.argv, sys.path, sys.modules["__main__"]]
        os.remove("x.h5")
    sp.setup(deactivate_file_output=True)  # as if nothing had been
    with sp.region("after"):
        pass
    assert sp.recorded_regions() == ("after",)


@pytest.mark.parametrize("ending, error", [("sys.exit(3)", SystemExit), ("1 / 0", ZeroDivisionError),
                                           ("raise KeyboardInterrupt", KeyboardInterrupt)])
def test_main_lets_pass_what_the_program_raises(ending, error, capsys):
    write("import sys\n" + REGION + ending)
    hook = sys.excepthook
    with pytest.raises(error):
        main(["run", "-q", "-o", "x.h5", "script.py"])
    assert calls("x.h5") == {"r": 1} and sys.excepthook is hook
    assert capsys.readouterr().err == ""


def test_a_program_that_resets():
    done = run(write(REGION + "sp.reset()"))
    assert done.stderr == "" and "nothing to report" in done.stdout


# ---- Threads and processes


def test_threads_that_outlive_the_last_line():
    path = write("""
import threading, scope_profiler as sp
from concurrent.futures import ThreadPoolExecutor
ended = threading.Event()
def work():
    threading.main_thread().join()
    with sp.region("late"): pass
threading.Thread(target=work).start()
pool = ThreadPoolExecutor(2)             # never shut down
pool.submit(lambda: sp.region("pool").__enter__()).result()
print("last line")
""")
    done = run(path, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("last line\n")
    assert calls()["late"] == 1


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_processes(method):
    path = write(f"""
import multiprocessing as mp, scope_profiler as sp
def square(n):
    with sp.region("square"):
        return n * n
if __name__ == "__main__":
    with sp.region("all"), mp.get_context({method!r}).Pool(2) as pool:
        print(pool.map(square, range(4)))
""", "prögramm mit pool.py")
    done = run(path, timeout=120)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("[0, 1, 4, 9]\n") and done.stdout.count("Written: ") == 1
    assert calls() == {"all": 1}
    if method == "fork":  # the others are programs anew, which know nothing of the command
        assert sp.load_processes("profiling_data.h5")["square"].num_calls == 4


def test_a_forked_child_has_a_file_of_its_own():
    path = write("""
import os, scope_profiler as sp
with sp.region("before"): pass
child = os.fork()
with sp.region("child" if child == 0 else "parent"): pass
if child: os.waitpid(child, 0)
""")
    done = run(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Written: ") == 1
    assert calls() == {"before": 1, "parent": 1}
    [other] = set(os.listdir()) - {"script.py", "profiling_data.h5"}
    assert calls(other) == {"child": 1}


# ---- Options about functions


SOLVER = """
class Grid:
    def step(self, n):
        return sum(i for i in range(n))
def solve(n):
    for i in range(n):
        Grid().step(i)
def other():
    pass
solve(3)
other()
"""


@pytest.mark.parametrize("patterns, functions", [
    (["solve"], ["solve"]),
    (["__main__.Grid"], ["Grid.step"]),
    (["Grid.st*", "solve"], ["Grid.step", "solve"]),
    (["script.py"], ["Grid.step", "solve", "other"]),
])
def test_lines_of_functions_by_name(patterns, functions):
    write(SOLVER)
    done = run("--no-output", *(f"--lines={pattern}" for pattern in patterns), "script.py")
    assert done.returncode == 0 and done.stderr == ""
    for name in ("Grid.step", "solve", "other"):
        assert (f"Function: {name} at line" in done.stdout) == (name in functions)
        assert (f"__main__.{name} " in done.stdout) == (name in functions)  # as a region
    if "solve" in functions:
        assert " 6         4 " in done.stdout or "     6         4" in done.stdout  # hits of the loop


def test_lines_of_any_package_and_in_all_that_is_traced():
    write("import colorsys\ndef f(): colorsys.rgb_to_hsv(1, 2, 3)\nf()\n")
    done = run("--no-output", "--lines", "colorsys.rgb_to_hsv", "script.py")
    assert "Function: rgb_to_hsv" in done.stdout and "__main__.f" not in done.stdout
    done = run("--no-output", "--functions", "--lines", "colorsys", "--all", "script.py")
    assert "Function: rgb_to_hsv" in done.stdout and "Function: f " not in done.stdout
    assert "__main__.f" in done.stdout


def test_patterns_of_lines_that_mean_nothing():
    write(SOLVER)
    done = run("--no-output", "--lines", "solv", "--lines", "solve", "script.py")
    assert done.returncode == 0
    assert ("--lines 'solv': no function of that name was called; did you mean solve"
            in done.stderr)
    assert done.stderr.count("\n") == 1


def test_a_program_as_text():
    text = "import sys\ndef f(): return sys.argv\nprint(f(), __name__, sys.path[0] == '')\nsys.exit(3)"
    done = run("--functions", "--no-output", "-c", text, "a", "-b")
    alone = subprocess.run([sys.executable, "-c", text, "a", "-b"], capture_output=True, text=True)
    assert done.returncode == alone.returncode == 3
    assert done.stdout.startswith(alone.stdout) and "__main__.f" in done.stdout
    failing = "def f():\n    1 / 0\nf()"
    done = run("--no-output", "-q", "-c", failing)
    alone = subprocess.run([sys.executable, "-c", failing], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (alone.returncode, alone.stderr)
    assert run("-m", "-c", "x").returncode == 2


def test_c_functions_garbage_and_imports():
    write("import gc, colorsys\ndef f(): gc.collect(); len([])\nf()\n")
    done = run("--c-functions", "--gc", "--imports", "-o", "x.json", "script.py")
    assert done.returncode == 0, done.stderr
    found = calls("x.json")
    assert found["import colorsys"] == found["{built-in method builtins.len}"] == 1
    assert found["gc"] >= 1 and found["__main__.f"] == 1
