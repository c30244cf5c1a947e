"""The HTML report in a real browser: what can be done with it, and that it is quiet."""

import os

from browser import browser, complaints, missing, needs_browser, open_page
from conftest import Clock
from html_pages import NASTY, recorded, results_with
import pytest

import scope_profiler as sp
from scope_profiler import _core
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
    """Under the fake clock: what takes how long of the run does not depend on the machine."""
    clock = Clock()
    try:
        return sp.load(recorded(tick=clock.tick, program="""
for n in range(3):
    with sp.region("solve"):
        with sp.region("assemble"): tick(20_000)
        for i in range(n):
            with sp.region("iterate"):
                with sp.region("norm"): tick(10_000)
        tick(5_000)
with sp.region("write"): tick(30_000)
"""))
    finally:
        _core._fake_clock(None)


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


# ---- What is drawn


def drawing(driver, kind):
    """The range that is shown, once it is drawn."""
    wait_for(driver, "document.querySelector(arguments[0]).dataset.ready", f".{kind}")
    values = run(driver, "const {begin, end} = document.querySelector(arguments[0]).dataset;"
                         " return [begin, end]", f".{kind}")
    return [*map(float, values)]


def keys(driver, kind, *which):
    from selenium.webdriver.common.by import By

    box = driver.find_element(By.CSS_SELECTOR, f".{kind}")
    for key in which:
        box.send_keys(key)
    return drawing(driver, kind)


def chosen_text(driver, kind):
    return run(driver, "return document.querySelector(arguments[0]).closest('section')"
                       ".querySelector('.chosen-text').textContent", f".{kind}")


def test_the_timeline_is_zoomed_and_moved(page):
    from selenium.webdriver.common.keys import Keys

    driver = page(a_tree())
    whole = drawing(driver, "timeline")
    begin, end = keys(driver, "timeline", "+")
    assert abs((end - begin) - (whole[1] - whole[0]) / 2) < 2
    moved = keys(driver, "timeline", Keys.ARROW_RIGHT)
    assert moved[0] > begin and abs((moved[1] - moved[0]) - (end - begin)) < 2
    assert keys(driver, "timeline", "0") == whole
    click(driver, "section[id^=timeline] .zoom-in")
    assert drawing(driver, "timeline")[1] < whole[1]
    click(driver, "section[id^=timeline] .zoom-all")
    keys(driver, "timeline", Keys.SHIFT + Keys.ARROW_RIGHT)
    assert chosen_text(driver, "timeline").startswith("solve · ")
    zoomed = keys(driver, "timeline", Keys.ENTER)
    assert zoomed[1] - zoomed[0] < whole[1] - whole[0]
    assert keys(driver, "timeline", Keys.ESCAPE) == whole


def test_the_pointer_on_a_call(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    driver = page(a_tree())
    whole = drawing(driver, "timeline")
    box = driver.find_element(By.CSS_SELECTOR, ".timeline")
    run(driver, "arguments[0].scrollIntoView({block: 'center'})", box)
    ActionChains(driver).move_to_element_with_offset(box, 20 - box.size["width"] // 2,
                                                     52 - box.size["height"] // 2).perform()
    tip = wait_for(driver, "document.querySelector('.tip:not([hidden])')?.innerText")
    assert "solve" in tip and "after the begin" in tip
    ActionChains(driver).double_click().perform()
    zoomed = drawing(driver, "timeline")
    assert zoomed[1] - zoomed[0] < whole[1] - whole[0]


def test_the_flame_graph(page):
    from selenium.webdriver.common.keys import Keys

    driver = page(a_tree())
    whole = drawing(driver, "flame")
    keys(driver, "flame", Keys.ARROW_DOWN)
    assert chosen_text(driver, "flame").startswith("solve · ")
    keys(driver, "flame", Keys.ARROW_DOWN)
    inside = chosen_text(driver, "flame").split(" · ")[0]
    assert inside in ("assemble", "iterate")
    assert keys(driver, "flame", Keys.ENTER)[1] - whole[0] < whole[1] - whole[0] + 1
    keys(driver, "flame", Keys.ARROW_UP)
    assert chosen_text(driver, "flame").startswith("solve · ")
    assert keys(driver, "flame", Keys.ESCAPE) == whole
    click(driver, ".turn")
    assert run(driver, "return document.querySelector('.turn').ariaPressed") == "true"


def test_coarser_levels_lose_no_call(page):
    driver = page(a_tree())
    found = run(driver, """
        const n = 1000, line = (f) => Float64Array.from({length: n}, (_, at) => f(at));
        const level = {width: 0, offset: Uint32Array.of(0, 600, n), start: line(at => 10 * (at % 600)),
          end: line(at => 10 * (at % 600) + 3 + (at % 5)), calls: line(() => 1),
          busy: line(at => 3 + (at % 5)), region: Int32Array.from({length: n}, (_, at) => at % 5)};
        const coarse = report.timeline.coarser(level, 100);
        const sum = (column) => column.reduce((a, b) => a + b, 0);
        return [sum(coarse.calls), sum(coarse.busy) === sum(level.busy), coarse.start.length,
          [...new Set(coarse.region)], [...coarse.offset]];
    """)
    assert found == [1000, True, 100, [4], [0, 60, 100]]


def test_charts_are_drawn_when_they_come_into_sight(page):
    driver = page(sp.load(recorded(program="""
for n in range(9):
    with sp.metadata(step=n, kind='ab'[n % 2]), sp.region("solve"): pass
""")))
    run(driver, "document.querySelector('.charts').scrollIntoView()")
    wait_for(driver, "document.querySelector('.charts').dataset.drawn")
    assert run(driver, "return document.querySelectorAll('.charts .plot .main-svg').length") >= 2
    options = run(driver, "return [...document.querySelector('.choose-against').options]"
                          ".map(e => e.textContent)")
    assert options == ["time", "kind", "step"]
    for at in (1, 2):
        run(driver, "const box = document.querySelector('.choose-against'); box.value = arguments[0];"
                    "box.dispatchEvent(new Event('change'))", at - 1)
        title = "document.querySelectorAll('.charts .plot')[1].querySelector('.xtitle')?.textContent"
        wait_for(driver, f"{title} === arguments[0]", options[at])
    click(driver, "#theme")


def test_charts_of_ranks_and_nasty_names(page):
    driver = page(results_with(*NASTY), others=[results_with("solve")])
    for at in range(run(driver, "return document.querySelectorAll('.run:not([hidden]) .charts').length")):
        run(driver, "document.querySelectorAll('.charts')[arguments[0]].scrollIntoView()", at)
        wait_for(driver, "document.querySelectorAll('.charts')[arguments[0]].dataset.drawn", at)
    assert run(driver, "return document.querySelectorAll('img').length") == 0
    assert run(driver, "return document.documentElement.scrollWidth <= innerWidth")
    rows = run(driver, "return document.querySelectorAll('.comparison tbody tr').length")
    assert rows == len(NASTY) + 1


def test_counters_are_drawn(page):
    driver = page(sp.load(recorded(program="""
for n in range(30):
    sp.counter("residual </script>", 0.5 ** n), sp.counter("length", n % 3)
with sp.region("r"): pass
""")))
    run(driver, "document.querySelector('[id^=counters]').scrollIntoView()")
    wait_for(driver, "document.querySelector('[id^=counters]').dataset.drawn")
    plots = "[...document.querySelectorAll('[id^=counters] .plot')]"
    curves = "each.querySelectorAll('.scatter .js-line').length"
    assert run(driver, f"return {plots}.map(each => {curves})") == [1, 1]
    types = f"return {plots}.map(each => each._fullLayout.yaxis.type)"
    assert run(driver, types) == ["linear", "linear"]
    click(driver, ".logarithmic")
    assert run(driver, types) == ["log", "log"]
    click(driver, "#theme")
