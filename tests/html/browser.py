"""A real browser for tests of pages: headless Chromium, with what it logs and asks the network for."""

from contextlib import contextmanager
import json
import os
import shutil

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--allow-file-access-from-files")


def missing():
    """Why there is no browser; None where there is one."""
    if CHROMIUM is None or DRIVER is None:
        return "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
    try:
        import selenium.webdriver  # noqa: F401
    except ImportError:
        return "needs selenium"
    return None


needs_browser = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@contextmanager
def browser(folder, width=1280, height=900, dark=False):
    """A browser with an empty profile in the folder."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={folder}/chromium", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Selenium would look for drivers and report on its use.
    os.environ["SE_OFFLINE"], os.environ["SE_AVOID_STATS"] = "true", "true"
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    try:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        yield driver
    finally:
        driver.quit()


def open_page(driver, path):
    """Open a file, and wait until its scripts have run."""
    from selenium.webdriver.support.wait import WebDriverWait

    for log in ("browser", "performance"):  # of the page that was there before
        driver.get_log(log)
    driver.get(f"file://{os.path.abspath(path)}")
    WebDriverWait(driver, 60).until(
        lambda each: each.execute_script("return document.documentElement.dataset.ready") == "yes")


def complaints(driver):
    """What the console says, and what was asked of the network, but for the page itself."""
    found = [entry["message"] for entry in driver.get_log("browser") if entry["level"] != "DEBUG"]
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if not url.startswith(("data:", "blob:", "file:")) or url.startswith("file:") and (
                    message["params"].get("type") != "Document"):
                found.append(url[:200])
    return found
