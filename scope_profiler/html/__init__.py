"""Results as an HTML report: one file that opens in any browser, without a network.

`page` writes it. What it shows comes from the objects that the printed tables come from, with the same
formatting, so the numbers agree. `report.html` is filled by jinja2, which escapes all text; the scripts
draw what depends on the size of the window, and make tables sortable.
"""
