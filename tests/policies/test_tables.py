"""Tables that rules keep for themselves, since they judge plain data, say what settings say."""

from __future__ import annotations

from policies import runtimes, urls
from settings import wiring
from settings.runtimes import ALL_SUPPORTED


def test_runtimes_that_rules_know_are_those_that_settings_take() -> None:
    assert set(ALL_SUPPORTED) == runtimes.KNOWN


def test_every_runtime_has_one_family() -> None:
    assert all(runtimes.family(runtime) for runtime in ALL_SUPPORTED)
    assert runtimes.family("python3.9") == ""
    assert runtimes.family(None) == ""


def test_snapshots_are_for_runtimes_that_there_are() -> None:
    assert runtimes.SNAP_START < runtimes.KNOWN


def test_urls_that_rules_let_anybody_call_are_those_of_the_wiring() -> None:
    assert set(urls.PUBLIC) == set(wiring.PUBLIC_URLS)
    assert all(len(reason.split()) > 3 for reason in urls.PUBLIC.values())
