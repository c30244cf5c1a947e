"""Calls of MPI as regions: communicators of mpi4py whose methods record themselves.

A profiled communicator is one of mpi4py: an object of a subclass, with the same handle, so whatever takes
communicators takes it, and what `Split`, `Dup` and the like make of it is profiled too. Objects that only
behave as one are wrapped.
"""

from __future__ import annotations

import sys
import weakref
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, wraps
from typing import Any, NamedTuple

from .._base import above, unrecorded
from .._base.arguments import boolean
from .._instrument.import_hook import AfterImport
from .call_names import MPIRegionMetadata, format_mpi_region, kind_of, message_nbytes, tags_of

here: Any = unrecorded.here

#: From so many regions of MPI calls on, sizes and tags are not told apart any more.
MOST_REGIONS = 4096


class _Signature(NamedTuple):
    """Where the arguments of an operation are, by place and name; None for what it has not."""

    message: str | None  # what is measured
    peer: str | None
    has_root: bool
    names: tuple[str, ...]


def _signature(names: str, message: str | None = None, peer: str | None = None) -> _Signature:
    words = tuple(names.split())
    return _Signature(message, peer, "root" in words, words)


_SEND, _SEND_OBJECT = _signature("buf dest tag", "buf", "dest"), _signature("obj dest tag", "obj", "dest")
_RECEIVE = _signature("buf source tag status", "buf", "source")
_EXCHANGE = _signature("sendbuf recvbuf op", "sendbuf")
_EXCHANGE_OBJECT = _signature("sendobj op", "sendobj")
_ROOTED = _signature("sendbuf recvbuf root", "sendbuf")
_ROOTED_OBJECT = _signature("sendobj root", "sendobj")

_SIGNATURES: dict[str, _Signature] = {
    **{f"{mode}send": _SEND_OBJECT for mode in ("", "b", "s")},
    **{f"{mode}end": _SEND for mode in ("S", "Bs", "Ss", "Rs")},
    **{f"i{mode}send": _SEND_OBJECT for mode in ("", "b", "s")},
    **{f"I{mode}send": _SEND for mode in ("", "b", "s", "r")},
    "recv": _RECEIVE, "Recv": _RECEIVE, "irecv": _RECEIVE, "Irecv": _RECEIVE,
    "sendrecv": _signature("sendobj dest sendtag recvbuf source recvtag status", "sendobj", "dest"),
    "Sendrecv": _signature("sendbuf dest sendtag recvbuf source recvtag status", "sendbuf", "dest"),
    "barrier": _signature(""), "Barrier": _signature(""), "Ibarrier": _signature(""),
    "bcast": _signature("obj root", "obj"),
    "Bcast": _signature("buf root", "buf"), "Ibcast": _signature("buf root", "buf"),
    "reduce": _signature("sendobj op root", "sendobj"),
    **{f"{i}educe": _signature("sendbuf recvbuf op root", "sendbuf") for i in ("R", "Ir")},
    **dict.fromkeys(("allreduce", "scan", "exscan", "allgather", "alltoall"), _EXCHANGE_OBJECT),
    **{f"{first}{rest}": _EXCHANGE for rest, starts in (
        ("llreduce", ("A", "Ia")), ("can", ("S", "Is")), ("xscan", ("E", "Ie")),
        ("llgather", ("A", "Ia")), ("llgatherv", ("A", "Ia")), ("lltoall", ("A", "Ia")),
        ("lltoallv", ("A", "Ia")), ("lltoallw", ("A", "Ia")),
        ("educe_scatter_block", ("R", "Ir"))) for first in starts},
    **{f"{i}educe_scatter": _signature("sendbuf recvbuf recvcounts op", "sendbuf") for i in ("R", "Ir")},
    "gather": _ROOTED_OBJECT, "scatter": _ROOTED_OBJECT,
    **{f"{first}{rest}": _ROOTED for rest, starts in (
        ("ather", ("G", "Ig")), ("atherv", ("G", "Ig")), ("catter", ("S", "Is")),
        ("catterv", ("S", "Is"))) for first in starts},
}  # fmt: skip

class _Recorder(NamedTuple):
    """How calls are recorded.

    manager: Gives the manager, or None when it is gone.
    pickles: Whether objects are pickled to know their size.
    """

    manager: Callable[[], Any]
    pickles: bool

    def region(self, call: MPIRegionMetadata, partner: int = -1) -> Any:
        """The region of a call, to be entered. partner: as for `tags_of`."""
        with here:
            manager = self.manager()
            if manager is None:
                return nullcontext()
            name = _names.get(call)
            if name is None and len(_names) >= MOST_REGIONS:
                call = call._replace(bytes=-1, tag=-1)
                name = _format(call)
            elif name is None:
                name = _names[call] = _format(call)
            return manager.profile_region(name, None, tags_of(call, partner))


_names: dict[MPIRegionMetadata, str] = {}


def _format(call: MPIRegionMetadata) -> str:
    told = call._asdict()
    del told["kind"]  # the operation says it
    return format_mpi_region(**told)


class _Members(NamedTuple):
    """The ranks of a communicator.

    number: 0 for COMM_WORLD, and for others one that is the same wherever they have the same ranks of it;
        -1 where that is not known.
    ranks: In COMM_WORLD; None where they are the same there, or not known.
    """

    number: int
    ranks: list[int] | None = None


def _members_of(communicator: Any) -> _Members:
    mpi = sys.modules.get("mpi4py.MPI")
    try:
        if mpi is None or not isinstance(communicator, mpi.Comm):
            return _Members(0)
        world = mpi.COMM_WORLD
        if mpi.Comm.Compare(communicator, world) in (mpi.IDENT, mpi.CONGRUENT):
            return _Members(0)
        group = communicator.Get_group()
        ranks = [int(rank) for rank in group.Translate_ranks(None, world.Get_group())]
        return _Members(zlib.crc32(repr(ranks).encode()) & 0x7FFFFFFF or 1, ranks)
    except Exception:  # of an intercommunicator, or one that is gone
        return _Members(-1)


class ProfiledMPIRequest:
    """A request whose waiting is recorded, as the kind "wait"."""

    _recorder: _Recorder
    _call: MPIRegionMetadata
    _request: Any

    def __init__(
        self, request: Any, *, operation: str, bytes: int, peer: int, tag: int, communicator: int
    ) -> None:
        self._request = request
        self._recorder = _default_recorder(False)
        self._call = MPIRegionMetadata("wait", "wait", bytes, peer, -1, tag, communicator, operation)

    def wait(self, status: Any = None) -> Any:
        """`Request.wait` of mpi4py."""
        with self._recorder.region(self._call):
            return self._request.wait(status)

    def Wait(self, status: Any = None) -> Any:
        """`Request.Wait` of mpi4py."""
        with self._recorder.region(self._call):
            return self._request.Wait(status)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_request"], name)


class ProfiledMPIComm:
    """A communicator whose calls are regions; see `profile_mpi_comm`."""

    _recorder: _Recorder
    _wrapped: Any

    def __init__(self, communicator: Any, *, pickle_object_sizes: bool = False) -> None:
        self._wrapped = communicator
        self._recorder = _default_recorder(boolean("pickle_object_sizes", pickle_object_sizes))

    @property
    def communicator(self) -> Any:
        """The communicator itself, whose calls are not recorded."""
        return self._wrapped

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_wrapped"], name)
        if name not in _SIGNATURES:
            return _made(_unbound(value)).__get__(self) if name in _MAKERS else value
        return _recorded(name, _unbound(value)).__get__(self)


def _unbound(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method of an object as that of a class, which is handed an object first."""
    return lambda self, *args, **kwargs: method(*args, **kwargs)


#: Methods of a communicator that make another.
_MAKERS = frozenset(
    "Clone Create Create_cart Create_dist_graph Create_dist_graph_adjacent Create_graph Create_group "
    "Create_intercomm Dup Dup_with_info Merge Split Split_type Sub".split()
)


def _made(make: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a profiled communicator in the place of `make`, which makes another."""

    @wraps(make, updated=())
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        other = make(self, *args, **kwargs)
        is_one = bool(other) and hasattr(other, "Get_rank")  # COMM_NULL is false
        return profiled(other, self._recorder) if is_one else other

    return method


def _recorded(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a profiled communicator in the place of `original`."""
    signature, operation = _SIGNATURES[name], name.lower()
    kind, starts = kind_of(operation), operation.startswith("i")
    is_object = name == operation

    @wraps(original, updated=())
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        with here:
            call = _described(self, args, kwargs)
            region = self._recorder.region(call, _partner(self, call.peer))
        with region:
            done = original(self, *args, **kwargs)
        return _request_of(self, done, call) if starts else done

    def _described(self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MPIRegionMetadata:
        given = {**dict(zip(signature.names, args)), **kwargs}
        size = -1
        if signature.message is not None:
            message = given.get(signature.message)
            size = message_nbytes(message, pickle_objects=is_object and self._recorder.pickles)
        return MPIRegionMetadata(
            operation, kind, size, _number(given.get(signature.peer or "")),
            _number(given.get("root", 0)) if signature.has_root else -1,
            _number(given.get("tag", given.get("sendtag", _DEFAULT_TAGS.get(signature.peer or "")))),
            _members(self).number,
        )

    return method


#: What mpi4py takes where no tag is given.
_DEFAULT_TAGS = {"dest": 0, "source": -1}


def _number(value: Any) -> int:
    try:
        return -1 if value is None else max(int(value), -1)
    except (TypeError, ValueError):
        return -1


def _members(communicator: Any) -> _Members:
    known = communicator.__dict__
    members: _Members | None = known.get("_members")
    if members is None:
        members = known["_members"] = _members_of(communicator.communicator)
    return members


def _partner(communicator: Any, peer: int) -> int:
    ranks = _members(communicator).ranks
    return -1 if ranks is None or not 0 <= peer < len(ranks) else ranks[peer]


def _request_of(communicator: Any, request: Any, call: MPIRegionMetadata) -> Any:
    """The request, whose waiting is recorded too."""
    waiting = MPIRegionMetadata("wait", "wait", call.bytes, call.peer, -1, call.tag, call.communicator,
                                call.operation)
    mpi = sys.modules.get("mpi4py.MPI")
    if mpi is not None and isinstance(request, mpi.Request):
        profiled = _request_class(type(request))(request)  # type: ignore[arg-type]
    else:
        profiled = object.__new__(ProfiledMPIRequest)
        profiled._request = request
    profiled._recorder, profiled._call = communicator._recorder, waiting
    return profiled


@cache
def _request_class(base: Any) -> Any:
    """A subclass of one of mpi4py's requests."""

    def recorded(name: str) -> Callable[..., Any]:
        original = getattr(base, name)

        @wraps(original, updated=())
        def method(self: Any, status: Any = None) -> Any:
            with self._recorder.region(self._call):
                return original(self, status)

        return method

    return type(base.__name__, (base, ProfiledMPIRequest),
                {"wait": recorded("wait"), "Wait": recorded("Wait"), "__init__": lambda self, *_: None,
                 "__getattr__": _no_attribute})


def _no_attribute(self: Any, name: str) -> Any:
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


@cache
def _communicator_class(base: Any, recorder: _Recorder) -> Any:
    """A subclass of one of mpi4py's communicators, whose objects are recorded by it."""
    methods = {name: _recorded(name, getattr(base, name)) for name in _SIGNATURES if hasattr(base, name)}
    methods |= {name: _made(getattr(base, name)) for name in _MAKERS if hasattr(base, name)}
    return type(base.__name__, (base, ProfiledMPIComm), {
        **methods, "_recorder": recorder, "__init__": lambda self, *_, **__: None,
        "__getattr__": _no_attribute, "communicator": property(lambda self: base(self)),
    })


def _default_recorder(pickles: bool) -> _Recorder:
    return _recorder_of(above.get("default_manager"), pickles)


@cache
def _recorder_of(manager: Callable[[], Any], pickles: bool) -> _Recorder:
    return _Recorder(manager, pickles)


def profiled(communicator: Any, recorder: _Recorder) -> Any:
    """The communicator of mpi4py as one whose calls are recorded."""
    if isinstance(communicator, ProfiledMPIComm):
        return communicator
    mpi = sys.modules.get("mpi4py.MPI")
    if mpi is None or not isinstance(communicator, mpi.Comm):
        wrapped = ProfiledMPIComm(communicator)
        wrapped._recorder = recorder
        return wrapped
    return _communicator_class(type(communicator), recorder)(communicator)  # type: ignore[arg-type]


def profile_mpi_comm(communicator: Any, *, pickle_object_sizes: bool = False) -> Any:
    """A communicator for the same ranks whose calls are regions, as are those of the communicators that
    it makes: with operation, bytes, partner, tag and communicator in the name, see `parse_mpi_region`.

    communicator: One of mpi4py, or anything with its methods.
    pickle_object_sizes: Pickle the objects that lower-case methods send once more to know their size.

    Raises TypeError when `pickle_object_sizes` is no bool.
    """
    return profiled(communicator, _default_recorder(boolean("pickle_object_sizes", pickle_object_sizes)))


class MPICalls:
    """The predefined communicators of mpi4py are recorded ones, from start() to stop(), in the runs of a
    manager. Where mpi4py has not been imported yet, from its import on."""

    def __init__(self, manager: Any) -> None:
        self._recorder = _recorder_of(weakref.ref(manager), False)
        self._calls = _Patched(self._recorder)

    def start(self) -> None:
        self._calls.start(None, lazy=True)

    def stop(self) -> None:
        self._calls.stop()


class _Patched:
    """COMM_WORLD and COMM_SELF of a module, while it is on."""

    _NAMES = ("COMM_WORLD", "COMM_SELF")

    def __init__(self, recorder: _Recorder) -> None:
        self._recorder = recorder
        self._before: dict[str, Any] = {}
        self._module: Any = None
        self._import = AfterImport(lambda name, path: name == "mpi4py.MPI",
                                   lambda name, module: self.patch(module))

    def start(self, module: Any, lazy: bool) -> None:
        module = sys.modules.get("mpi4py.MPI") if module is None else module
        if module is not None:
            self.patch(module)
        elif lazy:
            self._import.__enter__()
        else:
            from mpi4py import MPI

            self.patch(MPI)

    def stop(self) -> None:
        self._import.__exit__()
        for name, before in self._before.items():
            if isinstance(getattr(self._module, name, None), ProfiledMPIComm):
                setattr(self._module, name, before)
        self._before.clear()

    def patch(self, module: Any) -> None:
        """Put recorded communicators into the module."""
        self._module = module
        for name in self._NAMES:
            before = getattr(module, name, None)
            if before is not None and not isinstance(before, ProfiledMPIComm):
                self._before[name] = before
                setattr(module, name, profiled(before, self._recorder))


@contextmanager
def profile_mpi4py(
    mpi_module: Any = None, *, pickle_object_sizes: bool = False, lazy: bool = False
) -> Iterator[None]:
    """Inside, COMM_WORLD and COMM_SELF of mpi4py are communicators whose calls are regions.

    What the program has taken from mpi4py before stays as it is.

    mpi_module: In the place of ``mpi4py.MPI``, which is imported else.
    pickle_object_sizes: As for `profile_mpi_comm`.
    lazy: Do not import mpi4py; wait until the program does.

    Raises TypeError when `pickle_object_sizes` or `lazy` is no bool.
    """
    patched = _Patched(_default_recorder(boolean("pickle_object_sizes", pickle_object_sizes)))
    patched.start(mpi_module, boolean("lazy", lazy))
    try:
        yield
    finally:
        patched.stop()
