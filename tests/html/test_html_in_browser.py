"""The HTML report in a real browser: what can be done with it, and that it is quiet."""

import os

from browser import browser, complaints, missing, needs_browser, open_page
from html_pages import NASTY, recorded, results_with
import pytest

import scope_profiler as sp
from scope_profiler._base import needs
from scope_profiler._base.shown import shown

pytestmark = needs_browser

if missing() is not None:
    print(f"tests of the HTML report in a browser are left out: {missing()}")


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    if not needs.is_there("jinja2") or not needs.is_there("plotly"):
        pytest.skip("needs jinja2 and plotly")
    with browser(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture
def page(driver):
    """Opens a page of results; afterwards nothing may have been complained of, or asked of a network."""
    def opened(results, **how):
        path = results.to_html("report.html", **how)
        open_page(driver, path)
        return driver

    yield opened
    assert complaints(driver) == []


def run(driver, script, *arguments):
    return driver.execute_script(script, *arguments)


def names(driver, table="flat"):
    """The regions of the rows that are shown."""
    return run(driver, """
        const run = document.querySelector(".run:not([hidden])");
        const rows = run.querySelectorAll(`.${arguments[0]} tbody tr:not([hidden]) .name`);
        return [...rows].map(e => e.textContent);
    """, table)


def click(driver, selector, at=0):
    run(driver, "document.querySelectorAll(arguments[0])[arguments[1]].click()", selector, at)


def type_in(driver, selector, text):
    from selenium.webdriver.common.by import By

    box = driver.find_element(By.CSS_SELECTOR, selector)
    box.clear()
    box.send_keys(text)
    return box


def wait_for(driver, script, *arguments):
    from selenium.webdriver.support.wait import WebDriverWait

    return WebDriverWait(driver, 30).until(lambda each: run(each, f"return {script}", *arguments))


def a_tree():
    return sp.load(recorded(program="""
for n in range(3):
    with sp.region("solve"):
        with sp.region("assemble"): pass
        for i in range(n):
            with sp.region("iterate"):
                with sp.region("norm"): pass
with sp.region("write"): pass
"""))


def test_tables_are_sorted(page):
    driver = page(a_tree())
    heads = run(driver, "return [...document.querySelectorAll('.flat thead button')].map(e => e.innerText)")
    assert heads[0] == "Region" and "Total" in heads
    click(driver, ".flat thead button", 0)
    assert names(driver) == sorted(names(driver)) == ["assemble", "iterate", "norm", "solve", "write"]
    click(driver, ".flat thead button", 0)
    assert names(driver) == ["write", "solve", "norm", "iterate", "assemble"]
    click(driver, ".flat thead button", 1)
    calls = run(driver, "return [...document.querySelectorAll('.flat tbody tr')]"
                        ".map(e => +e.cells[1].innerText)")
    assert calls == [3, 3, 3, 3, 1]
    assert run(driver, "return document.querySelectorAll('.flat th')[1].ariaSort") == "descending"
    click(driver, ".flat thead button", 1)
    assert names(driver)[0] == "write"


def test_regions_are_searched_for(page):
    driver = page(a_tree())
    type_in(driver, "#search", "NORM")
    wait_for(driver, "document.querySelector('#found').textContent === '1 of 5'")
    assert names(driver) == ["norm"]
    assert names(driver, "tree") == ["solve", "iterate", "norm"]  # and what it is inside of
    type_in(driver, "#search", "/^(write|norm)$/")
    wait_for(driver, "document.querySelector('#found').textContent === '2 of 5'")
    assert sorted(names(driver)) == ["norm", "write"]
    from selenium.webdriver.common.keys import Keys

    type_in(driver, "#search", "nothing").send_keys(Keys.ESCAPE)
    wait_for(driver, "document.querySelector('#found').textContent === ''")
    assert len(names(driver)) == len(names(driver, "tree")) == 5


def test_the_tree_opens_and_closes(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    driver = page(a_tree())
    click(driver, ".toggle", 0)
    assert names(driver, "tree") == ["solve", "write"]
    click(driver, ".expand")
    assert len(names(driver, "tree")) == 5
    click(driver, ".collapse")
    assert names(driver, "tree") == ["solve", "write"]
    toggle = driver.find_elements(By.CSS_SELECTOR, ".toggle")[0]
    toggle.send_keys(Keys.ARROW_RIGHT)
    assert names(driver, "tree")[:3] != ["solve", "write"] and "norm" not in names(driver, "tree")
    toggle.send_keys(Keys.ARROW_DOWN)
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert "norm" in names(driver, "tree")


def test_columns_are_chosen(page):
    driver = page(a_tree())
    shown_heads = "[...document.querySelectorAll('.flat thead th:not([hidden])')].map(e => e.dataset.column)"
    assert "p90" not in run(driver, f"return {shown_heads}")
    click(driver, "section[id^=regions] .columns input[data-column=p90]")
    assert "p90" in run(driver, f"return {shown_heads}")
    assert run(driver, "return [...document.querySelectorAll('.flat tr')].every(row => "
                       "[...row.cells].filter(c => !c.hidden).length === arguments[0])",
               len(run(driver, f"return {shown_heads}")))


def test_light_and_dark(page):
    driver = page(a_tree())
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert run(driver, "return document.querySelector('#theme').textContent") == "Theme: auto"
    light = run(driver, paper)
    click(driver, "#theme")
    assert run(driver, paper) == light
    click(driver, "#theme")
    dark = run(driver, paper)
    assert dark != light and run(driver, "return report.isDark()")
    driver.refresh()
    wait_for(driver, "document.documentElement.dataset.ready")
    assert run(driver, paper) == dark  # it is kept
    click(driver, "#theme")
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    assert run(driver, paper) == dark
    features[0]["value"] = "light"
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    assert run(driver, paper) == light


def test_names_are_text_whatever_they_are(page):
    driver = page(results_with(*NASTY), title=NASTY[0])
    assert sorted(names(driver)) == sorted(map(shown, NASTY)) == sorted(names(driver, "tree"))
    assert run(driver, "return document.querySelectorAll('img, script[src]').length") == 0
    widths = run(driver, "return [...document.querySelectorAll('.name')].map(e => e.offsetWidth)")
    assert max(widths) < 500
    assert run(driver, "return document.documentElement.scrollWidth <= innerWidth")


def test_runs_side_by_side(page):
    driver = page(a_tree(), others=[results_with("solve", "other")])
    assert "write" in names(driver)
    click(driver, ".runs button", 1)
    assert sorted(names(driver)) == ["other", "solve"]
    click(driver, ".runs button", 0)
    assert "write" in names(driver)


def test_it_fits_a_narrow_window(page):
    driver = page(a_tree())
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False})
    try:
        assert run(driver, "return document.documentElement.scrollWidth <= innerWidth")
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_everything_is_in_what_is_printed(page):
    driver = page(a_tree())
    pdf = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert len(pdf) > 10_000 and not os.path.exists("report.pdf")
