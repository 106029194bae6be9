"""Messages of devices that a rule of AWS IoT could not put into its stream: put there again.

Its error action sends what the device sent, before the rule's statement. Sources: IoT developer guide, "Error handling
(error action)", "Kinesis Data Streams", "Substitution templates".
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake
from sandbox.operations.letters import Letter, object_of

_STATEMENT: Final = re.compile(
    r"(?is)\s*SELECT\s+\*(?:\s*,\s*timestamp\(\)\s+AS\s+(?P<received>\w+))?\s+FROM\s.*"
)
_TEMPLATE: Final = re.compile(r"\$\{\s*([^}]*?)\s*\}")


def replay(aws: Clients, letter: Letter) -> None:
    """Put a message into the stream as its rule does. Raises `Mistake` where that cannot be done, saying what can."""
    told = object_of(letter.body)
    name = str(told["ruleName"])
    failed = {str(each.get("failedAction")) for each in told.get("failures") or []}
    if failed - {"KinesisAction"}:
        raise Mistake(f"rule {name} failed at more than its stream: {_by_hand(told)}")
    rule = _rule(aws, name, told)
    statement = _STATEMENT.fullmatch(rule["sql"])
    streams = [each["kinesis"] for each in rule["actions"] if "kinesis" in each]
    if statement is None or len(streams) != 1:
        raise Mistake(f"rule {name} does more than put all of it into one stream: {_by_hand(told)}")
    message = object_of(_payload(told))
    if not message:
        raise Mistake("its payload is no JSON object: nothing can count it, delete it by hand")
    if received := statement["received"]:
        message[received] = int((time.time() - letter.age) * 1000)
    key = _key(streams[0]["partitionKey"], message, str(told.get("topic", "")))
    client = aws.client("kinesis")
    client.put_record(
        StreamName=streams[0]["streamName"], Data=json.dumps(message).encode(), PartitionKey=key
    )


def _rule(aws: Clients, name: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
    from botocore.exceptions import ClientError

    try:
        return aws.client("iot").get_topic_rule(ruleName=name)["rule"]
    except ClientError as error:
        # What is not there is refused like what is not allowed.
        if error.response["Error"]["Code"] not in ("UnauthorizedException", "NotFoundException"):
            raise
        raise Mistake(f"there is no rule {name} any more: {_by_hand(told)}") from None


def _payload(told: Mapping[str, Any]) -> str:
    try:
        return base64.b64decode(told["base64OriginalPayload"]).decode()
    except ValueError:
        return ""


def _by_hand(told: Mapping[str, Any]) -> str:
    return f"publish its payload on {told.get('topic')} again, or put it into a stream, by hand"


def _key(template: str, message: Mapping[str, Any], topic: str) -> str:
    """The partition key: fields of the message and steps of its topic put into the rule's template."""

    def value(found: re.Match[str]) -> str:
        if step := re.fullmatch(r"topic\((\d+)\)", found[1]):
            return dict(enumerate(topic.split("/"), 1)).get(int(step[1]), "")
        if found[1] == "topic()":
            return topic
        given: Any = message
        for part in found[1].split("."):
            given = given.get(part) if isinstance(given, Mapping) else None
        if given is None:
            raise Mistake(
                f"its payload has no '{found[1]}', by which the rule puts it into the stream"
            )
        return str(given)

    return _TEMPLATE.sub(value, template)
