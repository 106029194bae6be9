"""Write the tables of docs/cost.md: what each stack costs when nobody calls it, and what watching it costs under load.

`python -m tools.costs` runs each stack on mocks and counts what it registers; with `--check` it writes nothing and exits 1
when the file is out of date. Prices stand in `tools.prices`; what a request logs was measured in a sandbox.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policies import aws
from policies.model import Registered
from tests.support.program import ROOT, Run, run_stack
from tools import prices
from tools.prices import HOURS, Price
from tools.written import keep

FILE: Final = ROOT / "docs" / "cost.md"
STACKS: Final = ("dev", "staging", "prod")
MARKS: Final = re.compile(r"(<!-- (\w+): begin[^>]*-->\n).*?(<!-- \2: end -->)", re.DOTALL)

# Measured in a sandbox, by the test that keeps them true: bytes of log events, with the 26 that CloudWatch adds to each.
CHECK_BYTES: Final = 4_500
"""One run of health-checker, with the request of GET /health that it makes and that request's line in the access log."""
REQUEST_BYTES: Final = 1_500
"""One request that reads: its function's lines, Lambda's own, and the line in the access log."""
WRITE_BYTES: Final = 3_500
"""What a request that changes an item logs besides: its metric, and the two readers of the stream."""
HEALTH_METRICS: Final = 17
"""Metrics that health-checker writes."""
BUSINESS_METRICS: Final = 20
"""Metrics that the functions write when everything has happened once, `Healthy` left out."""

REST_METRICS: Final = 5
"""Count, 4XXError, 5XXError, Latency, IntegrationLatency of a REST route."""
OTHER_METRICS: Final = 6
"""The same of an HTTP API's route, with DataProcessed; a WebSocket's has six others."""

CANARY_GB_SECONDS: Final = 5
"""A run takes about five seconds with 1 GB. An estimate: it depends on the runtime."""
POLLS: Final = 650_000
"""Requests of an empty queue's event source mapping in a month: five pollers, each waiting up to 20 seconds."""
COMPRESSED: Final = 0.15
"""Size of kept logs against what came in. Source: CloudWatch pricing, archival."""
FREE_DASHBOARD_METRICS: Final = 50
WRITES: Final = 0.1
"""Share of the requests that change an item."""
LOADS: Final = (1_000_000, 50_000_000)
"""Requests of the REST API in a month."""


@dataclass(frozen=True)
class Line:
    """So many units at a price, in one stack."""

    what: str
    count: float
    price: Price
    note: str = ""

    @property
    def usd(self) -> float:
        """What it costs in a month at list price."""
        return self.count * self.price.usd


def alarm_metrics(alarm: Registered) -> int:
    """How many metrics an alarm is charged for: those that it reads, and three for each one in a learnt band."""
    queries: Sequence[Mapping[str, Any]] = alarm.get("metricQueries") or ()
    if not queries:
        return 1
    read = sum("metric" in query for query in queries)
    return (
        3 * read
        if any("ANOMALY_DETECTION_BAND" in str(q.get("expression")) for q in queries)
        else read
    )


def _metrics_of(dashboard: Registered) -> int:
    body = json.loads(str(dashboard.get("dashboardBody")))
    return sum(len(widget["properties"].get("metrics", ())) for widget in body["widgets"])


def route_metrics(run: Run) -> dict[str, int]:
    """Metrics by route that the APIs' detailed monitoring makes once a route is called, by kind of API."""
    detailed = any(s.get("settings.metricsEnabled") for s in run.all(aws.METHOD_SETTINGS))
    rest = json.loads(str(run.one(aws.REST_API, "api-rest").get("body")))
    verbs = {"get", "post", "put", "delete", "patch", "head"}
    routes = sum(len(verbs & methods.keys()) for methods in rest["paths"].values())
    others = len(run.all(aws.ROUTE))
    return {"rest": REST_METRICS * routes * detailed, "others": OTHER_METRICS * others}


def checks(run: Run) -> float:
    """How often health-checker runs in a month."""
    schedule = run.one(aws.SCHEDULE, "health-checker-schedule")
    return HOURS * 60 / _minutes(str(schedule.get("scheduleExpression")))


def _minutes(rate: str) -> int:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rate)
    if found is None:
        raise ValueError(f"{rate}: how often is that in a month?")
    return int(found[1]) * {"minute": 1, "hour": 60, "day": 1440}[found[2]]


def watching(run: Run) -> Iterator[Line]:
    """What watching a stack costs that nobody calls."""
    alarms = run.all(aws.ALARM)
    counted = sum(alarm_metrics(alarm) for alarm in alarms)
    yield Line("metrics that alarms read", counted, prices.ALARM, f"{len(alarms)} alarms, ")
    yield Line("composite alarms", len(run.all(aws.COMPOSITE)), prices.COMPOSITE)
    large = [d for d in run.all(aws.DASHBOARD) if _metrics_of(d) > FREE_DASHBOARD_METRICS]
    yield Line("dashboards of more than 50 metrics", len(large), prices.DASHBOARD)
    yield Line("metrics of health-checker", HEALTH_METRICS, prices.METRIC)
    yield Line(
        "metrics of the route GET /health",
        REST_METRICS * bool(route_metrics(run)["rest"]),
        prices.METRIC,
    )
    yield Line(
        "GB of logs: health-checker and its requests",
        checks(run) * CHECK_BYTES / 1e9,
        prices.INGESTED,
    )
    yield Line("traces of health-checker", checks(run), prices.TRACE)
    canaries = run.all(aws.CANARY)
    runs = sum(HOURS * 60 / _minutes(str(c.get("schedule.expression"))) for c in canaries)
    yield Line("runs of the canary", runs, prices.CANARY_RUN)
    yield Line("GB-seconds of the canary's function", runs * CANARY_GB_SECONDS, prices.GB_SECOND)


def standing(run: Run) -> Iterator[Line]:
    """What the rest of a stack costs that nobody calls."""
    yield Line("KMS keys", len(run.all(aws.KEY)), prices.KEY)
    yield Line("secrets", len(run.all(aws.SECRET)), prices.SECRET)
    shards = sum(int(s.get("shardCount") or 0) for s in run.all(aws.DATA_STREAM))
    yield Line("hours of shards of the telemetry stream", shards * HOURS, prices.SHARD)
    cached = [s for s in run.all(aws.REST_STAGE) if s.get("cacheClusterEnabled")]
    yield Line("hours of the REST API's cache", len(cached) * HOURS, prices.CACHE)
    acls = run.all(aws.WEB_ACL)
    yield Line("firewalls", len(acls), prices.ACL)
    yield Line(
        "rules of the firewall", sum(len(acl.get("rules") or ()) for acl in acls), prices.RULE
    )
    mappings = [
        m for m in run.all(aws.EVENT_SOURCE_MAPPING) if ":sqs:" in str(m.get("eventSourceArn"))
    ]
    yield Line("polling of the working queues", len(mappings) * POLLS, prices.POLL)


def load(run: Run, requests: int) -> Iterator[Line]:
    """What watching a stack costs more when it gets so many requests in a month, evenly."""
    detailed = route_metrics(run)
    yield Line("metrics of the business", BUSINESS_METRICS, prices.METRIC)
    yield Line(
        "metrics of the other routes",
        max(0, detailed["rest"] - REST_METRICS) + detailed["others"],
        prices.METRIC,
    )
    gigabytes = requests * (REQUEST_BYTES + WRITES * WRITE_BYTES) / 1e9
    yield Line("GB of logs", gigabytes, prices.INGESTED)
    kept = max(int(g.get("retentionInDays")) for g in run.all(aws.LOG_GROUP)) / 30.4
    yield Line("GB of logs kept", gigabytes * COMPRESSED * kept, prices.STORED)
    yield Line("traces", traced(run, requests), prices.TRACE)


def traced(run: Run, requests: int) -> float:
    """How many of these requests are traced: so many a second at once, and a share of the rest."""
    (rule,) = run.all(aws.SAMPLING_RULE)
    reservoir = min(float(requests), float(rule.get("reservoirSize")) * HOURS * 3600)
    return reservoir + (requests - reservoir) * float(rule.get("fixedRate"))


def _amount(count: float) -> str:
    if count >= 1_000_000:
        return f"{count / 1e6:.2f} million"
    return f"{count:,.0f}" if count >= 100 or count == int(count) else f"{count:.2f}"


def _table(columns: Mapping[str, Sequence[Line]], *, last: str = "sum") -> str:
    """One row for each thing, one column for each stack: how many, and USD a month."""
    rows = [f"| | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for row in zip(*columns.values(), strict=True):
        if not any(line.count for line in row):
            continue
        cells = (
            f"{line.note}{_amount(line.count)}: {line.usd:.2f}" if line.count else "none"
            for line in row
        )
        rows.append(f"| {row[0].what} | {' | '.join(cells)} |")
    sums = (f"**{sum(line.usd for line in lines):.2f}**" for lines in columns.values())
    rows.append(f"| **{last}, USD a month** | {' | '.join(sums)} |")
    return "\n".join(rows)


def _free(columns: Mapping[str, Sequence[Line]]) -> str:
    """What an account's free allowances take off, by stack, when nothing else uses them."""
    given = {line.price for lines in columns.values() for line in lines if line.price.free}
    cells = []
    for lines in columns.values():
        used = {p: sum(line.count for line in lines if line.price == p) for p in given}
        cells.append(f"{sum(min(used[p], p.free) * p.usd for p in given):.2f}")
    return f"| free in an account, at most | {' | '.join(f'-{cell}' for cell in cells)} |"


def _prices() -> str:
    rows = ["| | USD | free in an account, a month |", "|---|---|---|"]
    for price in prices.ALL:
        usd = f"{price.usd:.10f}".rstrip("0")
        usd = usd if len(usd.partition(".")[2]) > 1 else f"{price.usd:.2f}"
        free = _amount(price.free) if price.free else ""
        rows.append(f"| [{price.what}]({price.page}) | {usd} {price.unit} | {free} |")
    return "\n".join(rows)


def tables() -> dict[str, str]:
    """The generated parts of the document, by the name that their marks have."""
    runs = {stack: run_stack(stack) for stack in STACKS}
    seen = {stack: list(watching(run)) for stack, run in runs.items()}
    rest = {stack: list(standing(run)) for stack, run in runs.items()}
    both = {stack: [*seen[stack], *rest[stack]] for stack in runs}
    whole = (f"**{sum(line.usd for line in lines):.2f}**" for lines in both.values())
    loaded = {
        f"{stack}, {requests // 10**6} million": list(load(runs[stack], requests))
        for stack in ("dev", "prod")
        for requests in LOADS
    }
    together = f"| **both, USD a month** | {' | '.join(whole)} |"
    return {
        "watching": _table(seen),
        "standing": "\n".join([_table(rest), together, _free(both)]),
        "load": _table(loaded, last="more"),
        "prices": _prices(),
    }


def text() -> str:
    """The file's text, with its tables written anew."""
    written = tables()
    return MARKS.sub(lambda m: f"{m[1]}{written[m[2]]}\n{m[3]}", FILE.read_text(encoding="utf-8"))


def main(arguments: list[str] | None = None) -> int:
    """Write the file or, with `--check`, compare it; return the exit code."""
    documents = lambda: {FILE: text()}  # noqa: E731
    return keep(documents, "tools.costs", "Write the tables of docs/cost.md.", arguments, root=ROOT)


if __name__ == "__main__":
    sys.exit(main())
