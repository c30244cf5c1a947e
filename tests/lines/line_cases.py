"""Code whose lines two profilers must count alike: one small function for each kind of code.

The file is not imported. It is executed once for every case and profiler, with the profiler's
decorator as the global `profile`, the way kernprof runs a script: see `load` in
line_profiler_reference.py. A case is a function in CASES that takes no arguments; whatever it
calls that carries @profile is counted.
"""

import asyncio
import contextlib
import functools
import types

CASES = {}


def case(function):
    """Put it into CASES."""
    CASES[function.__name__] = function
    return function


def identity(value, *more, **named):
    """Something to call: gives back its argument."""
    return value


def fail(*args):
    """Something to call that raises."""
    raise ValueError(*args)


class Manager:
    """A context manager that may swallow exceptions."""

    def __init__(self, swallow=False):
        self.swallow = swallow

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return self.swallow


def marked(*args, **named):
    """A decorator with arguments that changes nothing."""
    return lambda function: function


# ---- Straight code ----------------------------------------------------------------------------


@case
@profile
def straight_code():
    a = 1
    b = a + 1
    c = identity(b)

    d = c * 2  # after an empty line
    return d


@case
@profile
def docstring():
    """The first line of the body,

    which is no statement.
    """
    a = 1
    return a


@case
@profile
def nothing_but_a_docstring():
    """Nothing to do."""


@case
@profile
def nothing_but_pass():
    pass


@case
@profile
def nothing_but_an_ellipsis():
    ...


@case
@profile
def statements_on_one_line():
    a = 1; b = 2; c = a + b
    return c; a = 2


@case
@profile
def continued_with_a_backslash():
    a = 1 + \
        identity(2) + \
        identity(3)
    return a


@case
@profile
def unpacking():
    a, (b, *c) = 1, (2, 3, 4)
    d = [*c, a, b]
    e = {**{"a": a}, "b": b}
    return d, e


@case
@profile
def augmented_assignment(a=1):
    a += 1
    a <<= identity(2)
    b = [1, 2]
    b[0] += a
    return b


@case
@profile
def deletion():
    a = [1, 2, 3]
    del a[0]
    b = c = a
    del b, c
    del a[:]
    return a


total = 0


@case
@profile
def global_names():
    global total
    total = 1
    total += identity(1)
    return total


@case
@profile
def imports_inside():
    import math
    from os import (
        path,
        sep,
    )
    return math, path, sep


@case
@profile
def class_inside():
    class Local:
        """A class body is a code of its own."""

        a = 1

        def method(self):
            return self.a

    return Local().method()


@case
@profile
def annotations():
    a: int = 1
    b: "list[int]"
    b = [a]
    return b


@case
@profile
def dead_code():
    if 0:
        a = 1
    if False:
        a = 2
    while 0:
        a = 3
    if 1:
        a = 4
    return a
    a = 5


@case
@profile
def asserts():
    assert identity(True)
    assert identity(1) == 1, "never shown"
    assert (
        identity(2)
        == 2
    ), "never shown"
    try:
        assert identity(False), identity("shown")
    except AssertionError as error:
        return str(error)


# ---- Branches ---------------------------------------------------------------------------------


@case
def early_return():
    for value in range(4):
        returns_early(value)


@profile
def returns_early(value):
    if value == 0:
        return "none"
    if value == 1:
        return "one"
    rest = value - 1
    return rest


@case
def if_chain():
    for value in range(10):
        classify(value)


@profile
def classify(value):
    if value == 0:
        kind = "a"
    elif value == 1:
        kind = "b"
    elif value == 2:
        kind = "c"
    elif identity(value) == 3:
        kind = "d"
    elif value < 5 and identity(value) < 6:
        kind = "e"
    elif (
        value == 6
        or value == 7
    ):
        kind = "f"
    elif not value == 8:
        kind = "g"
    else:
        kind = "h"
    return kind


@case
@profile
def if_on_one_line():
    for i in range(4):
        if i % 2: identity(i)
        if i: continue
    return i


@case
@profile
def conditional_expressions():
    for i in range(4):
        a = 1 if i % 2 else 2
        b = (
            identity(1)
            if i % 2
            else identity(2)
        )
        c = (identity("x") if i == 0 else
             identity("y") if i == 1 else
             identity("z"))
    return a, b, c


@case
@profile
def boolean_expressions():
    for i in range(4):
        a = i > 1 and identity(i) or identity(-i)
        b = (
            i == 0
            or identity(i) == 1
            or not identity(i) == 2
        )
        if (i > 0
                and identity(i) < 3
                and b):
            a = b
    return a


@case
@profile
def chained_comparison():
    for i in range(5):
        a = 0 < identity(i) < 3
        b = (
            0
            < identity(i)
            <= 3
            != 2
        )
        if 1 < i <= 3:
            a = b
    return a


@case
@profile
def walrus():
    values = [3, 1, 2, 0]
    while (value := values.pop()) < 3:
        if (double := value * 2) > 2:
            identity(double)
    if (n := len(values)) == 0:
        return n
    return [m for v in values if (m := v)]


@case
def match_statement():
    subjects = [0, 1, "a", (1, 2), (1, 2, 3), {"kind": "x", "n": 1}, {"kind": "y"},
                types.SimpleNamespace(a=1), [], None, 5.0, -1]
    for subject in subjects:
        matches(subject)


@profile
def matches(subject):
    match subject:
        case 0:
            return "zero"
        case 1 | "a":
            return "one"
        case (x, y):
            total = x + y
            return total
        case [first, *rest]:
            return first, rest
        case {"kind": "x", **rest}:
            return rest
        case {
            "kind": kind,
        }:
            return kind
        case types.SimpleNamespace(a=a):
            return a
        case None:
            pass
        case float() as number if number > identity(1):
            return number
        case _:
            result = "else"
            return result
    return "after"


# ---- Loops ------------------------------------------------------------------------------------


@case
@profile
def for_loop(n=5):
    total = 0
    for i in range(n):
        total += i
    return total


@case
@profile
def loops_without_a_round():
    for i in ():
        identity(i)
    while identity(False):
        identity(1)
    for i in []:
        identity(i)
    else:
        identity("else")
    return 0


@case
@profile
def nested_loops(rows=3, columns=4):
    cells = 0
    for row in range(rows):
        for column in range(columns):
            cells += row * column
        cells -= 1
    for row in range(rows):
        for column in range(row):
            for layer in range(2):
                cells += 1
    return cells


@case
@profile
def while_loop(n=6):
    while n:
        n -= 1
    while n < 4:
        n += 1
        if n == 2:
            n += 1
    while True:
        n -= 1
        if n < 0:
            break
    return n


@case
@profile
def while_over_several_lines(n=0):
    while (
        n < 3
        and identity(n) < 5
    ):
        n += 1
    while identity(
        n
    ): n -= 1
    return n


@case
@profile
def break_continue_else():
    found = []
    for i in range(6):
        if i == 1:
            continue
        if i == 4:
            break
        found.append(i)
    else:
        found.append("never")
    for i in range(2):
        found.append(i)
    else:
        found.append("always")
    n = 0
    while n < 5:
        n += 1
        if n == 2:
            continue
        elif n == 9:
            break
    else:
        n = 0
    for i in range(3):
        for j in range(3):
            if j > i:
                break
            if i == 2:
                continue
        else:
            continue
        found.append((i, j))
    return found


@case
@profile
def loop_that_ends_in_a_branch():
    n = 0
    for i in range(5):
        if i % 2:
            n += 1
        elif i:
            n += 2
    for i in range(3):
        if i:
            pass
        else:
            n += 1
    for i in range(3):
        try:
            n += 1
        finally:
            n += 1
    return n


@case
@profile
def loop_header_over_several_lines():
    n = 0
    for i in [
        identity(1),
        identity(2),
        identity(3),
    ]:
        n += i
    for a, b in zip(
            range(3),
            range(3)):
        n += a * b
    for (
        a,
        b,
    ) in ((1, 2), (3, 4)):
        n += a * b
    return n


@case
@profile
def loop_body_on_one_call_of_several_lines():
    for i in range(3):
        identity(
            i,
            i + 1,
        )
    for i in range(3):
        identity(i,
                 identity(i))


@case
@profile
def one_line_for(values=(1, 2, 3, 4)):
    n = []
    for value in values: n.append(value)
    return n


@case
@profile
def one_line_for_of_two_statements():
    n = 0
    for i in range(4): n += i; n += 1
    return n


@case
@profile
def one_line_while(n=5):
    while n: n -= 1
    while n < 3 and identity(n) < 5: n = identity(n) + 1
    return n


@case
@profile
def one_line_for_with_else():
    n = 0
    for i in range(3): n += i
    else: n += 10
    return n


@case
@profile
def one_line_for_in_a_loop():
    n = 0
    for i in range(3):
        for j in range(i): n += j
    return n


@case
@profile
def one_line_for_of_comprehensions():
    n = []
    for i in range(3): n.append([j for j in range(i)])
    for i in range(3): [j for j in range(i)]
    return n


@case
@profile
def one_line_for_over_a_comprehension():
    n = 0
    for i in [j * 2 for j in range(4) if j]: n += i
    return n


@case
@profile
def one_line_for_that_raises():
    try:
        for i in (2, 1, 0): identity(2 // i)
    except ZeroDivisionError:
        return i


# ---- Comprehensions and generator expressions -------------------------------------------------


@case
@profile
def list_comprehension(n=5):
    a = [i * i for i in range(n)]
    b = [identity(i) for i in a]
    return b


@case
@profile
def filtered_comprehension(n=6):
    a = [i for i in range(n) if i % 2]
    b = [i for i in range(n) if i % 2 if i % 3]
    c = [i for i in range(n) if i and identity(i) > 1 or i == 0]
    d = [i if i else -1 for i in range(n)]
    return a, b, c, d


@case
@profile
def nested_comprehension(n=3):
    a = [[i * j for j in range(i)] for i in range(n)]
    b = [i * j for i in range(n) for j in range(i)]
    c = [i * j for i in range(n) if i for j in range(i) if j]
    d = {i: {j for j in range(i)} for i in range(n)}
    e = [[[k for k in range(j)] for j in range(i)] for i in range(n)]
    return a, b, c, d, e


@case
@profile
def dict_and_set_comprehension(n=4):
    a = {i: i * i for i in range(n)}
    b = {i % 2 for i in range(n)}
    c = {k: v for k, v in a.items() if v}
    return a, b, c


@case
@profile
def comprehension_over_several_lines(n=4):
    a = [
        identity(i)
        for i in range(n)
    ]
    b = [
        identity(i)
        for i in range(n)
        if i % 2
    ]
    c = {
        i: identity(i)
        for i in a
    }
    d = [i
         for i in range(n)]
    e = [
        (i, j)
        for i in range(n)
        for j in range(i)
        if j
    ]
    return a, b, c, d, e


@case
@profile
def comprehension_in_a_loop(n=3):
    a = 0
    for i in range(n):
        a += sum([j for j in range(i)])
        if [j for j in range(i) if j > 1]:
            a += 1
    return a


@case
@profile
def comprehension_of_functions(n=3):
    a = [lambda: i for i in range(n)]
    b = [f() for f in a]
    c = [(lambda x: x + 1)(i) for i in b]
    return b, c


@case
@profile
def comprehension_that_raises():
    try:
        return [1 // i for i in (2, 1, 0)]
    except ZeroDivisionError:
        return None


@case
@profile
def comprehensions_on_one_line(n=3):
    a = [i for i in range(n)], {i for i in range(n)}, [i for i in range(n)]
    return a


@case
@profile
def generator_expression(n=4):
    a = sum(i * i for i in range(n))
    b = list(identity(i) for i in range(n) if i)
    c = sum(
        i * i
        for i in range(n)
    )
    d = any(i > 1 for i in range(n))
    e = (i for i in range(n))
    next(e)
    for i in (j * 2 for j in range(n)):
        a += i
    return a, b, c, d


# ---- Exceptions -------------------------------------------------------------------------------


@case
def try_except():
    for value in (1, 0, "a"):
        tries(value)


@profile
def tries(value):
    try:
        result = 1 // value
    except ZeroDivisionError:
        result = 0
    except (TypeError, ValueError) as error:
        result = str(error)
    else:
        result += 1
    finally:
        identity("finally")
    return result


@case
@profile
def exception_raised_and_caught():
    caught = []
    try:
        raise ValueError("one")
    except ValueError as error:
        caught.append(error)
    try:
        fail("two")
    except ValueError as error:
        caught.append(error)
    try:
        try:
            fail("three")
        except ValueError as error:
            raise KeyError("four") from error
    except KeyError as error:
        caught.append(error)
    try:
        try:
            fail("five")
        except TypeError:
            caught.append("never")
        finally:
            caught.append("finally")
    except ValueError:
        caught.append("five")
    return caught


@case
def exception_passing_through():
    for _ in range(3):
        with contextlib.suppress(ValueError):
            lets_pass()


@profile
def lets_pass():
    a = identity(1)
    fail(
        a,
        identity(2),
    )
    return a


@case
def exception_passing_through_two():
    with contextlib.suppress(ValueError):
        outer_of_two()


@profile
def outer_of_two():
    a = 1
    inner_of_two(a)
    a = 2


@profile
def inner_of_two(a):
    for i in range(3):
        a += i
        if i == 1:
            fail(a)


@case
def exception_reraised():
    with contextlib.suppress(ValueError):
        raises_again()


@profile
def raises_again():
    try:
        fail(1)
    except ValueError:
        identity("clean up")
        raise


@case
@profile
def exceptions_in_a_loop():
    n = 0
    for i in (1, 0, 2, 0):
        try:
            n += 1 // i
        except ZeroDivisionError:
            continue
        n += 1
    for i in (1, 0, 2):
        try:
            if i == 2:
                break
            n += 1 // i
        except ZeroDivisionError as error:
            identity(error)
        finally:
            n += 1
    while True:
        try:
            fail()
        except ValueError:
            break
    return n


@case
@profile
def return_in_finally():
    try:
        fail()
    except ValueError:
        return "except"
    finally:
        identity("finally")


@case
@profile
def return_passes_finally():
    for i in range(3):
        try:
            if i == 1:
                return i
        finally:
            identity(i)


@case
@profile
def finally_swallows():
    for i in range(2):
        try:
            fail(i)
        finally:
            continue
    return i


@case
@profile
def nested_try():
    try:
        try:
            fail(1)
        finally:
            identity(1)
            try:
                fail(2)
            except ValueError:
                identity(2)
    except ValueError as error:
        identity(error)
    else:
        identity("never")
    return 0


@case
@profile
def exception_groups():
    try:
        raise ExceptionGroup("two", [ValueError(1), TypeError(2)])
    except* ValueError as group:
        identity(group)
    except* TypeError as group:
        identity(group)
    return 0


@case
@profile
def exception_in_the_handler():
    try:
        try:
            fail(1)
        except ValueError as error:
            identity(error.missing)
    except AttributeError:
        pass
    return 0


# ---- With statements --------------------------------------------------------------------------


@case
@profile
def with_statement():
    with Manager() as manager:
        a = identity(manager)
        b = a
    return b


@case
@profile
def with_several_managers():
    with Manager() as a, Manager() as b:
        identity(a, b)
    with (
        Manager() as a,
        Manager() as b,
    ):
        identity(a, b)
    with Manager():
        with Manager():
            identity(1)
        identity(2)
    return 0


@case
@profile
def with_on_one_line():
    with Manager(): identity(1)
    for i in range(3):
        with Manager(): identity(i)
    return 0


@case
@profile
def with_swallowing():
    with Manager(swallow=True):
        identity(1)
        fail(2)
        identity(3)
    for i in range(3):
        with Manager(swallow=True):
            fail(i)
    return 0


@case
def with_left_in_other_ways():
    for how in ("return", "break", "continue", "raise", "end"):
        with contextlib.suppress(ValueError):
            leaves_with(how)


@profile
def leaves_with(how):
    for i in range(2):
        with Manager():
            if how == "return":
                return i
            elif how == "break":
                break
            elif how == "continue":
                continue
            elif how == "raise":
                fail(i)
            identity(i)
    return how


@case
@profile
def with_in_a_loop_in_a_with():
    with Manager():
        for i in range(3):
            with Manager() as manager:
                identity(manager)
    with contextlib.ExitStack() as stack:
        stack.enter_context(Manager())
        stack.callback(identity, 1)
    return 0


# ---- Functions --------------------------------------------------------------------------------


@case
@profile
def nested_functions():
    def add(a, b):
        return a + b

    def twice(a, b=2):
        """Not profiled itself."""
        return add(a, a) * b

    return twice(add(1, 2))


@case
def closures():
    counter = make_counter(2)
    counter()
    counter()
    other = make_counter(5)
    other()


@profile
def make_counter(start):
    count = start

    @profile
    def counter(step=1):
        nonlocal count
        count += step
        return count

    counter()
    return counter


@case
@profile
def lambdas():
    add = lambda a, b: a + b
    twice = lambda a: (
        identity(a)
        * 2
    )
    return add(twice(1), twice(2)), sorted([3, 1, 2], key=lambda x: -x)


@case
def profiled_lambda():
    double = profile(lambda a: a * 2)
    multi_line = profile(
        lambda a:
        identity(a)
        * 2
    )
    return [double(i) + multi_line(i) for i in range(3)]


@case
def one_line_def():
    for i in range(3):
        on_one_line(i)
        on_one_line_with_two_statements(i)
        on_one_line_with_a_loop(i)
        on_one_line_without_arguments()


@profile
def on_one_line(a): return a + 1


@profile
def on_one_line_with_two_statements(a): b = a; return b


@profile
def on_one_line_with_a_loop(a): return [i for i in range(a)]


@profile
def on_one_line_without_arguments(): pass


@case
def one_line_def_without_decorator_line():
    def short(a): return identity(a)

    profiled = profile(short)
    for i in range(3):
        profiled(i)


@case
def recursion():
    factorial(5)


@profile
def factorial(n):
    if n == 0:
        return 1
    below = factorial(n - 1)
    return n * below


@case
def recursion_from_a_loop():
    walk([1, [2, [3, 4], 5], [[6]]])


@profile
def walk(tree):
    count = 0
    for item in tree:
        if isinstance(item, list):
            count += walk(item)
        else:
            count += 1
    return count


@case
def mutual_recursion():
    is_even(6)
    is_odd(3)


@profile
def is_even(n):
    if n == 0:
        return True
    return is_odd(n - 1)


@profile
def is_odd(n):
    if n == 0:
        return False
    return is_even(n - 1)


@case
def recursion_inside_an_expression():
    counts_down(4)
    counts_down_with_if(4)


@profile
def counts_down(n):
    return n and counts_down(n - 1)


@profile
def counts_down_with_if(n):
    a = counts_down_with_if(n - 1) if n else 0
    return a


@case
def recursion_ended_by_an_exception():
    with contextlib.suppress(ValueError):
        descends(4)
    catches_below(3)


@profile
def descends(n):
    if n == 0:
        fail()
    descends(n - 1)
    return n


@profile
def catches_below(n):
    try:
        if n == 0:
            fail()
        catches_below(n - 1)
        fail()
    except ValueError:
        n = -1
    return n


@case
def calls_between_profiled_functions():
    outermost(3)


@profile
def outermost(n):
    a = middle(n)
    for i in range(n):
        a += innermost(i)
    return a


def middle(n):
    return innermost(n) + innermost(n)


@profile
def innermost(n):
    a = n
    return a


class Shape:
    """Methods of every kind."""

    sides = 4

    @profile
    def __init__(self, length):
        self.length = length
        self.log = []

    @profile
    def circumference(self, factor=1):
        length = self.length * factor
        return length * self.sides

    @staticmethod
    @profile
    def area(length):
        square = length * length
        return square

    @classmethod
    @profile
    def unit(cls):
        made = cls(1)
        return made

    @property
    @profile
    def size(self):
        area = self.area(self.length)
        return area

    @profile
    def __call__(self, n):
        for i in range(n):
            self.log.append(i)

    @profile
    def __eq__(self, other):
        return (
            self.length
            == other.length
        )


@case
def methods():
    shape = Shape(2)
    shape.circumference()
    shape.circumference(factor=3)
    Shape.circumference(shape)
    method = shape.circumference
    method()


@case
def static_methods():
    Shape.area(1)
    Shape(2).area(3)


@case
def class_methods():
    Shape.unit()
    Shape(2).unit()

    class Square(Shape):
        pass

    Square.unit()


@case
def properties():
    shape = Shape(2)
    return shape.size + shape.size


@case
def special_methods():
    Shape(2)(3)
    return Shape(1) == Shape(2)


@case
def inherited_methods():
    class Base:
        @profile
        def work(self):
            a = 1
            return a

    class Derived(Base):
        @profile
        def work(self):
            a = super().work()
            return a + 1

    Derived().work()
    Derived().work()


@case
def decorator_over_several_lines():
    for i in range(2):
        dressed(i)
        dressed_below(i)


@profile
@marked(
    "a",
    key="b",
)
def dressed(
    a,
    b=(
        1,
        2,
    ),
):
    c = a
    return c, b


@marked(
    "a",
    key="b",
)
@profile
@marked("c")
def dressed_below(a):
    c = a
    return c


@case
def default_arguments():
    takes_everything(1)
    takes_everything(1, 2, 3, c=4, d=5)


@profile
def takes_everything(a, b=2, *args, c=3, **named):
    total = a + b + c
    for value in args:
        total += value
    return total, named


@case
def under_lru_cache():
    for n in (1, 2, 1, 3, 2):
        cached(n)


@functools.lru_cache
@profile
def cached(n):
    a = n * 2
    return a


@case
def over_partial():
    partial = functools.partial(innermost, 3)
    partial()
    partial()


@case
def called_by_c_functions():
    list(map(innermost, range(3)))
    sorted(range(3), key=innermost)
    functools.reduce(reducer, range(4))


@profile
def reducer(a, b):
    c = a
    return c + b


# ---- Several lines for one expression ---------------------------------------------------------


@case
@profile
def expressions_over_several_lines():
    a = [
        1,
        identity(2),
        3,
    ]
    b = {
        "a": 1,
        "b": identity(2),
    }
    c = (
        identity(1)
        + identity(2)
        * identity(3)
    )
    d = (a
         [0])
    return (
        a,
        b,
        c + d,
    )


@case
@profile
def calls_over_several_lines():
    a = identity(
        1,
        2,
    )
    b = identity(
        identity(
            a,
        ),
        key=identity(2),
    )
    c = (
        "a,b"
        .upper()
        .split(",")
    )
    identity(a,
             b, *c,
             **{"key": 1})
    d = "a" \
        "b"
    return f"""{a}
        {identity(b)}
    {d}"""


@case
@profile
def constants_over_several_lines():
    a = (
        1,
        2,
    )
    b = """
    text
    """
    c = {
        "a": 1,
        "b": 2,
    }
    return a, b, c


@case
@profile
def subscripts_over_several_lines():
    a = {"k": [1, 2, 3]}
    a["k"][
        identity(0)
    ] = identity(
        5
    )
    b = a[
        "k"
    ][
        1:
        2
    ]
    return b


@case
@profile
def return_over_several_lines(n=2):
    for i in range(n):
        if i:
            return [
                identity(j)
                for j in range(n)
            ] + [
                n
            ]


# ---- Generators and coroutines ----------------------------------------------------------------


@case
def generators():
    list(counts(3))
    partly = counts(3)
    next(partly)
    next(partly)
    partly.close()
    a, b = counts(2), counts(2)
    for pair in zip(a, b):
        identity(pair)


@profile
def counts(n):
    i = 0
    while i < n:
        yield i
        i += 1
    return n


@case
def generators_that_are_sent_to():
    echo = echoes()
    next(echo)
    echo.send(1)
    echo.send(2)
    echo.throw(ValueError)
    with contextlib.suppress(StopIteration):
        echo.send(None)


@profile
def echoes():
    got = None
    while True:
        try:
            got = yield got
            if got is None:
                return
        except ValueError:
            got = "caught"


@case
def generators_that_delegate():
    list(delegates(2))


@profile
def delegates(n):
    got = yield from counts(n)
    yield from (i for i in range(n))
    yield from range(n)
    return got


@case
def generator_with_finally():
    closed = finishes()
    next(closed)
    closed.close()
    thrown = finishes()
    next(thrown)
    with contextlib.suppress(ValueError):
        thrown.throw(ValueError)
    list(finishes())


@profile
def finishes():
    try:
        yield 1
        yield 2
    finally:
        identity("finally")


@case
def recursive_generator():
    list(flatten([1, [2, [3]], 4]))


@profile
def flatten(tree):
    for item in tree:
        if isinstance(item, list):
            yield from flatten(item)
        else:
            yield item


@case
def one_line_loop_in_a_generator():
    list(yields_on_one_line(3))


@profile
def yields_on_one_line(n):
    for i in range(n): yield i
    yield n


@case
def generator_as_context_manager():
    with managed() as a:
        identity(a)
    with contextlib.suppress(ValueError), managed():
        fail()


@contextlib.contextmanager
@profile
def managed():
    a = 1
    try:
        yield a
    finally:
        identity(a)


@types.coroutine
def suspend(value=None):
    """An awaitable that suspends once."""
    return (yield value)


def drive(coroutine):
    """Run it to its end, without an event loop."""
    with contextlib.suppress(StopIteration):
        while True:
            coroutine.send(None)


@case
def coroutines():
    drive(awaits(2))
    a, b = awaits(1), awaits(1)
    a.send(None)
    b.send(None)
    drive(a)
    drive(b)


@profile
async def awaits(n):
    for i in range(n):
        await suspend(i)
        identity(i)
    a = await answers(n)
    return a


@profile
async def answers(n):
    await suspend()
    return n


class AsyncRange:
    """Something to iterate and to enter asynchronously."""

    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        await suspend()
        self.n -= 1
        if self.n < 0:
            raise StopAsyncIteration
        return self.n

    async def __aenter__(self):
        await suspend()
        return self

    async def __aexit__(self, *exception):
        await suspend()


@case
def async_for_and_with():
    drive(loops_and_enters())


@profile
async def loops_and_enters():
    n = 0
    async for i in AsyncRange(3):
        n += i
    async with AsyncRange(2) as a:
        n += a.n
    b = [i async for i in AsyncRange(2)]
    return n, b


@case
def async_generators():
    async def consume():
        async for i in yields_later(3):
            identity(i)

    drive(consume())


@profile
async def yields_later(n):
    for i in range(n):
        await suspend()
        yield i


@case
def tasks_of_an_event_loop():
    asyncio.run(gathers())


@profile
async def gathers():
    await asyncio.gather(works(2), works(3))
    await asyncio.sleep(0)


@profile
async def works(n):
    for i in range(n):
        await asyncio.sleep(0)
        identity(i)
    return n
