"""What is watched of a function: errors, throttles, time, how often it is called, and how far it is behind."""

from __future__ import annotations

from collections.abc import Iterator

from components.function import ALIAS, ServerlessFunction
from components.watching import Alarm, Graph, Metric, Severity, Watched, rate_alarm
from settings import ObservabilitySettings, StreamSettings, wiring

CALLS_PERIOD, CALLS_PERIODS = 300, 2
"""Over how many seconds calls are counted, and how often in a row they must be too many."""


def function(
    of: ServerlessFunction,
    settings: ObservabilitySettings,
    reading: StreamSettings | None = None,
) -> Watched:
    """A function; `reading` is how it reads a stream, where it does."""
    one = _Function(of, settings)
    return Watched(
        name=of.logical_name,
        kind="function",
        alarms=[*one.always(), *one.capacity(), *(one.behind(reading) if reading else ())],
        graphs=one.graphs(),
    )


class _Function:
    def __init__(self, of: ServerlessFunction, settings: ObservabilitySettings) -> None:
        self._name, self._sizes, self._settings = of.logical_name, of.settings, settings
        self._physical_name = of.physical_name
        # A caller who waits for the answer notices at once; what works behind the scenes is tried again.
        waits = self._name in {*wiring.API_FUNCTIONS, wiring.AUTHORIZER} or of.url is not None
        self._severity: Severity = "page" if waits else "ticket"

    def always(self) -> Iterator[Alarm]:
        """What every function has."""
        s, name = self._settings, self._name
        yield rate_alarm(
            f"{name}-errors",
            f"the calls of {name} raise errors",
            runbook="function-errors",
            severity=self._severity,
            metrics={
                "errors": self._metric("Errors"),
                "invocations": self._metric("Invocations"),
            },
            part="errors",
            whole="invocations",
            least=s.minimum_invocations,
            percent=s.error_rate_percent,
            period=s.error_rate_period,
        )
        yield Alarm(
            name=f"{name}-throttles",
            says=f"{name} was throttled",
            runbook="function-throttles",
            severity=self._severity,
            metrics={"throttles": self._metric("Throttles")},
            threshold=s.throttle_threshold,
        )
        yield Alarm(
            name=f"{name}-duration",
            says=f"{name} takes {s.duration_threshold_percent} % of its {self._sizes.timeout} s timeout",
            runbook="function-duration",
            severity="ticket",
            metrics={"duration": self._metric("Duration", "p99")},
            threshold=self._slow,
        )
        yield self._called_too_often()

    def _called_too_often(self) -> Alarm:
        name = self._name
        return Alarm(
            name=f"{name}-invocations",
            says=f"{name} is called more than {self._most_calls} times in 5 minutes",
            runbook="function-invocations",
            severity="ticket",
            metrics={"invocations": self._metric("Invocations")},
            threshold=self._most_calls,
            comparison=">",
            period=CALLS_PERIOD,
            evaluation_periods=CALLS_PERIODS,
        )

    def capacity(self) -> Iterator[Alarm]:
        """What a function has that keeps some capacity for itself."""
        percent, reserved = (
            self._settings.concurrency_threshold_percent,
            self._sizes.reserved_concurrent_executions,
        )
        # 0 switches a function off, and 1 is all used by the first call: neither can be come close to.
        if reserved and reserved > 1:
            yield Alarm(
                name=f"{self._name}-concurrency",
                says=f"{self._name} uses {percent} % of the {reserved} executions that are reserved for it",
                runbook="function-concurrency",
                severity="ticket",
                metrics={"executions": self._metric("ConcurrentExecutions", "Maximum")},
                threshold=reserved * percent / 100,
            )
        if self._sizes.provisioned_concurrent_executions:
            alias = {"Resource": f"{self._physical_name}:{ALIAS}"}
            yield Alarm(
                name=f"{self._name}-spillover",
                says=f"{self._name} has more calls than provisioned environments",
                runbook="function-spillover",
                severity="ticket",
                metrics={
                    "spilled": self._metric("ProvisionedConcurrencySpilloverInvocations", **alias)
                },
                threshold=1,
            )

    def behind(self, reading: StreamSettings) -> Iterator[Alarm]:
        """What a function has that reads a stream."""
        # Half of the time in which a record is still tried: there is as much left to mend it.
        seconds = reading.maximum_record_age_in_seconds // 2
        yield Alarm(
            name=f"{self._name}-behind",
            says=f"{self._name} is {seconds} s behind its stream",
            runbook="stream-behind",
            severity="ticket",
            metrics={"age": self._metric("IteratorAge", "Maximum")},
            threshold=seconds * 1000,
        )

    def graphs(self) -> list[Graph]:
        """Calls, time and how many at once."""
        counted = ("Invocations", "Errors", "Throttles")
        return [
            Graph(title="Calls", lines=[(name, self._metric(name)) for name in counted]),
            Graph(
                title="Duration",
                lines=[(kind, self._metric("Duration", kind)) for kind in ("p50", "p99")],
                unit="ms",
                limit=self._slow,
            ),
            Graph(
                title="At once",
                lines=[("executions", self._metric("ConcurrentExecutions", "Maximum"))],
                limit=self._sizes.reserved_concurrent_executions,
            ),
        ]

    @property
    def _slow(self) -> float:
        # From the function's own timeout: a fixed number of milliseconds goes dead with the first change of it.
        return self._sizes.timeout * 1000 * self._settings.duration_threshold_percent / 100

    @property
    def _most_calls(self) -> int:
        s = self._settings
        return s.invocations_thresholds.get(self._name, s.invocations_threshold)

    def _metric(self, name: str, statistic: str = "Sum", **more: str) -> Metric:
        return Metric("AWS/Lambda", name, statistic, {"FunctionName": self._physical_name, **more})
