"""What type checkers are to report, on the lines with a remark: the code and a part of the text."""

import scope_profiler as sp
from scope_profiler import ProfileManager


@sp.profile
def bare(number: int) -> float:
    return number / 2


@sp.profile("named")
def named(number: int) -> float:
    return number / 2


@sp.session()
def in_session(number: int) -> float:
    return number / 2


class Solver:
    @sp.profile("method")
    def method(self, number: int) -> str:
        return str(number)


bare("1")  # arg-type: expected "int"
named()  # call-arg: Missing positional argument "number"
in_session("1")  # arg-type: expected "int"
Solver().method(1, 2)  # call-arg: Too many arguments
Solver().method(1) + 1  # operator: Unsupported operand types
sp.profile(3)  # call-overload: No overload variant
sp.profile("x", tag="t")  # call-overload: did you mean "tags"?

sp.setup(filepath="x.h5")  # call-arg: did you mean "file_path"?
sp.setup(use_line_profiler="yes")  # arg-type: expected "bool | None"
sp.setup(buffer_limit=1.5)  # arg-type: expected "int | None"
ProfileManager.setup("x.h5")  # arg-type: expected "ProfilingOptions | None"
ProfileManager().session(verbos=False)  # call-arg: did you mean "verbose"?
sp.finalize(native_traces="x")  # call-overload: No overload variant
sp.ProfilingOptions(time_trac=True)  # call-arg: did you mean "time_trace"?
sp.run(bare, "1")  # arg-type: expected "Callable[[str], float]"
sp.run(bare, 1, labl="x")  # call-arg: did you mean "label"?
sp.setup().finalize().nothing  # attr-defined: "nothing"
sp.finalize(return_results=False).summary()  # attr-defined: "None" has no attribute

sp.region(3)  # arg-type: expected "str"
sp.region("x", tag="t")  # call-arg: did you mean "tags"?
sp.region("x").name = "y"  # misc: read-only
sp.get_region("x").num_calls  # union-attr: "None"
sp.ProfileRegion("x")  # call-arg: Too many arguments
sp.region_factory("x")(3)  # call-arg: Too many arguments
sp.metadata(3)  # call-arg: Too many arguments
with sp.sample_every(3) as step, step("3"):  # arg-type: expected "int"
    pass

sp.load("x.h5")["a"].total_duration + "1"  # operator: Unsupported operand types
sp.nonsense  # attr-defined: nonsense
