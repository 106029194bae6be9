"""A small program with a queue, its dead letters and functions, as a private sandbox."""

from __future__ import annotations

import textwrap
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sandbox
from sandbox.box import Box
from tests.sandbox.cli_support import HEAD, Project

PROGRAM = (
    HEAD
    + """
import json
from pathlib import Path

def allow(service):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

rights = {"Effect": "Allow", "Resource": "*", "Action": ["dynamodb:*", "sqs:*", "sns:*", "lambda:InvokeFunction"]}
role = Resource("aws:iam/role:Role", "role", assumeRolePolicy=allow("lambda"))
Resource("aws:iam/rolePolicy:RolePolicy", "role", role=role.name, policy=json.dumps({"Version": "2012-10-17", "Statement": [rights]}))
table = Resource("aws:dynamodb/table:Table", "rows", billingMode="PAY_PER_REQUEST", hashKey="id",
                 attributes=[{"name": "id", "type": "S"}])
"""
)
"""Ends before the first function; `role`, `table` and `allow` are there."""


def functions(sources: Mapping[str, str]) -> str:
    """Lines of a program that make a function of each handler `handlers/NAME.py`, exported as the application does."""
    made = [
        f"""
{name} = Resource("aws:lambda/function:Function", "{name}", role=role.arn, runtime="python3.12", timeout=2,
    handler="{name}.handler", code=pulumi.AssetArchive({{"{name}.py": pulumi.FileAsset("handlers/{name}.py")}}),
    environment={{"variables": {{"TABLE": table.name}}}})
"""
        for name in sources
    ]
    exported = ", ".join(
        f'"{name}": {{"name": {name}.name, "arn": {name}.arn}}' for name in sources
    )
    return (
        "".join(made)
        + f'pulumi.export("functions", {{{exported}}})\npulumi.export("rowsTable", table.name)\n'
    )


def project(root: Path, sources: Mapping[str, str], more: str = "") -> Project:
    """A project of the program with these functions and `more` lines."""
    made = Project(root, PROGRAM + functions(sources) + textwrap.dedent(more))
    for name, source in sources.items():
        (made.root / "handlers" / f"{name}.py").write_text(textwrap.dedent(source))
    return made


@contextmanager
def running(root: Path, sources: Mapping[str, str], more: str = "") -> Generator[Box]:
    """A private sandbox of such a project."""
    made = project(root, sources, more)
    with sandbox.running("dev", root=made.root, strict=False) as box:
        yield box


EVENTS = """
def queue(name, **more):
    return Resource("aws:sqs/queue:Queue", f"{name}-queue", **more)

def redrive(dead, receives=1):
    return dead.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives}))

def consumes(function, source, **more):
    Resource("aws:lambda/eventSourceMapping:EventSourceMapping", f"{function}-mapping", functionName=globals()[function].arn,
             eventSourceArn=source, functionResponseTypes=["ReportBatchItemFailures"], **more)

dead = queue("orders-dead-letter")
orders = queue("orders", visibilityTimeoutSeconds=2, redrivePolicy=redrive(dead))
dead_steps = queue("steps-dead-letter", fifoQueue=True)
steps = queue("steps", fifoQueue=True, visibilityTimeoutSeconds=2, redrivePolicy=redrive(dead_steps))
failures = queue("failures")
consumes("taker", orders.arn, batchSize=10)
consumes("stepper", steps.arn, batchSize=10)
Resource("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "sweeper", functionName=sweeper.name,
         maximumRetryAttempts=0, destinationConfig={"onFailure": {"destination": failures.arn}})
changes = Resource("aws:dynamodb/table:Table", "changes", billingMode="PAY_PER_REQUEST", hashKey="id", streamEnabled=True,
                   streamViewType="NEW_IMAGE", streamArn=None, attributes=[{"name": "id", "type": "S"}])
pulumi.export("changesTable", changes.name)
Resource("aws:lambda/eventSourceMapping:EventSourceMapping", "reader-mapping", functionName=reader.arn,
         eventSourceArn=changes.streamArn, startingPosition="TRIM_HORIZON", maximumRetryAttempts=0,
         destinationConfig={"onFailure": {"destinationArn": failures.arn}})
clock = Resource("aws:iam/role:Role", "clock", assumeRolePolicy=allow("scheduler"))
Resource("aws:iam/rolePolicy:RolePolicy", "clock", role=clock.name, policy=json.dumps({"Version": "2012-10-17", "Statement": [rights]}))
for name, function in {"sweeper": sweeper, "silent": taker}.items():
    Resource("aws:scheduler/schedule:Schedule", f"{name}-schedule", scheduleExpression="rate(1 day)", state="DISABLED",
             flexibleTimeWindow={"mode": "OFF"}, target={"arn": function.arn, "roleArn": clock.arn,
             "input": json.dumps({"sweep": name})})
topic = Resource("aws:sns/topic:Topic", "news-topic")
Resource("aws:sqs/queuePolicy:QueuePolicy", "orders", queueUrl=orders.url, policy=pulumi.Output.all(orders.arn, topic.arn).apply(
    lambda both: json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage", "Resource": both[0], "Condition": {"ArnEquals": {"aws:SourceArn": both[1]}}}]})))
Resource("aws:sns/topicSubscription:TopicSubscription", "news-orders", topic=topic.arn, protocol="sqs", endpoint=orders.arn,
         rawMessageDelivery=True)
bus = Resource("aws:cloudwatch/eventBus:EventBus", "events-bus")
for source in ("shop", "store"):
    Resource("aws:cloudwatch/eventRule:EventRule", source, eventBusName=bus.name,
             eventPattern=json.dumps({"source": [source], "detail": {"total": [{"numeric": [">", 5]}]}}))
rule = Resource("aws:cloudwatch/eventRule:EventRule", "sweeps", eventBusName=bus.name, eventPattern=json.dumps({"source": ["broom"]}))
Resource("aws:cloudwatch/eventTarget:EventTarget", "sweeps", rule=rule.name, eventBusName=bus.name, arn=sweeper.arn, targetId="one",
         inputTransformer={"inputPaths": {"room": "$.detail.room", "all": "$.detail"},
                           "inputTemplate": '{"sweep": <room>, "note": "room <room>", "told": <all>}'})
Resource("aws:sns/topicSubscription:TopicSubscription", "dust", topic=Resource("aws:sns/topic:Topic", "dust-topic").arn,
         protocol="lambda", endpoint=sweeper.arn)
pulumi.export("sweepsRule", rule.arn)
bucket = Resource("aws:s3/bucket:Bucket", "uploads-bucket")
pulumi.export("uploadsBucket", bucket.id)
"""
"""What the functions `taker`, `stepper`, `sweeper` and `reader` are started by, and what else takes events."""

_MENDED = """
    import json
    import os
    import boto3

    client = boto3.client("dynamodb")
    TABLE = os.environ["TABLE"]

    def is_mended():
        return "Item" in client.get_item(TableName=TABLE, Key={"id": {"S": "mended"}}, ConsistentRead=True)

    def note(ident, told):
        client.put_item(TableName=TABLE, Item={"id": {"S": ident}, "told": {"S": json.dumps(told, default=str)}})
"""
_TAKER = (
    _MENDED
    + """
    def handler(event, context):
        failed = []
        for record in event.get("Records", []):
            body = json.loads(record["body"])
            if body.get("bad") and not is_mended():
                error = {"type": "Poison", "message": "no such lamp"}
                print(json.dumps({"level": "ERROR", "message": "refused", "messageId": record["messageId"], "error": error}))
                failed.append({"itemIdentifier": record["messageId"]})
            else:
                note(body["id"], record)
        return {"batchItemFailures": failed}
"""
)
_SWEEPER = (
    _MENDED
    + """
    def handler(event, context):
        print("sweeping", event)
        if event.get("bad") and not is_mended():
            raise ValueError("no broom")
        note(event["sweep"] if "sweep" in event else event["Records"][0]["Sns"]["Message"], event)
"""
)
_READER = (
    _MENDED
    + """
    def handler(event, context):
        if not is_mended():
            raise LookupError("not yet")
        for record in event["Records"]:
            note("change-" + record["dynamodb"]["Keys"]["id"]["S"], record)
"""
)
SOURCES = {"taker": _TAKER, "stepper": _TAKER, "sweeper": _SWEEPER, "reader": _READER}
