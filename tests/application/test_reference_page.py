"""The page on which people read openapi.json and try its operations, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.box import Box
from tests.support import browser
from tests.support.browser import Page
from tests.support.program import ROOT

CHROMIUM = browser.program()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

BLOCK = "document.querySelector('.opblock-{method} [data-path=\"{path}\"]').closest('.opblock')"


@pytest.fixture(scope="module")
def opened(box: Box) -> Iterator[Page]:
    """The page, as soon as it shows an operation."""
    assert CHROMIUM is not None
    with browser.page(CHROMIUM) as page:
        page.open(f"{box.endpoint}/_sandbox/reference/")
        page.until("document.querySelector('.opblock')")
        yield page


@pytest.fixture(autouse=True)
def _page_stays_at_home(opened: Page) -> Iterator[None]:
    """No test may make the page complain, or ask for anything that is not on this machine."""
    yield
    opened.evaluate("0")  # events arrive in order: after this answer all earlier ones are known
    assert opened.complaints == []
    hosts = {urlsplit(url).hostname for url in opened.requests if not url.startswith("data:")}
    assert hosts == {"127.0.0.1"}


def test_page_shows_every_operation(opened: Page) -> None:
    document = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    described = {(m.upper(), p) for p, operations in document["paths"].items() for m in operations}
    found = opened.evaluate(
        "[...document.querySelectorAll('.opblock')].map(block => ["
        "block.querySelector('.opblock-summary-method').textContent,"
        "block.querySelector('.opblock-summary-path').dataset.path])"
    )
    assert {(method, path) for method, path in found} == described
    assert opened.evaluate("document.title") == document["info"]["title"]


@pytest.mark.parametrize(
    ("path", "member"), [("/health", "status"), ("/items", "items")], ids=["health", "items"]
)
def test_an_operation_can_be_tried_out(box: Box, opened: Page, path: str, member: str) -> None:
    block = BLOCK.format(method="get", path=path)
    opened.evaluate(f"{block}.querySelector('.opblock-summary-control').click()")
    opened.until(f"{block}.querySelector('.try-out__btn')")
    opened.evaluate(f"{block}.querySelector('.try-out__btn').click()")
    opened.until(f"{block}.querySelector('.execute')")
    opened.evaluate(f"{block}.querySelector('.execute').click()")
    answer = f"{block}.querySelector('.live-responses-table')"
    opened.until(answer)
    assert (
        opened.evaluate(f"{answer}.querySelector('tbody .response-col_status').textContent")
        == "200"
    )
    shown: dict[str, Any] = json.loads(
        opened.evaluate(f"{answer}.querySelector('tbody .highlight-code code').textContent")
    )
    assert member in shown
    assert f"{box.outputs['apiUrl']}{path}" in opened.requests
