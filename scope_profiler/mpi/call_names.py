"""What the region of an MPI call is named: operation, bytes, partner and communicator, as in 0.7.5.

    mpi:send kind=point-to-point bytes=800 peer=1 root=-1 tag=7 comm=0
"""

from __future__ import annotations

import pickle
import re
from typing import Any, NamedTuple


class MPIRegionMetadata(NamedTuple):
    """What the name of a region of an MPI call says; -1 for what is unknown.

    operation: In lower case: "send", "allreduce".
    kind: "point-to-point", "collective" or "wait".
    bytes: Of the message on this rank.
    peer: The rank in the communicator that it goes to or comes from.
    root: Of the collective call.
    tag: Of the message.
    communicator: 0 for COMM_WORLD; the same number for the same ranks in another.
    request: The operation that is waited for; None elsewhere.
    """

    operation: str
    kind: str
    bytes: int
    peer: int
    root: int
    tag: int
    communicator: int
    request: str | None = None


COLLECTIVES = frozenset(
    "barrier bcast reduce allreduce gather gatherv scatter scatterv allgather allgatherv alltoall alltoallv "
    "alltoallw reduce_scatter reduce_scatter_block scan exscan neighbor_allgather neighbor_allgatherv "
    "neighbor_alltoall neighbor_alltoallv neighbor_alltoallw".split()
)

_NAME = re.compile(
    r"mpi:(?P<operation>\S+) kind=(?P<kind>\S+) bytes=(?P<bytes>-?\d+) peer=(?P<peer>-?\d+) "
    r"root=(?P<root>-?\d+) tag=(?P<tag>-?\d+) comm=(?P<communicator>-?\d+)(?: request=(?P<request>\S+))?"
)


def kind_of(operation: str) -> str:
    """ "collective", "wait", or "point-to-point" for all others."""
    if operation.removeprefix("i") in COLLECTIVES or operation in COLLECTIVES:
        return "collective"
    return "wait" if operation.startswith("wait") else "point-to-point"


def format_mpi_region(
    operation: str,
    *,
    bytes: int = -1,
    peer: int = -1,
    root: int = -1,
    tag: int = -1,
    communicator: int = -1,
    request: str | None = None,
) -> str:
    """The name of the region of an MPI call, of what `MPIRegionMetadata` tells.

    Raises TypeError when `operation` is no str.
    """
    if not isinstance(operation, str):
        raise TypeError(f"operation takes a str, got {type(operation).__name__}: {operation!r}")
    of_request = "" if request is None else f" request={request}"
    return (f"mpi:{operation} kind={kind_of(operation)} bytes={bytes} peer={peer} root={root} tag={tag} "
            f"comm={communicator}{of_request}")


def parse_mpi_region(name: str) -> MPIRegionMetadata | None:
    """What the name of a region says of its MPI call; None for the name of another region."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    texts = found.groupdict()
    numbers = {field: int(texts[field]) for field in ("bytes", "peer", "root", "tag", "communicator")}
    return MPIRegionMetadata(texts["operation"], texts["kind"], request=texts["request"], **numbers)


#: Begins the tag with the rank in COMM_WORLD of a partner, where that is another in its communicator.
PARTNER = "mpi.partner:"


def tags_of(call: MPIRegionMetadata, partner: int = -1) -> tuple[str, ...]:
    """The tags of the region of an MPI call. partner: the rank in COMM_WORLD of `peer`; -1 where it is
    not known, or the same."""
    of_request = () if call.request is None else (f"mpi.request:{call.request}",)
    return ("mpi", f"mpi.kind:{call.kind}", f"mpi.operation:{call.operation}", f"mpi.bytes:{call.bytes}",
            f"mpi.peer:{call.peer}", f"mpi.root:{call.root}", f"mpi.tag:{call.tag}",
            f"mpi.communicator:{call.communicator}", *of_request,
            *(() if partner < 0 else (f"{PARTNER}{partner}",)))


def message_nbytes(value: Any, *, pickle_objects: bool = True) -> int:
    """How many bytes a message has, of what mpi4py is given for it; -1 where that is unknown.

    value: A buffer, or a list or tuple of one with a count, a displacement or a datatype; or an object that
        is sent as a pickle.
    pickle_objects: Pickle objects to know their size.
    """
    if value is None and not pickle_objects:
        return -1
    size = _size_of_buffer(value)
    if size is None and isinstance(value, (list, tuple)) and value:
        size = _size_of_specification(*value)
    if size is not None:
        return size
    if not pickle_objects or value is None:
        return -1
    try:
        return len(pickle.dumps(value, protocol=5))
    except Exception:  # mpi4py will say what is wrong with it
        return -1


def _size_of_buffer(value: Any) -> int | None:
    try:
        return memoryview(value).nbytes
    except (TypeError, ValueError, BufferError):
        size = getattr(value, "nbytes", None)  # of a GPU
        return size if isinstance(size, int) else None


def _size_of_specification(buffer: Any, *others: Any) -> int | None:
    """Of [buffer, count, datatype], [buffer, datatype] and the like."""
    size = _size_of_buffer(buffer)
    count = next((other for other in others if isinstance(other, int)), None)
    datatype = next((other for other in others if hasattr(other, "Get_size")), None)
    if size is None or not others:
        return None
    if count is None:
        counts = next((other for other in others if isinstance(other, (list, tuple))), None)
        if counts is None:
            return size if datatype is not None or len(others) == 1 and others[0] is None else None
        counts = counts[0] if counts and isinstance(counts[0], (list, tuple)) else counts
        if not all(isinstance(each, int) for each in counts):
            return size
        count = sum(counts)
    if datatype is not None:
        return count * int(datatype.Get_size())
    items = getattr(buffer, "itemsize", 1)
    return count * int(items)
