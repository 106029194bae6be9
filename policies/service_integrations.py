"""Routes that call an AWS service without a function in between: in which role, with what, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies import aws, documents, gateways, links
from policies.model import Registered, Stack, rule

CONTENT_TYPE = "integration.request.header.Content-Type"
FORM = "'application/x-www-form-urlencoded'"

_QUEUE = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:sqs:path/\d{12}/([\w-]+(?:\.fifo)?)", re.ASCII)


@dataclass(frozen=True)
class Service:
    """A route that calls a service by itself."""

    api: Registered
    endpoint: str
    operation: dict[str, Any]

    @property
    def integration(self) -> dict[str, Any]:
        """What API Gateway is told about the call."""
        return self.operation[gateways.EXTENSION]


@rule
def service_is_called_in_a_role(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A role of its own that may do exactly this: send to this queue. Others than queues are not judged here yet."""
    for service in services(stack):
        found = _QUEUE.fullmatch(str(service.integration.get("uri")))
        queue = stack.answering("name", found[1], aws.QUEUE) if found else None
        role = stack.at(str(service.integration.get("credentials")), aws.ROLE)
        where = f"{service.endpoint} calls a service"
        if queue is None:
            yield service.api, f"{where}, but its uri names no queue of this stack (sqs:path/...)"
        elif role is None:
            yield service.api, f"{where} without a role of this stack as credentials"
        else:
            given = documents.pairs(links.rights(stack, role))
            own = {pair for pair in given if not pair[0].startswith("kms:")}
            if own != {("sqs:SendMessage", queue.output("arn"))}:
                yield role, f"must hold exactly sqs:SendMessage on {queue.name}, besides its key"


# What the gateway itself says of the request may go along; a caller chooses nothing of it.
_SHAPED = re.compile(
    r"Action=SendMessage&MessageBody=\$util\.urlEncode\([^&]+\)"
    r"(&MessageAttribute\.\d\.(Name|Value\.\w+)=(\w+|\$context\.requestId))*"
)


@rule
def service_gets_nothing_unshaped(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """One template makes the call; a body of another type is refused with 415, and what a caller sent is escaped."""
    for service in services(stack):
        written = service.integration
        if written.get("passthroughBehavior") != "never":
            yield service.api, f"{service.endpoint}: passthroughBehavior must be never"
        templates = written.get("requestTemplates") or {}
        if set(templates) != {"application/json"}:
            yield service.api, f"{service.endpoint} needs one request template, application/json"
        for template in templates.values():
            if not _SHAPED.fullmatch(template):
                yield (
                    service.api,
                    f"{service.endpoint}: its template must be Action=SendMessage with an encoded MessageBody",
                )
        if (written.get("requestParameters") or {}).get(CONTENT_TYPE) != FORM:
            yield service.api, f"{service.endpoint} must send {FORM}: the service reads a form"


@rule
def service_answers_are_ours(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Success is recognised, everything else is an error of our own: a service's text names accounts and queues."""
    for service in services(stack):
        answers = service.integration.get("responses") or {}
        good = [p for p, answer in answers.items() if p != "default" and _status(answer) < 400]
        if not good or not all(p.startswith("2") for p in good):
            yield service.api, f"{service.endpoint}: a pattern of 2xx must answer the success"
        others = [answers.get("default")]
        if None in others and {"4\\d{2}", "5\\d{2}"} <= set(answers):
            others = [answers["4\\d{2}"], answers["5\\d{2}"]]
        if not all(answer and _status(answer) >= 400 for answer in others):
            yield service.api, f"{service.endpoint}: whatever is no success must answer an error"
        for pattern, answer in answers.items():
            if not (answer.get("responseTemplates") or {}).get("application/json"):
                yield (
                    service.api,
                    f"{service.endpoint}: response {pattern} passes the service's text",
                )
            if str(answer.get("statusCode")) not in service.operation.get("responses", {}):
                yield service.api, f"{service.endpoint}: {answer.get('statusCode')} is not declared"


def services(stack: Stack) -> Iterator[Service]:
    """Every route of a REST API that calls a service by itself."""
    for api in stack.all(aws.REST_API):
        for endpoint, operation in gateways.operations(api):
            if operation.get(gateways.EXTENSION, {}).get("type") == "aws":
                yield Service(api, endpoint, operation)


def _status(answer: dict[str, Any]) -> int:
    text = str(answer.get("statusCode"))
    return int(text) if text.isdigit() else 0


RULES = (service_is_called_in_a_role, service_gets_nothing_unshaped, service_answers_are_ours)
