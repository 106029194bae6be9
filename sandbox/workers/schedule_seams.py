"""EventBridge Scheduler: when a schedule fires, in which role, and what becomes of a start that fails.

MiniStack reads every expression as UTC, starts a function once for anybody, and drops a failure. Sources: EventBridge
Scheduler user guide, "Schedule types" (an expression is read in the schedule's time zone), "Adding context attributes",
"Configuring a dead-letter queue" (its attributes), "Cross-service confused deputy prevention" (the source is the group).
"""

import json
import logging
import time
import uuid
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from types import ModuleType
from typing import Any, Final

from sandbox.workers import deliveries, rights
from sandbox.workers.deliveries import Undeliverable
from sandbox.workers.seams import Seam

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]
_SERVICE: Final = "scheduler.amazonaws.com"
_DENIED: Final = "AccessDeniedException"


def seams() -> list[Seam]:
    """Return the seam of schedules."""
    return [
        Seam(
            "ministack.services.scheduler",
            "_tick_schedules",
            (),
            "schedules fire by UTC, in no role, and a failing start is dropped",
            _ticking,
            needs=("_schedules", "_schedule_last_fired", "_to_epoch", "_at_time_epoch"),
        )
    ]


def _ticking(module: ModuleType, _original: Callable[[], None]) -> Callable[[], None]:
    clock = _Clock(module)

    def tick() -> None:
        from ministack.core.responses import request_scope

        now = time.time()
        for key, schedule in list(module._schedules._data.items()):
            if schedule.get("State") != "ENABLED":
                continue
            with request_scope(key[0], key[1]):
                fires = clock.is_due(key, schedule, now)
                if fires:
                    fire(schedule, now)
                if clock.is_over(schedule, now, fired=fires):
                    module._schedules._data.pop(key, None)
                    module._schedule_last_fired.pop(key, None)

    return tick


class _Clock:
    """When schedules fire; the next moment of a cron expression is looked for once."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._next: dict[Any, tuple[Any, float | None]] = {}

    def is_due(self, key: Any, schedule: Record, now: float) -> bool:
        """Whether a schedule fires now; if so, this counts as its last time."""
        begin = self._module._to_epoch(schedule.get("StartDate"))
        if self._ended(schedule, now) or (begin is not None and now < begin):
            return False
        last = self._module._schedule_last_fired
        due = self._moment(key, schedule, last.get(key), now)
        if key not in last and due is None:
            return False
        if due is None or now < due:
            return False
        last[key] = now
        return True

    def is_over(self, schedule: Record, now: float, *, fired: bool) -> bool:
        """Whether the schedule goes, as it asked for, once it has nothing more to do."""
        if schedule.get("ActionAfterCompletion") != "DELETE":
            return False
        once = str(schedule.get("ScheduleExpression", "")).startswith("at(")
        return (once and fired) or self._ended(schedule, now)

    def _ended(self, schedule: Record, now: float) -> bool:
        end = self._module._to_epoch(schedule.get("EndDate"))
        return end is not None and now > end

    def _moment(self, key: Any, schedule: Record, last: float | None, now: float) -> float | None:
        """The next time it fires; None where there is none, or where it counts from now on."""
        from ministack.services import eventbridge

        expression = str(schedule.get("ScheduleExpression", ""))
        place = zone(schedule)
        if expression.startswith("at("):
            return None if last else _once(expression, place)
        interval = eventbridge._parse_rate_seconds(expression)
        if interval is not None:
            begun = self._module._to_epoch(schedule.get("StartDate"))
            begun = begun or float(schedule.get("CreationDate") or now)
            return (last or begun) + interval
        if last is None:
            self._module._schedule_last_fired[key] = now
            return None
        known = (expression, str(place), last)
        if self._next.get(key, (None, None))[0] != known:
            fields = eventbridge._parse_cron_fields(expression)
            after = datetime.fromtimestamp(last, tz=place)
            found = eventbridge._cron_next_fire(fields, after) if fields else None
            self._next[key] = (known, found.timestamp() if found else None)
        return self._next[key][1]


def zone(schedule: Record) -> tzinfo:
    """The time zone in which a schedule's expression is read."""
    try:
        return zoneinfo.ZoneInfo(schedule.get("ScheduleExpressionTimezone") or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return UTC


def _once(expression: str, place: tzinfo) -> float | None:
    try:
        return datetime.fromisoformat(expression[3:-1]).replace(tzinfo=place).timestamp()
    except ValueError:
        return None


def fire(schedule: Record, now: float) -> None:
    """Start the target of a schedule, or bury what it would have got."""
    target = schedule.get("Target") or {}
    mark = str(uuid.uuid4())
    text = _input(schedule, now, mark)
    try:
        _deliver(schedule, target, text)
    except Exception as error:
        code = error.code if isinstance(error, Undeliverable) else type(error).__name__
        told = {
            "ERROR_CODE": code,
            "ERROR_MESSAGE": str(error),
            "EXECUTION_ID": mark,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": "0",
            "SCHEDULED_TIME": _moment(now),
            "SCHEDULE_ARN": str(schedule.get("Arn", "")),
            "TARGET_ARN": str(target.get("Arn", "")),
        }
        _bury(schedule, target, text, told)


def _deliver(schedule: Record, target: Record, text: str) -> None:
    from ministack.services import eventbridge, lambda_svc

    arn, role = str(target.get("Arn", "")), str(target.get("RoleArn", ""))
    service = arn.split(":")[2]
    if not rights.may_assume(role, _SERVICE, source=_group(schedule)):
        raise Undeliverable(_DENIED, f"the role {role} cannot be assumed by {_SERVICE}")
    action = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}
    if service in action and not rights.may(role, action[service], arn):
        raise Undeliverable(_DENIED, f"{role} may not {action[service]} on {arn}")
    if service == "lambda":
        found, config, name = lambda_svc._get_func_record_for_ref(arn)
        if not found or not config:
            raise Undeliverable("ResourceNotFoundException", f"Function not found: {name}")
        record = lambda_svc._execution_record_for_config(found, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(text))
    elif service == "sqs":
        deliveries.put(arn, text)
    else:
        eventbridge._invoke_target({**target, "Input": text}, {"Source": "aws.scheduler"}, schedule)


def _bury(schedule: Record, target: Record, text: str, told: dict[str, str]) -> None:
    """The dead-letter queue of a schedule is written to in the schedule's role."""
    letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    why = told["ERROR_MESSAGE"]
    if letters and rights.may(str(target.get("RoleArn", "")), "sqs:SendMessage", letters):
        try:
            return deliveries.put(letters, text, told)
        except Exception as error:
            why = f"{why}; {error}"
    logger.warning("%s: a start is lost: %s", schedule.get("Arn"), why)
    return None


def _group(schedule: Record) -> str:
    """What Scheduler acts for when it takes on a role: the group that the schedule is in."""
    start, _, rest = str(schedule.get("Arn", "")).partition(":schedule/")
    return f"{start}:schedule-group/{rest.split('/')[0]}"


def _input(schedule: Record, now: float, mark: str) -> str:
    """What the target gets: the schedule's own input with its context attributes, else an event of Scheduler's."""
    arn = str(schedule.get("Arn", ""))
    text = (schedule.get("Target") or {}).get("Input")
    if text is None:
        event = {
            "version": "0",
            "id": mark,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": arn.split(":")[4],
            "time": _moment(now),
            "region": arn.split(":")[3],
            "resources": [arn],
            "detail": "{}",
        }
        return json.dumps(event)
    attributes = {
        "schedule-arn": arn,
        "scheduled-time": _moment(now),
        "execution-id": mark,
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return str(text)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
