"""The page of a stack's dashboards: who gets it, what it shows of the emulator, and what it links to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import sandbox
from sandbox import dashboard, reference
from sandbox.box import Box
from sandbox.emulator import HOST
from sandbox.web import Answer
from tests.sandbox.cli_support import HEAD, Project
from tests.support import browser

SVG = "{http://www.w3.org/2000/svg}"
PROGRAM = (
    HEAD
    + """
import json
ring = Resource("aws:cloudwatch/metricAlarm:MetricAlarm", "ring", name="shop-dev-orders-late", namespace="Shop",
                metricName="Late", statistic="Sum", dimensions={"Shop": "one"}, period=60, evaluationPeriods=1,
                threshold=1, comparisonOperator="GreaterThanOrEqualToThreshold", treatMissingData="ignore",
                alarmDescription="Orders are late. Runbook: docs/runbooks/orders-late.md")
def body(arn):
    metric = lambda name, stat: ["Shop", name, "Shop", "one", {"label": name, "stat": stat}]
    return json.dumps({"widgets": [
        {"type": "text", "x": 0, "y": 0, "width": 24, "height": 1, "properties": {"markdown": "# shop-dev"}},
        {"type": "alarm", "x": 0, "y": 1, "width": 24, "height": 3, "properties": {"title": "Page", "alarms": [arn]}},
        {"type": "metric", "x": 0, "y": 4, "width": 12, "height": 5, "properties": {
            "title": "Orders", "annotations": {"horizontal": [{"label": "alarm", "value": 90000}]}, "metrics": [metric("Orders", "Sum"), metric("Took", "p50")]}},
    ]})
Resource("aws:cloudwatch/dashboard:Dashboard", "board", dashboardName="shop-dev", dashboardBody=ring.arn.apply(body))
Resource("aws:cloudwatch/dashboard:Dashboard", "more", dashboardName="shop-dev<more>", dashboardBody='{"widgets": []}')
"""
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A stack with an alarm, a runbook and two dashboards."""
    project = Project(tmp_path_factory.mktemp("dashboard") / "shop", PROGRAM)
    runbooks = project.root / dashboard.RUNBOOKS
    runbooks.mkdir(parents=True)
    (runbooks / "orders-late.md").write_text("# Orders are late\n", encoding="utf-8")
    (project.root / "docs" / "secret.md").write_text("not a runbook", encoding="utf-8")
    with sandbox.running(root=project.root, strict=False) as box:
        yield box


@pytest.fixture(scope="module")
def measured(shop: Box) -> Box:
    """The same, after something happened."""
    dimensions = [{"Name": "Shop", "Value": "one"}]
    values = {"Orders": [1, 2], "Took": [100, 250, 900]}
    shop.client("cloudwatch").put_metric_data(
        Namespace="Shop",
        MetricData=[
            {"MetricName": name, "Dimensions": dimensions, "Values": of}
            for name, of in values.items()
        ],
    )
    return shop


def get(box: Box, name: str = "", **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return box.http.get(f"{box.endpoint}{dashboard.PATH}{name}", headers=named)


def picture(box: Box, query: str = "") -> ET.Element:
    answer = get(box, f"picture.svg{query}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/svg+xml"), answer.text
    return ET.fromstring(answer.text)  # noqa: S314


def texts(box: Box, query: str = "") -> list[str]:
    return [one.text or "" for one in picture(box, query).iter(f"{SVG}text")]


def test_picture_shows_what_was_measured(measured: Box) -> None:
    said = texts(measured)
    assert {"shop-dev", "Orders 3", "Took 250", "15 minutes ago", "alarm 90k \u2191"} <= set(said)
    assert "no data" not in said


@pytest.mark.parametrize(("minutes", "points"), [(15, 15), (60, 60), (180, 36)])
def test_point_is_a_minute_or_five(shop: Box, minutes: int, points: int) -> None:
    from sandbox.dashboard.live import Live
    from sandbox.dashboard.reading import Line

    site = reference.Site(Path(), Path(), shop.endpoint, shop.region)
    values = Live(site, minutes=minutes).values(Line("x", "Shop", "Nothing", "p50"))
    assert list(values) == [None] * points
    assert f"{minutes} minutes ago" in texts(shop, f"?minutes={minutes}")


def test_window_that_is_none_of_the_pages_is_the_usual_one(shop: Box) -> None:
    assert "15 minutes ago" in texts(shop, "?minutes=999999999")


def test_alarm_stands_on_top_with_its_state_and_its_runbook(measured: Box) -> None:
    client = measured.client("cloudwatch")
    client.set_alarm_state(
        AlarmName="shop-dev-orders-late", StateValue="ALARM", StateReason="two are late"
    )
    drawn = picture(measured)
    assert [one.text for one in drawn.iter(f"{SVG}text")][1:4] == [
        "Page",
        "1 in alarm",
        "orders-late",
    ]
    (link,) = drawn.iter(f"{SVG}a")
    assert link.findtext(f".//{SVG}title") == "orders-late: ALARM: two are late"
    answer = get(measured, str(link.get("href")))
    assert (answer.status, answer.text) == (200, "# Orders are late\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "name", ["runbooks/none", "runbooks/../secret", "runbooks/..%2Fsecret", "runbooks/", "other"]
)
def test_nothing_else_is_read(shop: Box, name: str) -> None:
    answer = get(shop, name)
    assert answer.status == 404
    assert "not a runbook" not in answer.text


def test_page_leads_to_all_windows_and_to_the_other_dashboard(shop: Box) -> None:
    page = get(shop, "?name=shop-dev&minutes=60")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(\?[^"]*)"', page.text)]
    assert links == [
        "?name=shop-dev&minutes=15",
        "?name=shop-dev&minutes=180",
        "?name=shop-dev%3Cmore%3E&minutes=60",
    ]
    assert "<b>60 minutes</b>" in page.text
    assert "shop-dev&lt;more&gt;" in page.text
    other = get(shop, links[-1]).text
    assert "<title>shop-dev&lt;more&gt;</title>" in other
    assert "<b>shop-dev&lt;more&gt;</b>" in other
    assert "<more>" not in page.text + other
    assert get(shop, "?name=none&minutes=60").text == page.text
    assert [get(shop, link).status for link in links] == [200] * 3
    assert "//" not in page.text.replace("http://www.w3.org", "")


def test_page_loads_nothing_from_elsewhere(shop: Box) -> None:
    for name in ("", "page.js", "picture.svg"):
        policy = get(shop, name).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy


@pytest.mark.parametrize("name", ["", "picture.svg", "runbooks/orders-late"])
def test_page_is_for_this_machine_and_only_read(shop: Box, name: str) -> None:
    told = get(shop, name, Host="evil.example")
    assert (told.status, told.text) == (403, "The dashboard is for this machine only.\n")
    assert get(shop, name, Sec_Fetch_Site="cross-site").status == 403
    assert shop.http.request("POST", f"{shop.endpoint}{dashboard.PATH}{name}").status == 405


def test_address_without_its_last_slash_leads_to_the_page(shop: Box) -> None:
    code, headers, _ = dashboard.answer(
        dashboard.PATH.rstrip("/"), "GET", {"host": "127.0.0.1:1"}, {}, _environment(shop)
    )
    assert (code, headers["Location"]) == (308, dashboard.PATH)


def test_sandbox_of_no_program_has_no_dashboard() -> None:
    code, _, said = dashboard.answer(dashboard.PATH, "GET", {"host": "127.0.0.1:1"}, {}, {})
    assert (code, said) == (404, b"This sandbox has no dashboard.\n")


def test_body_that_is_none_is_told(shop: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.dashboard.live import Live

    def broken(_live: Live, _name: str) -> str:
        raise ValueError("not the body of a dashboard")

    monkeypatch.setattr(Live, "picture", broken)
    path, headers = f"{dashboard.PATH}picture.svg", {"host": "127.0.0.1:1"}
    code, _, said = dashboard.answer(
        path, "GET", headers, {"name": ["shop-dev"]}, _environment(shop)
    )
    assert (code, said) == (500, b"shop-dev: not the body of a dashboard\n")


def test_stack_without_a_dashboard_says_so(shop: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.dashboard.live import Live

    def none(_live: Live) -> list[str]:
        return []

    monkeypatch.setattr(Live, "names", none)
    headers = {"host": "127.0.0.1:1"}
    code, _, said = dashboard.answer(dashboard.PATH, "GET", headers, {}, _environment(shop))
    assert (code, said) == (404, b"The stack has no dashboard (yet).\n")


def test_only_dashboard_has_no_link(shop: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.dashboard.live import Live

    def one(_live: Live) -> list[str]:
        return ["shop-dev"]

    monkeypatch.setattr(Live, "names", one)
    headers = {"host": "127.0.0.1:1"}
    _, _, page = dashboard.answer(dashboard.PATH, "GET", headers, {}, _environment(shop))
    assert b"180 minutes" in page
    assert b"<b>shop-dev" not in page


def _environment(box: Box) -> dict[str, str]:
    return {
        reference.ROOT_VARIABLE: "/",
        reference.STATE_VARIABLE: "/state.json",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": box.endpoint.rpartition(":")[2],
        "MINISTACK_REGION": box.region,
    }


@pytest.mark.skipif(browser.program() is None, reason="needs Chromium")
def test_page_refreshes_itself_in_a_browser(measured: Box) -> None:
    client = measured.client("cloudwatch")
    with browser.page(str(browser.program())) as page:
        page.open(f"{measured.endpoint}{dashboard.PATH}?name=shop-dev")
        page.until("document.querySelector('svg .line')")
        assert page.evaluate("document.title") == "shop-dev"
        for state, colour in (("ALARM", "ringing"), ("OK", "tile")):
            client.set_alarm_state(
                AlarmName="shop-dev-orders-late", StateValue=state, StateReason="it is said"
            )
            # As a reader who comes back to the page, who is not kept waiting for the next look.
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            page.until(f"document.querySelector('svg a rect.{colour}')")
        assert page.complaints == []
        assert {url.split("/")[2] for url in page.requests if not url.startswith("data:")} == {
            measured.endpoint.split("/")[2]
        }
