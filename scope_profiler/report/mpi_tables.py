"""Tables of the calls of MPI: collective ones, the critical path, and who sends to whom."""

from .._base.shown import shown
from .grid import print_grid
from .style import format_bytes, format_count, format_share, format_time, many
from .table_columns import UNKNOWN, ranks_text

_MOST = 10


def show_waits(rows, out):
    """Print what `collective_waits` gives: times of all ranks together, and the slowest ranks by name."""
    if not rows:
        return
    _title("Collective calls", out)
    rows = sorted(rows, key=lambda row: -sum(row["total"].values()))
    print_grid(
        out, ("Operation", "Ranks", "Calls", "Total", "Waiting", "Transfer", "Waits most", "Arrives last"),
        [(shown(row["operation"]), ranks_text(row["ranks"]), format_count(row["num_calls"]),
          *(_together(row[name]) for name in ("total", "waiting", "transfer")), *_slowest(row))
         for row in rows],
        left=(0, 1, 6, 7))
    out.note("Times are those of all ranks together; waiting is for the last to arrive.")
    if any(row["waiting"] is None for row in rows):
        out.note(f"{UNKNOWN}: a rank is missing or has made another number of calls, or times of calls were "
                 "not kept.")


def _together(by_rank):
    return UNKNOWN if by_rank is None else format_time(round(1e9 * sum(by_rank.values())))


def _slowest(row):
    if row["waiting"] is None:
        return UNKNOWN, UNKNOWN
    waits = max(row["waiting"], key=row["waiting"].get)
    last = sorted((rank for rank in row["last"] if row["last"][rank]), key=row["last"].get, reverse=True)
    return (f"{waits}: {format_time(round(1e9 * row['waiting'][waits]))}",
            ", ".join(f"{rank}: {format_share(row['last'][rank], row['num_calls'])} %"
                      for rank in last[:2]))


def show_path(path, out, whole=False):
    """Print a CriticalPath."""
    _title(f"Critical path: {format_time(round(1e9 * path.seconds))}, "
           f"{many(len(path.pieces) - 1, 'change')} of rank", out)
    for heading, seconds in (("Rank", path.by_rank), ("Region", path.by_region or {})):
        rows = [*seconds.items()]
        if heading == "Region":
            rows.append(("(no region)", path.seconds - sum(seconds.values())))
            out.line()
        kept = rows if whole else rows[:_MOST]
        print_grid(out, (heading, "On the path", "% path"),
                   [(shown(str(what)), format_time(round(1e9 * value)), format_share(value, path.seconds))
                    for what, value in kept])
        if len(rows) > len(kept):
            out.note(f"… and {many(len(rows) - len(kept), 'row')} not shown: --all")
        if path.by_region is None:
            out.note("What was done on it is not known: not every call was kept.")
            break
    out.note("From the end of the run back, always on the rank that the others waited for in collective "
             "calls.")


def show_matrix(matrix, out, whole=False):
    """Print a CommunicationMatrix, the pairs with most bytes first."""
    pairs = sorted(zip(*matrix.messages.nonzero()),
                   key=lambda pair: (-matrix.bytes[pair], -matrix.messages[pair]))
    if not pairs and not matrix.unknown:
        return
    _title("Messages from rank to rank", out)
    kept = pairs if whole else pairs[:_MOST]
    print_grid(out, ("From", "To", "Messages", "Bytes"),
               [(str(one), str(other), format_count(int(matrix.messages[one, other])),
                 format_bytes(int(matrix.bytes[one, other]))) for one, other in kept])
    if len(pairs) > len(kept):
        out.note(f"… and {many(len(pairs) - len(kept), 'row')} not shown: --all")
    if matrix.unknown:
        out.note(f"Of {many(matrix.unknown, 'message')} size or partner is not known.")


def _title(text, out):
    out.line()
    out.title(text)
    out.line()
