"""CloudWatch alarms as CloudWatch judges them: by their dimensions, periods, metric math, and what they say of missing data.

MiniStack judges an alarm over all dimensions of its metric, over one stretch of time, and only when a metric is put; it keeps
no queries of an alarm. Sources: CloudWatch API reference, PutMetricAlarm; CloudWatch user guide, "Alarm evaluation", "Alarm
actions"; what a topic is told: SNS messages of alarms.
"""

import json
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers import alarm_states, deliveries
from sandbox.workers.alarm_states import OK, UNKNOWN, Judgement
from sandbox.workers.alarm_watch import Watch
from sandbox.workers.metric_store import MINUTE
from sandbox.workers.query_forms import answered, given
from sandbox.workers.seams import Seam

CLOUDWATCH: Final = "ministack.services.cloudwatch"
_SERVICE: Final = "cloudwatch.amazonaws.com"
_ROUGH: Final = "alarms are judged over all dimensions of their metric, and know no metric math"
_CALL: Final = ("params", "cbor_data", "is_cbor", "is_json")
_OF_ONE_METRIC: Final = (
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Period",
    "Unit",
)
_MOST_HISTORY: Final = 5000
_ACTIONS: Final = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
_REGIONS: Final = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
    "eu-central-1": "EU (Frankfurt)",
    "eu-west-1": "EU (Ireland)",
    "eu-north-1": "EU (Stockholm)",
}

Record = dict[str, Any]
Answer = Callable[..., Any]


def seams() -> list[Seam]:
    """Return the seams of alarms."""
    watch: list[Watch] = []

    def watching(module: ModuleType) -> Watch:
        if not watch:
            watch.append(Watch(module, _mover(module)))
        return watch[0]

    def put(module: ModuleType, original: Answer) -> Answer:
        return _with_queries(watching(module), module, original)

    def set_by_hand(module: ModuleType, original: Answer) -> Answer:
        return _for_a_while(watching(module), module, original)

    def later(_alarm: Record) -> None:
        """An alarm is judged once it is whole, by what `put` starts."""

    needs = ("_alarms", "_record_history", "_evaluate_parent_alarms", "_history_entries")
    return [
        Seam(CLOUDWATCH, "_evaluate_alarm", ("alarm",), _ROUGH, lambda _m, _o: later, needs),
        Seam(CLOUDWATCH, "_evaluate_all_alarms", (), _ROUGH, lambda _m, _o: lambda: None),
        Seam(CLOUDWATCH, "_put_metric_alarm", _CALL, _ROUGH, put),
        Seam(CLOUDWATCH, "_set_alarm_state", _CALL, _ROUGH, set_by_hand),
        Seam(CLOUDWATCH, "_describe_alarms_for_metric", _CALL, _ROUGH, _for_metric),
        Seam(
            CLOUDWATCH,
            "_dispatch_alarm_actions",
            ("alarm", "old_state", "new_state", "reason"),
            "what an alarm tells its topic lacks its queries, and the topic's policy is not asked",
            _told,
        ),
    ]


def _with_queries(watch: Watch, module: ModuleType, original: Answer) -> Answer:
    """Keep the queries of an alarm, which MiniStack drops."""

    def put(params: Record, cbor_data: Record, is_cbor: bool, is_json: bool = False) -> Any:  # noqa: FBT001 FBT002 as it is called
        asked = given(params, cbor_data, is_cbor or is_json)
        name = str(asked.get("AlarmName", ""))
        before = module._alarms.get(name) or {}
        answer = original(params, cbor_data, is_cbor, is_json)
        alarm = module._alarms.get(name)
        if answer[0] == 200 and alarm is not None:
            _complete(alarm, asked, before)
            watch.put(alarm)
        return answer

    return put


def _complete(alarm: Record, asked: Record, before: Record) -> None:
    """Add what MiniStack drops of what was asked, and take away what it adds."""
    states = ("StateReasonData", "StateTransitionedTimestamp")
    alarm |= {member: before[member] for member in states if member in before}
    kept = ("Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile")
    alarm |= {member: asked[member] for member in kept if asked.get(member)}
    gone: tuple[str, ...] = ("Statistic",) if alarm.get("ExtendedStatistic") else ()
    if asked.get("Metrics"):
        gone, alarm["Dimensions"] = _OF_ONE_METRIC, []
    if asked.get("ThresholdMetricId"):
        gone += ("Threshold",)
    for member in gone:
        alarm.pop(member, None)


def _for_a_while(watch: Watch, module: ModuleType, original: Answer) -> Answer:
    """A state that was set by hand holds until the alarm is judged again, within a minute."""

    def put(params: Record, cbor_data: Record, is_cbor: bool, is_json: bool = False) -> Any:  # noqa: FBT001 FBT002 as it is called
        answer = original(params, cbor_data, is_cbor, is_json)
        name = str(given(params, cbor_data, is_cbor or is_json).get("AlarmName", ""))
        if answer[0] == 200 and (alarm := module._alarms.get(name)):
            alarm["StateTransitionedTimestamp"] = alarm["StateUpdatedTimestamp"]
            watch.again(alarm, MINUTE)
        return answer

    return put


def _for_metric(module: ModuleType, _original: Answer) -> Answer:
    """The alarms over exactly one metric; those with queries are found by none, on AWS neither."""

    def describe(params: Record, cbor_data: Record, is_cbor: bool, is_json: bool = False) -> Any:  # noqa: FBT001 FBT002 as it is called
        asked = given(params, cbor_data, is_cbor or is_json)
        found = [alarm for alarm in module._alarms.values() if _is_over(alarm, asked)]
        told = {"MetricAlarms": found}
        return answered(module, "DescribeAlarmsForMetric", told, is_cbor=is_cbor, is_json=is_json)

    return describe


def _is_over(alarm: Record, asked: Record) -> bool:
    members = ("Namespace", "MetricName")
    more = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    named = [m for m in more if asked.get(m) not in (None, "")]
    if any(str(alarm.get(member)) != str(asked.get(member)) for member in (*members, *named)):
        return False
    own, wanted = alarm.get("Dimensions") or [], asked.get("Dimensions") or []
    return {d["Name"]: d["Value"] for d in own} == {d["Name"]: d["Value"] for d in wanted}


def _mover(module: ModuleType) -> Callable[[Record, Judgement, Record], None]:
    def move(alarm: Record, found: Judgement, data: Record) -> None:
        old, new, now = alarm["StateValue"], found.state, int(time.time())
        reason = alarm["StateReason"]
        alarm["StateValue"] = new
        alarm["StateReasonData"] = alarm_states.dumped(data)
        alarm["StateUpdatedTimestamp"] = alarm["StateTransitionedTimestamp"] = now
        module._record_history(alarm["AlarmName"], old, new, reason, "MetricAlarm", data)
        entries = module._history_entries()
        del entries[:-_MOST_HISTORY]
        module._dispatch_alarm_actions(alarm, old, new, reason)
        module._evaluate_parent_alarms(alarm)

    return move


def _told(_module: ModuleType, _original: Answer) -> Answer:
    """Tell the topics of an alarm, those whose policy lets CloudWatch in.

    That all is well is not told of an alarm that was only just made: AWS does, once for every alarm of a new stack.
    """
    known: set[str] = set()

    def tell(alarm: Record, old_state: str, new_state: str, reason: str) -> None:
        arn = str(alarm["AlarmArn"])
        first = arn not in known
        known.add(arn)
        if not alarm.get("ActionsEnabled", True) or (
            first and (old_state, new_state) == (UNKNOWN, OK)
        ):
            return
        for target in alarm.get(_ACTIONS.get(new_state, "")) or []:
            if ":sns:" in str(target):
                _publish(str(target), arn, _words(alarm, old_state, new_state, reason))

    return tell


def _publish(topic: str, alarm_arn: str, words: Record) -> None:
    try:
        deliveries.check_topic(topic, _SERVICE, alarm_arn)
        subject = f'{words["NewStateValue"]}: "{words["AlarmName"]}" in {words["Region"]}'
        deliveries.publish(topic, json.dumps(words), subject[:100])
    except Exception as error:
        deliveries.logger.warning("%s: its action was not taken: %s", alarm_arn, error)


def _words(alarm: Mapping[str, Any], old: str, new: str, reason: str) -> Record:
    """What a topic is told of an alarm that has changed its state."""
    _, _, _, region, account, *_ = str(alarm["AlarmArn"]).split(":")
    told = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _moment(
            alarm.get("AlarmConfigurationUpdatedTimestamp")
        ),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": _moment(alarm.get("StateUpdatedTimestamp")),
        "Region": _REGIONS.get(region, region),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
    }
    if "AlarmRule" in alarm:
        return {**told, "AlarmRule": alarm["AlarmRule"]}
    return {**told, "Trigger": _trigger(alarm)}


def _trigger(alarm: Mapping[str, Any]) -> Record:
    members = (
        "Period",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "ComparisonOperator",
        "Threshold",
        "TreatMissingData",
    )
    trigger = {name: alarm[name] for name in members if alarm.get(name) is not None}
    trigger["EvaluateLowSampleCountPercentile"] = alarm.get("EvaluateLowSampleCountPercentile", "")
    if alarm.get("Metrics"):
        return {**trigger, "Metrics": [_query(each) for each in alarm["Metrics"]]}
    if extended := alarm.get("ExtendedStatistic"):
        trigger |= {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
    else:
        statistic = str(alarm.get("Statistic", "")).upper()
        trigger |= {"StatisticType": "Statistic", "Statistic": statistic}
    return {
        "MetricName": alarm.get("MetricName"),
        "Namespace": alarm.get("Namespace"),
        **trigger,
        "Unit": alarm.get("Unit"),
        "Dimensions": _dimensions(alarm.get("Dimensions")),
    }


def _query(query: Mapping[str, Any]) -> Record:
    told = {
        name: query[name]
        for name in ("Expression", "Id", "Label", "ReturnData", "Period")
        if query.get(name) is not None
    }
    if stat := query.get("MetricStat"):
        metric = {**stat["Metric"], "Dimensions": _dimensions(stat["Metric"].get("Dimensions"))}
        told["MetricStat"] = {**stat, "Metric": metric}
    return told


def _dimensions(given_ones: Any) -> list[Record]:
    return [{"value": each["Value"], "name": each["Name"]} for each in given_ones or []]


def _moment(seconds: Any) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(float(seconds or time.time())))
