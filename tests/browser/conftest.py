"""The system's Chromium, offline. Without it these tests fail: a dashboard that no browser has opened is unproved."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, ViewportSize, sync_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZE = ViewportSize(width=1400, height=1000)

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A running Chromium."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium on PATH: install it (Debian: apt-get install chromium)", pytrace=False)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def open_file(browser: Browser) -> Iterator[Open]:
    """Opens a file from disk, offline. After the test: no request left the disk or failed, no error was raised."""
    context = browser.new_context(offline=True, viewport=SIZE)
    troubles: list[str] = []
    page = context.new_page()

    def dismissed(dialog: Dialog) -> None:
        troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url[:200]}"))
    page.on("pageerror", lambda error: troubles.append(f"page error: {error}"))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else troubles.append(r.url))
    page.on("dialog", dismissed)

    def open_one(path: Path, *, dark: bool = False) -> Page:
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.goto(path.as_uri())
        return page

    yield open_one
    context.close()
    assert not troubles
