"""What is read of the interpreter that no version promises: bytecode, and private attributes.

Each supported version has its corpus in tests/base/test_interpreter.py.
"""

from collections import namedtuple
from contextlib import contextmanager
from functools import cache
import sys

_MONITORING = hasattr(sys, "monitoring")

# Flags of a code object, as in inspect, which is too large to be imported for them.
GENERATOR, COROUTINE, ITERABLE_COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200
SUSPENDING = GENERATOR | COROUTINE | ASYNC_GENERATOR


# ---- Private attributes


@contextmanager
def no_process_for_platform():
    """Inside, `platform` starts no process to learn what the processor is called, as it does for who asks
    for anything by its place in platform.uname(): h5py, where it is imported. Where `subprocess` is
    gevent's, a process that is about to end would wait for that one for ever.
    """
    import platform

    known = vars(platform.uname())  # the same for all who ask
    if "processor" in known:
        yield
        return
    known["processor"] = ""
    try:
        yield
    finally:
        known.pop("processor", None)


def threads():
    """The threads that run, in the order in which they were started.

    Not threading.enumerate(), which takes a lock that may be held right here.
    """
    from threading import _active

    return list(_active.values())


def thread_of(ident):
    """The Thread of that identifier, or None where Python has not started it.

    Not threading.current_thread(), which makes one up then, for all to see.
    """
    from threading import _active

    return _active.get(ident)


def is_being_made(process):
    """Whether a process that multiprocessing starts is told of its parent only later: it imports the
    main module first."""
    return getattr(process, "_inheriting", False)


# ---- Bytecode


def bytecode(code):
    """The instructions of a code object: bytes, made anew at each call."""
    return code.co_code


Instruction = namedtuple("Instruction", "offset name argument line target")


def instructions(code):
    """The instructions of a code object, as the other functions take them. argument: its number; line: None
    where it has none; target: the offset that a jump back goes to, or None.

    dis has them too. It is large, and takes ten times as long, half a millisecond for a function.
    """
    names, extends, goes_back = _opcodes()
    text, found, extended = code.co_code, [], 0
    for begin, end, line in code.co_lines():
        for offset in range(begin, end, 2):
            kind = text[offset]
            if kind == _CACHE:
                continue
            argument = extended << 8 | text[offset + 1]
            extended = argument if kind == extends else 0
            target = None
            if kind in goes_back:
                after = offset + 2
                while after < len(text) and text[after] == _CACHE:
                    after += 2
                target = after - 2 * argument
            found.append(_new(Instruction, (offset, names[kind], argument, line, target)))
    return found


_new = tuple.__new__  # half the time of Instruction(), of which there are hundreds in a function


@cache
def _opcodes():
    """(the names of all, the one that carries the upper part of an argument, those that jump back)."""
    from opcode import opname

    back = {kind for kind, name in enumerate(opname) if name.startswith("JUMP_BACKWARD")}
    return tuple(opname), opname.index("EXTENDED_ARG"), frozenset(back)


_CACHE = 0  # the opcode of what an instruction keeps for itself behind it


def _enters(instruction):
    """Whether it looks up __enter__ (3.14 and newer)."""
    if instruction.name != "LOAD_SPECIAL":
        return False
    from _opcode import get_special_method_names  # type: ignore[import-not-found,unused-ignore]

    return get_special_method_names()[instruction.argument] == "__enter__"


def slowed(instructions):
    """{line: how much slower it is while events of lines are on}: on 3.11, where no instruction is
    specialized then, how many it has, and two more for each global name; later 1 where the first looks one
    up."""
    found = {}
    for instruction in instructions:
        line, of_global = instruction.line, instruction.name == "LOAD_GLOBAL"
        if line is not None and not _MONITORING:
            found[line] = found.get(line, 0) + (3 if of_global else 1)
        elif line is not None:
            found.setdefault(line, int(of_global))
    return found


def with_statements(instructions):
    """Offsets of the instructions that call __enter__ for a `with` statement."""
    offsets = []
    previous = None
    for instruction in instructions:
        if instruction.name == "BEFORE_WITH" or (  # 3.14 looks it up and calls it
                instruction.name == "CALL" and _enters(previous)):
            offsets.append(instruction.offset)
        previous = instruction
    return tuple(offsets)


def begins_on_def_line(instructions):
    """Whether the body's first line is the line of the `def` or `lambda`."""
    resumed = None
    for instruction in instructions:
        if instruction.name == "RESUME":
            resumed = instruction.line
        elif resumed is not None and instruction.line is not None:
            return instruction.line == resumed
    return False


def one_line_loops(instructions, of_comprehensions=False):
    """Offsets of the loops that lie on one line; those of inlined comprehensions on request.

    sys.monitoring has a line event for their first round only, so their jumps back are counted.
    A comprehension (inlined since PEP 709) is one evaluation of its line, as line_profiler and
    CPython 3.11 see it; what tells it is that it adds to its result right before jumping back.
    """
    line_at = {i.offset: i.line for i in instructions}
    loops, comprehensions = set(), set()
    for at, i in enumerate(instructions):
        if i.target is not None and line_at.get(i.target) == i.line:
            loops.add(i.target)
            before = [j.name for j in instructions[max(0, at - 2) : at]]
            if before[-1:] == ["END_FOR"] or before[-2:-1] == ["END_FOR"]:
                comprehensions.add(i.target)  # around another one: a statement would end its line
            elif before[-1] in ("LIST_APPEND", "SET_ADD", "MAP_ADD"):
                comprehensions.add(i.target)
    return tuple(sorted(loops if of_comprehensions else loops - comprehensions))
