"""What tests of the report share: files of results, and what a page shows."""

from html.parser import HTMLParser

from results_support import region

import scope_profiler as sp
from scope_profiler.results import MPIRegion, ProfilingResults

#: Names that a page has to show as text.
NASTY = ("</script><img src=x onerror=alert(1)>", "שלום עולם", "long " * 2000, "{{ 7 * 7 }}",
         "a\x1b[31m\u202eb",
         "<!--", "'\"&amp;", "\ud800")


class Page(HTMLParser):
    """The tables of a page, each a list of rows of texts, by class; and its elements."""

    def __init__(self, path):
        super().__init__()
        self.tables, self.tags, self.text = {}, [], path.read_text(encoding="utf-8")
        self._cell = self._rows = None
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self._rows = []
            self.tables.setdefault(dict(attrs).get("class"), []).append(self._rows)
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in ("td", "th") and self._rows is not None:
            self._cell = []

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self._cell is not None:
            self._rows[-1].append("".join(self._cell).strip())
            self._cell = None
        elif tag == "table":
            self._rows = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell.append(data)

    def column(self, name, table="regions flat"):
        """{region: the text of that column}"""
        heads, *rows = self.tables[table][0]
        place = heads.index(name)
        return {row[0]: row[place] for row in rows}


def results_with(*names):
    """Results of regions with these names, on two ranks, each inside the one before."""
    regions = {}
    for number, name in enumerate(names):
        calls = [(100 * number + 10**6 * turn, 10**6 * (turn + 1) - 100 * number)
                 for turn in range(3)]
        regions[name] = MPIRegion(name, {0: region(*calls), 1: region(*calls[:2])})
    facts = {"start_time_ns": 0, "finalize_time_ns": 4 * 10**6, "label": names[0]}
    return ProfilingResults(regions, facts)


NESTED = """
with sp.region('outer'):
    with sp.region('inner'): pass
"""


def recorded(path="run.json", program=NESTED, **names):
    """A file of a run that was recorded here, of a program as text. names: what it has besides sp."""
    manager = sp.ProfileManager()
    manager.setup(file_path=str(path), verbose=False, label="recorded")

    class Names:
        region = staticmethod(manager.profile_region)
        metadata = staticmethod(manager.metadata)
        counter = staticmethod(manager.counter)

    exec(program, {"sp": Names, **names})
    manager.finalize()
    return path
