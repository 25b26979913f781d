"""A real browser for what only one can show."""

import os
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service


def browser() -> webdriver.Chrome:
    """Chromium without a window; skipped only where there is none, and never in CI."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (program and driver) and not os.environ.get("CCSYNC_TESTS_NEED_BROWSER"):
        pytest.skip("no chromium and chromedriver here (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = program or "chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=Service(driver or "chromedriver"))
