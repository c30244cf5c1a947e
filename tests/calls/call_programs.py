"""Random programs of functions and generators, and what tracing every function of one must record.

A program is data: a list of functions, each a (is generator, statements) pair, of which number 0 is
called. It is written out as Python source in two ways: plainly, to be run under tracing; and with
calls of a Model in it, which keeps the books of what the plain one does in pure Python.
"""

import sys
from textwrap import indent

from hypothesis import strategies as st

MODULE = "program"
MOST = 4  # functions

# Closed at a `yield` outside of `try` and `with`, a generator ends without an event
# (python/cpython#140373): it takes no step then.
SILENT_CLOSE = (3, 13) <= sys.version_info < (3, 13, 10)


# ---- Programs


def _statements(own, is_generator, depth=2):
    """Statements of function number `own`: it calls itself, and those with higher numbers."""
    others = st.integers(own + 1, MOST - 1) if own + 1 < MOST else st.nothing()
    simple = [
        st.tuples(st.just("tick"), st.integers(1, 9)),
        st.tuples(st.just("call"), others),
        st.tuples(st.just("call"), others),
        st.just(("again",)),
        st.just(("raise",)),
        st.tuples(st.just("for"), others, st.integers(1, 4)),
        st.tuples(st.just("hold"), others),
        st.just(("resume",)),
        st.just(("drop",)),
        st.tuples(st.just("throw"), others),
    ]
    if is_generator:
        simple += [st.just(("yield",)), st.just(("yield",)), st.tuples(st.just("from"), others)]
    simple = st.one_of(simple)
    if depth == 0:
        return st.lists(simple, min_size=1, max_size=3)
    inner = _statements(own, is_generator, depth - 1)
    quiet = _statements(own, False, depth - 1)  # suspended in there, a block would stay open
    compound = [
        simple,
        st.tuples(st.just("try"), inner, inner),
        st.tuples(st.just("finally"), inner, quiet),
        st.tuples(st.just("with"), quiet),
    ]
    return st.lists(st.one_of(compound), min_size=2, max_size=6)


def _function(number):
    kinds = st.just(False) if number == 0 else st.booleans()
    return kinds.flatmap(lambda g: st.tuples(st.just(g), _statements(number, g)))


programs = st.tuples(*(_function(number) for number in range(MOST)))


# ---- Source


def source(program, booked):
    return _PREFACE + "\n".join(
        _function_source(number, *function, program, booked)
        for number, function in enumerate(program)
    )


_PREFACE = """
held = []

class Error(Exception):
    pass

"""


def _function_source(number, is_generator, statements, program, booked):
    if number == 0:  # an error is not to be the end of the program
        statements = [("try", [statement], []) for statement in statements]
    body = _block(statements, number, program, booked)
    if is_generator:
        body += "if False: yield\n"
    if booked:
        body = (f"call = model.begin('{MODULE}.f{number}')\nfailed = True\ntry:\n"
                + indent(body + "failed = False\n", "    ")
                + ("except GeneratorExit:\n    failed = False\n    raise\n" if is_generator else "")
                + "finally:\n    call.end(failed)\n")
    return f"def f{number}(d):\n" + indent(body, "    ")


def _block(statements, number, program, booked, in_try=False):
    parts = [_statement(s, number, program, booked, in_try) for s in statements]
    return "".join(parts) or "pass\n"


def _statement(statement, number, program, booked, in_try):
    def block(statements):
        return indent(_block(statements, number, program, booked, True), "    ")

    what, *details = statement
    if what == "tick":
        return f"tick({details[0]})\n"
    if what == "call":
        return f"f{details[0]}(d)\n"
    if what == "again":
        return f"if d: f{number}(d - 1)\n"
    if what == "raise":
        return "raise Error\n"
    if what == "try":
        return f"try:\n{block(details[0])}except Exception:\n{block(details[1])}"
    if what == "finally":  # nothing is raised there, or a generator could survive its closing
        quiet = block([("try", details[1], [])])
        return f"try:\n{block(details[0])}finally:\n{quiet}"
    if what == "with":
        opened = "model.block('block')" if booked else "region"
        return f"with {opened}:\n{block(details[0])}"
    if what == "resume":
        return "if held: next(held[0], None)\n"
    if what == "drop":
        return "held.clear()\n"
    if what == "yield":
        if not booked:
            return "yield 1\n"
        end = "resume" if in_try or not SILENT_CLOSE else "vanish"
        return (f"call.suspend()\ntry: yield 1\nexcept GeneratorExit: call.{end}(); raise\n"
                "except BaseException: call.resume(); raise\nelse: call.resume()\n")
    other = details[0]
    if not program[other][0]:  # what follows is about generators
        return f"f{other}(d)\n"
    if what == "for":
        return (f"for i, _ in enumerate(f{other}(d)):\n    tick(1)\n"
                f"    if i == {details[1]}: break\n")
    if what == "hold":
        return f"held.append(f{other}(d))\nnext(held[-1], None)\n"
    if what == "throw":
        return f"throw([f{other}(d)], Error)\n"
    if what == "from":
        inner = f"f{other}(d)"
        return f"yield from Delegate(call, {inner})\n" if booked else f"yield from {inner}\n"
    raise AssertionError(statement)


def throw(generators, error):
    """Throw into the generator; the list, left empty, lets no traceback keep it alive."""
    next(generators[0], None)
    return generators.pop().throw(error)


class Delegate:
    """What a booked generator delegates to. Python sends to it with the outer generator running, and
    throws into it and closes it with that one asleep."""

    def __init__(self, call, inner):
        self._call = call
        self._inner = inner
        self._begun = False

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        if self._begun:
            self._call.resume()
        self._begun = True
        item = self._inner.send(value)
        self._call.suspend()
        return item

    def throw(self, *error):
        try:
            return self._inner.throw(*error)
        except BaseException:
            self._call.resume()
            raise

    def close(self):
        self._call.closes_inner(self._inner)
        self._call.resume()


# ---- The books


class Node:
    def __init__(self):
        self.calls = self.errors = self.sum = self.nested = self.children = 0

    def numbers(self):
        return self.calls, self.sum - self.nested, self.sum - self.children, self.errors


class Scope:
    def __init__(self, model, name):
        above = model.stack[-1].path if model.stack else ()
        self.path = above[: above.index(name) + 1] if name in above else (*above, name)
        self.node = model.nodes.setdefault(self.path, Node())
        self.nested = any(scope.path[-1] == name for scope in model.stack)
        self.start = model.now()
        self.children = 0
        model.stack.append(self)


class Call:
    """An open call: a scope for each of its steps, one after the other."""

    def __init__(self, model, name):
        self._model = model
        self._name = name
        self._running = self._children = 0
        self._scope = Scope(model, name)
        self._start = self._scope.start
        self._nested = self._scope.nested
        self._over = False

    def suspend(self):
        model, scope = self._model, self._scope
        assert model.stack.pop() is scope
        lasted = model.now() - scope.start
        if model.stack:
            model.stack[-1].children += lasted
        self._running += lasted
        self._children += scope.children
        self._until = model.now()

    def resume(self):
        self._model.closing = False
        self._scope = Scope(self._model, self._name)

    def vanish(self):
        """The end, without a step for it: with its death, or unnoticed when it is closed by name."""
        self._record(False, self._until if self._model.closing else self._model.now())
        self._model.closing = False
        self._over = True

    def closes_inner(self, inner):
        self._model.closing = True
        inner.close()
        self._model.closing = False

    def end(self, failed):
        if not self._over:
            self.suspend()
            self._record(failed, self._model.now())

    def _record(self, failed, now):
        node = self._scope.node
        lasted = now - self._start
        node.calls += 1
        node.errors += failed
        node.sum += lasted
        node.nested += lasted * self._nested
        node.children += lasted - (self._running - self._children)
        self._model.events.setdefault(self._name, []).append((self._start, lasted))


class Model:
    def __init__(self, now):
        self.now = now
        self.stack = []
        self.nodes = {}
        self.events = {}
        self.closing = False  # by name, the generator whose turn is next

    def begin(self, name):
        return Call(self, name)

    def block(self, name):
        return _Block(self, name)

    def tree(self):
        """{names of the path joined by >: (calls, total, exclusive, errors)}."""
        return {">".join(path): node.numbers() for path, node in self.nodes.items()}


class _Block:
    def __init__(self, model, name):
        self._model = model
        self._name = name

    def __enter__(self):
        self._call = self._model.begin(self._name)

    def __exit__(self, kind, *_):
        self._call.end(kind is not None)


def run(program, names, booked):
    """Run the program; d is 2 at first."""
    namespace = {"__name__": MODULE, "throw": throw, "Delegate": Delegate, **names}
    exec(compile(source(program, booked), f"{MODULE}.py", "exec"), namespace)
    return namespace["f0"], namespace["held"]
