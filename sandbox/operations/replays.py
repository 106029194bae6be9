"""Replays: what a function, or another target, did not do is done again, from what its letter holds."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake
from sandbox.operations import devices
from sandbox.operations.letters import Letter, object_of

_PAGES: Final = 1000
"""Reads of a shard before its batch is given up: each has at most 1,000 records of a table, 10,000 of Kinesis."""
_TRIMMED: Final = ("TrimmedDataAccessException", "InvalidArgumentException")
"""What a table's stream and Kinesis say of a sequence number that they no longer have."""


def replay(aws: Clients, letter: Letter) -> None:
    """Do what a letter tells of again. Raises `Mistake` where nobody can, or where the function failed once more."""
    how = _REPLAYS.get(letter.kind)
    if how is None:
        raise Mistake("nothing says what it is, or for whom: send it by hand")
    how(aws, letter)


def _invocation(aws: Clients, letter: Letter) -> None:
    """An asynchronous call: once more with the same payload, asynchronously."""
    body = object_of(letter.body)
    _start(aws, body["requestContext"]["functionArn"], json.dumps(body["requestPayload"]))


def _batch(aws: Clients, letter: Letter) -> None:
    """A batch of a stream: read again while the stream still has it, and handed over in one call that is waited for."""
    body = object_of(letter.body)
    table = body.get("DDBStreamBatchInfo")
    info = table or body["KinesisBatchInfo"]
    records = _still_there(aws, info, _of_table if table else _of_kinesis)
    arn = body["requestContext"]["functionArn"]
    answer = aws.client("lambda").invoke(
        FunctionName=arn, Payload=json.dumps({"Records": records}).encode()
    )
    told = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise Mistake(f"it failed again: {told.get('errorType')}: {told.get('errorMessage')}")
    if isinstance(told, dict) and told.get("batchItemFailures"):
        raise Mistake(f"{len(told['batchItemFailures'])} of {len(records)} records failed again")


def _still_there(
    aws: Clients,
    info: Mapping[str, Any],
    find: Callable[[Clients, Mapping[str, Any]], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    from botocore.exceptions import ClientError

    try:
        records = find(aws, info)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _TRIMMED:
            raise
        records = []
    if not records:
        raise Mistake("the stream no longer has these records")
    return records


def _of_table(aws: Clients, info: Mapping[str, Any]) -> list[dict[str, Any]]:
    arn = info["streamArn"]
    records = _between(aws.client("dynamodbstreams"), info, {"StreamArn": arn}, _of_change)
    return [{**_plain(record), "eventSourceARN": arn} for record in records]


def _of_kinesis(aws: Clients, info: Mapping[str, Any]) -> list[dict[str, Any]]:
    arn, shard = info["streamArn"], info["shardId"]
    client = aws.client("kinesis")
    name = {"StreamName": arn.rpartition("/")[2]}
    return [
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": record["SequenceNumber"],
                "data": base64.b64encode(record["Data"]).decode(),
                "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard}:{record['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "",
            "awsRegion": aws.region,
            "eventSourceARN": arn,
        }
        for record in _between(client, info, name, _of_record)
    ]


def _of_record(record: Mapping[str, Any]) -> str:
    return str(record["SequenceNumber"])


def _of_change(record: Mapping[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _between(
    client: Any, info: Mapping[str, Any], name: Mapping[str, str], number: Any
) -> list[dict[str, Any]]:
    """The records of a shard from the batch's first to its last; none where they are gone."""
    first, last = int(info["startSequenceNumber"]), int(info["endSequenceNumber"])
    asked = client.get_shard_iterator(
        **name,
        ShardId=info["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        **_start_at(client, info["startSequenceNumber"]),
    )
    at, found = asked["ShardIterator"], []
    for _ in range(_PAGES):
        page = client.get_records(ShardIterator=at)
        found += [r for r in page["Records"] if first <= int(number(r)) <= last]
        over = any(int(number(r)) >= last for r in page["Records"])
        at = page.get("NextShardIterator")
        if over or not at or not page["Records"]:
            break
    return found


def _start_at(client: Any, first: str) -> dict[str, str]:
    """Kinesis names it otherwise than DynamoDB's streams do."""
    kinesis = client.meta.service_model.service_name == "kinesis"
    return {"StartingSequenceNumber" if kinesis else "SequenceNumber": first}


def _plain(value: Any) -> Any:
    """A record of a table's stream as a function gets it: bytes in Base64, moments in seconds."""
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(member) for member in value]
    return value


def _publication(aws: Clients, letter: Letter) -> None:
    """A message of a topic: to the one subscriber that did not get it."""
    told = object_of(letter.body)
    asked = urllib.parse.urlsplit(told.get("UnsubscribeURL", "")).query
    arn = urllib.parse.parse_qs(asked).get("SubscriptionArn", [""])[0]
    if not arn:
        raise Mistake("nothing says which subscriber did not get it")
    found = aws.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    endpoint = str(found["Endpoint"])
    if found["Protocol"] == "sqs":
        return _put(aws, endpoint, letter.body)
    if found["Protocol"] != "lambda":
        raise Mistake(f"a subscriber by {found['Protocol']} is not asked again: send it by hand")
    message = {"Subject": None, "MessageAttributes": {}, **told}
    message["SigningCertUrl"] = message.pop("SigningCertURL", "")
    message["UnsubscribeUrl"] = message.pop("UnsubscribeURL", "")
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": arn,
        "Sns": message,
    }
    return _start(aws, endpoint, json.dumps({"Records": [record]}))


def _event(aws: Clients, letter: Letter) -> None:
    """An event of a rule: to the target that did not get it, as that target wants it."""
    rule, arn = letter.attributes["RULE_ARN"], letter.attributes.get("TARGET_ARN", "")
    path = rule.partition(":rule/")[2].split("/")
    bus = {"EventBusName": path[0]} if len(path) > 1 else {}
    targets = aws.client("events").list_targets_by_rule(Rule=path[-1], **bus)["Targets"]
    for target in targets:
        if target["Arn"] == arn:
            return _deliver(aws, arn, as_wanted(target, letter.body))
    raise Mistake(f"rule {path[-1]} no longer has the target {arn}")


def as_wanted(target: Mapping[str, Any], body: str) -> str:
    """What a target gets of an event: all of it, a text of its own, a part, or a text with parts."""
    event = object_of(body)
    if path := target.get("InputPath"):
        return json.dumps(_at(event, path))
    if "Input" in target or "InputTransformer" not in target:
        return str(target.get("Input", body))
    rules = target["InputTransformer"]
    paths = rules.get("InputPathsMap") or {}

    def values(part: str, *, inside: bool) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] not in paths:
                return found[0]
            told = _at(event, paths[found[1]])
            text = json.dumps(told)
            # Within a string of the template a text stands without quotes of its own, and anything else as text.
            return (text if isinstance(told, str) else json.dumps(text))[1:-1] if inside else text

        return re.sub(r"<([\w.-]+)>", value, part)

    parts = re.split(r'("(?:[^"\\]|\\.)*")', rules["InputTemplate"])
    return "".join(values(part, inside=place % 2 == 1) for place, part in enumerate(parts))


def _at(event: Any, path: str) -> Any:
    """The value at a path such as `$.detail.id`; null where there is none, as EventBridge gives it."""
    for step in path.removeprefix("$").split("."):
        if step:
            event = event.get(step) if isinstance(event, Mapping) else None
    return event


def _schedule(aws: Clients, letter: Letter) -> None:
    """What a schedule could not deliver: its input, to its target."""
    _deliver(aws, letter.attributes["TARGET_ARN"], letter.body)


def _deliver(aws: Clients, arn: str, payload: str) -> None:
    service = arn.split(":")[2]
    if service == "sqs":
        _put(aws, arn, payload)
    elif service == "sns":
        aws.client("sns").publish(TopicArn=arn, Message=payload)
    elif service == "lambda":
        _start(aws, arn, payload)
    else:
        raise Mistake(f"a target of {service} is not asked again: send it by hand")


def _put(aws: Clients, arn: str, body: str) -> None:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=body)


def _start(aws: Clients, arn: str, payload: str) -> None:
    aws.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=payload.encode())


_REPLAYS: Final = {
    "invocation": _invocation,
    "batch": _batch,
    "publication": _publication,
    "event": _event,
    "schedule": _schedule,
    "device": devices.replay,
}
