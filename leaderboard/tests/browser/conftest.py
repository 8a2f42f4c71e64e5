"""A real Chromium that opens sites from disk."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""Of the program, as systems call it."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser, or a skip that says what is missing."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on the path: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Complaints(list[str]):
    """What the console said that is no information, what scripts threw, and boxes that came up."""

    def watch(self, page: Any) -> None:
        """Listen to a page."""
        page.on("pageerror", lambda error: self.append(f"error: {error}"))
        page.on("dialog", lambda box: (self.append(f"{box.type}: {box.message}"), box.dismiss()))
        page.on("console", lambda said: said.type in ("error", "warning") and self.append(f"{said.type}: {said.text}"))


@pytest.fixture
def opened(chromium: Any) -> Callable[..., Any]:
    """`with opened(address, …) as page`: a page in a context of its own, which must end without a complaint.

    Those that hold `allowed` are expected, and with them that a file is missing.
    """

    @contextmanager
    def use(address: str, width: int = 1440, allowed: str = "", **options: Any) -> Iterator[Any]:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        complaints, page = Complaints(), context.new_page()
        complaints.watch(page)
        page.goto(address)
        yield page
        context.close()
        expected = (allowed, "ERR_FILE_NOT_FOUND") if allowed else ()
        assert [one for one in complaints if not any(words in one for words in expected)] == []

    return use


@pytest.fixture(scope="session")
def sort_by() -> Callable[..., None]:
    """Does `act` (a click, if not told) on a column's head, and waits until the table, which sorts later, is drawn."""

    def sort(head: Any, act: Callable[[], Any] | None = None) -> None:
        node, order = head.element_handle(), "head => head.className + head.ariaSort"
        before = node.evaluate(order)
        (act or head.click)()
        head.page.wait_for_function(f"([head, before]) => ({order})(head) !== before", arg=[node, before])

    return sort


@pytest.fixture(scope="session")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Mapping[str, bytes]], str]:
    """Writes a site below a folder of this name; the address of the folder."""
    written: dict[str, Path] = {}

    def write(name: str, files: Mapping[str, bytes]) -> str:
        if name not in written:
            written[name] = tmp_path_factory.mktemp(name)
            for path, content in files.items():
                file = written[name] / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        return written[name].as_uri()

    return write
