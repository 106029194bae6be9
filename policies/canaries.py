"""Canaries: callers from outside, which Synthetics runs as functions of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, documents, links
from policies.model import Registered, Stack, rule

LEAST = {"syn-python-selenium": 6, "syn-nodejs-puppeteer": 9, "syn-nodejs-playwright": 2}
"""Family of runtimes -> the oldest major version that AWS still takes (CloudWatch user guide, runtime deprecation dates)."""
NAMESPACE = "CloudWatchSynthetics"
LOGGED = frozenset({"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"})
"""What the function of a canary does with its log group: Synthetics makes both, and names them after the canary."""
METRICS, TRACES = "cloudwatch:PutMetricData", "xray:PutTraceSegments"
EVERY = {
    METRICS: "metrics have no resources; the namespace narrows it",
    "s3:ListAllMyBuckets": "has no resource type; Synthetics calls it before it writes",
}
"""Actions of a canary that may have the resource "*", and why."""

_RUNTIME = re.compile(r"(syn-[a-z]+-[a-z]+)-(\d+)\.\d+")
_PLACE = re.compile(r"s3://([a-z0-9.-]+)/(\S*)")


@rule
def canary_is_one_that_synthetics_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A runtime that is alive, started at once, and gone with all that Synthetics made for it."""
    for canary in stack.all(aws.CANARY):
        found = _RUNTIME.fullmatch(str(canary.get("runtimeVersion") or ""))
        if found is None or int(found[2]) < LEAST.get(found[1], 1_000):
            yield canary, f"AWS has retired {canary.get('runtimeVersion')}, or never had it"
        if canary.get("startCanary") is not True:
            yield canary, "set startCanary: it would be there and do nothing"
        if canary.get("deleteLambda") is not True:
            yield canary, "set deleteLambda, or its function and layers stay behind"
        for key in ("successRetentionPeriod", "failureRetentionPeriod"):
            if not 1 <= (canary.get(key) or 0) <= 455:
                yield canary, f"{key} must be 1 to 455 days"
        if not (canary.get("zipFile") or canary.get("s3Bucket")):
            yield canary, "has no code"


@rule
def canary_keeps_what_it_saw_in_private(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Answers and screenshots lie in a bucket of this stack, under a prefix; the bucket's own rules keep it private."""
    for canary in stack.all(aws.CANARY):
        bucket, prefix = _kept(stack, canary)
        if bucket is None or not prefix:
            yield canary, "artifactS3Location must be a prefix in a bucket of this stack"


@rule
def canary_may_what_it_does(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Exactly that: its code, its artifacts, its own log group, its metrics; traces if it traces."""
    for canary in stack.all(aws.CANARY):
        role = stack.at(str(canary.get("executionRoleArn")), aws.ROLE)
        if role is None:
            yield canary, "executionRoleArn must be a role of this stack"
            continue
        held = links.rights(stack, role)
        given = {pair for pair in documents.pairs(held) if not pair[0].startswith("kms:")}
        for action, arn in sorted(_wanted(stack, canary) - given):
            yield canary, f"its role lacks {action} on {arn}"
        for action, arn in sorted(given - _wanted(stack, canary)):
            yield canary, f"its role may {action} on {arn}, which no canary needs"
        for said in held:
            narrow = said.only_if("StringEquals", "cloudwatch:namespace") == (NAMESPACE,)
            if METRICS in said.actions and not narrow:
                yield canary, f"its role may write any metric; narrow it to {NAMESPACE}"
        yield from stack.not_awaited(canary, links.policies_of(stack, role))


def granted(stack: Stack, role: Registered | None) -> set[tuple[str, str]]:
    """(action, resource) that the role of a canary may hold on what is not of this stack."""
    mine = [
        c for c in stack.all(aws.CANARY) if role and c.get("executionRoleArn") == role.output("arn")
    ]
    return {pair for canary in mine for pair in _wanted(stack, canary)}


def _kept(stack: Stack, canary: Registered) -> tuple[Registered | None, str]:
    found = _PLACE.fullmatch(str(canary.get("artifactS3Location") or ""))
    bucket = stack.answering("bucket", found[1], aws.BUCKET) if found else None
    return bucket, found[2].rstrip("/") if found else ""


def _wanted(stack: Stack, canary: Registered) -> set[tuple[str, str]]:
    bucket, prefix = _kept(stack, canary)
    arn = bucket.output("arn") if bucket else ""
    found = {(action, "*") for action in EVERY}
    found |= _code(stack, canary)
    found |= {("s3:PutObject", f"{arn}/{prefix}/*"), ("s3:GetBucketLocation", arn)}
    found |= {(action, group) for action in LOGGED for group in [_logs(stack, canary)]}
    return found | ({(TRACES, "*")} if canary.get("runConfig.activeTracing") else set())


def _code(stack: Stack, canary: Registered) -> set[tuple[str, str]]:
    """It may read the code that it is made of."""
    bucket = stack.answering("bucket", str(canary.get("s3Bucket")), aws.BUCKET)
    folder = str(canary.get("s3Key") or "").rpartition("/")[0]
    return {("s3:GetObject", f"{bucket.output('arn')}/{folder}/*")} if bucket and folder else set()


def _logs(stack: Stack, canary: Registered) -> str:
    """The pattern of its log group: `cwsyn-<name>-<id of the canary>`, and the id is known afterwards only."""
    role = stack.at(str(canary.get("executionRoleArn")), aws.ROLE)
    held = documents.pairs(links.rights(stack, role), service="logs")
    form = re.compile(
        rf"arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{{12}}:log-group:/aws/lambda/cwsyn-{re.escape(canary.output('name'))}-\*"
    )
    fitting = sorted({arn for _, arn in held if form.fullmatch(arn)})
    return fitting[0] if fitting else f"/aws/lambda/cwsyn-{canary.output('name')}-*"


RULES = (
    canary_is_one_that_synthetics_takes,
    canary_keeps_what_it_saw_in_private,
    canary_may_what_it_does,
)
