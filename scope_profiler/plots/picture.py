"""`Picture`: a figure of matplotlib, its panels, and where it goes. pyplot is used to show it alone, so
drawing leaves what the program does with matplotlib as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import io
import os
from typing import Any
import warnings

import numpy as np

from .._base.arguments import boolean, path as checked_path, text
from .._base.needs import explained
from .._base.shown import shortened, shown
from ..results.chart_data import ChartData
from .plot_data import check_format, write_data

#: Formats of pictures, by the end of the name.
PICTURES = (".png", ".svg", ".pdf")

_STYLE: Any = {
    "font.size": 9, "axes.titlesize": 10, "axes.labelsize": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "axes.grid": False, "grid.color": "#e3e3e3",
    "text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "scope-profiler",
    "figure.facecolor": "white", "savefig.facecolor": "white",
}  # fmt: skip
#: More rows than these are not told apart in a picture; the rest is left out, and that is said.
ROWS = 40
LEGEND = 20
#: Of regions that are in no legend.
OTHERS = "#b8b8b8"
_SYSTEM_TEXT = "#555555"

Draw = Callable[["Picture"], Any]


def check_output(filepath: Any, data_filepath: Any, data_format: Any, backend: Any) -> None:
    """Raises TypeError or ValueError, before anything is read or drawn."""
    if backend != "matplotlib":
        text("backend", backend)
        raise ValueError(f"backend must be 'matplotlib'; got {backend!r}: charts for a browser are in "
                         "the page that `scope-profiler report` makes")
    if filepath is not None:
        end = os.path.splitext(os.fspath(checked_path("filepath", filepath)))[1].lower()
        if end not in PICTURES:
            raise ValueError(f"filepath must end in {', '.join(PICTURES)}; got {os.fspath(filepath)!r}")
    check_format(data_filepath, data_format)


def finished(
    data: ChartData, draw: Draw, filepath: Any, show: bool, verbose: bool, data_filepath: Any,
    data_format: str, return_fig: bool, regions: Sequence[str] = (), cmap: str = "tab20",
) -> Any:
    """What a `plot_...` function does when its numbers are there: writes, shows, returns.

    Returns (figure, axes) if asked for; else None.
    """
    show, verbose = boolean("show", show), boolean("verbose", verbose)
    if data_filepath is not None:
        write_data(data, data_filepath, data_format)
        _say(verbose, data_filepath)
    if filepath is None and not show and not boolean("return_fig", return_fig):
        return None
    with explained():
        import matplotlib
    with matplotlib.rc_context(_STYLE):
        picture = Picture(cmap, regions, show)
        axes = draw(picture)
        if filepath is not None:
            picture.save(filepath)
            _say(verbose, filepath)
        if show:
            from matplotlib import pyplot

            pyplot.show()
    return (picture.figure, axes) if return_fig else None


def _say(verbose: bool, path: Any) -> None:
    if verbose:
        print(f"Wrote {shown(os.fspath(path))}")


class Picture:
    """A figure, and a colour for each region."""

    def __init__(self, cmap: str, regions: Sequence[str], show: bool) -> None:
        if show:
            from matplotlib import pyplot

            self.figure = pyplot.figure(layout="constrained")
        else:
            from matplotlib.figure import Figure

            self.figure = Figure(layout="constrained")
        self.cmap = colors_of(cmap)
        self.color = dict(zip(regions, self.colors(len(regions))))

    def colors(self, number: int) -> list[Any]:
        """So many colours, the same ones again where there are not as many."""
        listed = getattr(self.cmap, "colors", None)
        if listed is not None and len(listed) <= 24:
            # The darker one of each pair first: pairs are hard to tell apart.
            order = [*listed[::2], *listed[1::2]] if len(listed) == 20 else [*listed]
            return [order[index % len(order)] for index in range(number)]
        # Neighbours far apart: by the golden ratio.
        return [self.cmap(0.12 + 0.78 * (index * 0.618034 % 1)) for index in range(number)]

    def panels(
        self, number: int, heights: Sequence[float] | float, width: float = 10.0, sharex: bool = False,
        margin: float = 0.9,
    ) -> list[Any]:
        """Panels below each other, as high as this many inches, and a margin for each."""
        each = [heights] * number if isinstance(heights, (int, float)) else list(heights)
        self.figure.set_size_inches(width, min(sum(each) + margin * number, 60.0))
        axes = self.figure.subplots(number, 1, squeeze=False, sharex=sharex, height_ratios=each)[:, 0]
        return list(axes)

    def legend(self, axes: Any, names: Sequence[str], what: str = "regions") -> None:
        """The colours of these regions, beside the panel: those named first, as many as can be read."""
        from matplotlib.patches import Patch

        listed = [*names] if len(names) <= LEGEND else names[: LEGEND - 1]
        handles = [Patch(color=self.color[name], label=short(name)) for name in listed]
        if len(listed) < len(names):
            handles.append(Patch(color="none", label=f"… {len(names) - len(listed)} more {what}"))
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.005, 1.0), frameon=False,
                    borderaxespad=0.0, handlelength=1.0, fontsize=8)

    def note(self, text: str) -> None:
        """Something that the picture does not show."""
        if text:
            self.figure.supxlabel(text, fontsize=8, color=_SYSTEM_TEXT, x=0.995, ha="right")

    def save(self, path: Any) -> None:
        """Write the file, whole or not at all."""
        from ..io.safe_file import written

        end = os.path.splitext(os.fspath(path))[1].lower()[1:]
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(end)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
            picture = io.BytesIO()
            self.figure.savefig(picture, format=end, dpi=150, metadata=metadata)
        with written(path) as file:
            file.write(picture.getvalue())


def colors_of(cmap: str) -> Any:
    """The colormap of that name. Raises ValueError when there is none."""
    import matplotlib

    name = text("cmap", cmap)
    if name not in matplotlib.colormaps:
        raise ValueError(f"cmap must be the name of a colormap of matplotlib, such as tab20 or viridis; "
                         f"got {cmap!r}")
    return matplotlib.colormaps[name]


def short(name: str, width: int = 36) -> str:
    """A name that came from data, as a picture has it."""
    return shortened(shown(name), width)


_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def unit_of(longest: float) -> tuple[float, str]:
    """The unit in which such a time is a number from 1 on, in seconds, and its name."""
    return next(((size, name) for size, name in _UNITS if longest >= size), _UNITS[-1])


def duration_text(seconds: float) -> str:
    """A duration in three digits."""
    size, name = unit_of(seconds)
    return f"{seconds / size:.3g} {name}"


def most_important(
    data: ChartData, value: str, limit: int = ROWS, column: str = "region"
) -> tuple[list[str], int]:
    """The names in a column in their order, without those with the least value where there are more
    than the limit; and how many were left out."""
    names = list(dict.fromkeys(data[column]))
    if len(names) <= limit:
        return names, 0
    place = {name: at for at, name in enumerate(names)}
    most = np.zeros(len(names))
    np.maximum.at(most, [place[name] for name in data[column]], np.asarray(data[value], float))
    kept = set(np.argsort(-most, kind="stable")[:limit].tolist())
    return [name for at, name in enumerate(names) if at in kept], len(names) - limit


def left_out(number: int, of: int, what: str = "regions", how: str = "choose by include") -> str:
    """What is said below a picture that does not have them all."""
    return f"{of - number:,} of {of:,} {what}, those with the most time; {how}" if number else ""


def titled(axes: Any, title: str, label: str, runs: int = 1) -> None:
    """A title to the left, and the run that it is of."""
    axes.set_title(f"{title} – {short(label, 60)}" if label else title, loc="left")


def _scale(axis: Any, scale: str, **settings: Any) -> None:
    axes = axis.axes
    (axes.set_yscale if axis.axis_name == "y" else axes.set_xscale)(scale, **settings)


def counts_logarithmic(axis: Any) -> None:
    """A logarithmic scale of numbers from 0 on, written without powers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    _scale(axis, "symlog", linthresh=1)
    axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def numbers_logarithmic(axis: Any) -> None:
    """A logarithmic scale over whole powers of ten, written without powers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    _scale(axis, "log")
    low, high = axis.get_view_interval()
    ends = 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high))
    (axis.axes.set_ylim if axis.axis_name == "y" else axis.axes.set_xlim)(*ends)
    axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:.10g}"))
    axis.set_minor_formatter(NullFormatter())


def durations_logarithmic(axis: Any, size: float) -> None:
    """A logarithmic scale of durations, each with its unit. size: of the unit of the numbers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    _scale(axis, "log")
    axis.set_major_formatter(FuncFormatter(lambda value, place: duration_text(value * size)))
    axis.set_minor_formatter(NullFormatter())


def labels_in(data: ChartData) -> list[str]:
    """The runs, in their order."""
    return list(dict.fromkeys(data["file"]))


def region_order(data: ChartData) -> list[str]:
    """The regions, in their order."""
    return list(dict.fromkeys(data["region"]))


