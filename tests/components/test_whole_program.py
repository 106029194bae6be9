"""The program as a whole: what it promises to others, on every stack, in previews and where it is told nonsense."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi_aws import s3

from tests.support.program import ROOT, Answers, Run, plain, run_program, run_stack
from tests.support.urns import kept, urns

EXPORTS = {
    "alarms",
    "pageTopicArn",
    "ticketTopicArn",
    "insightsQueries",
    "apiUrl",
    "httpApiUrl",
    "socketUrl",
    "loadBalancerUrl",
    "graphqlUrl",
    "userPoolId",
    "userPoolClientId",
    "apiKeyId",
    "itemsTable",
    "auditTable",
    "usersTable",
    "connectionsTable",
    "ordersTable",
    "stateTable",
    "uploadsBucket",
    "imagesBucket",
    "reportsBucket",
    "notificationsQueueUrl",
    "notificationsDeadLetterQueueUrl",
    "notificationsTopicArn",
    "ordersQueueUrl",
    "ordersDeadLetterQueueUrl",
    "orderEventsQueueUrl",
    "orderEventsDeadLetterQueueUrl",
    "failuresQueueUrl",
    "topics",
    "eventBusName",
    "telemetryStream",
    "webhookUrl",
    "webhookSecretArn",
    "alarmsTopicArn",
    "dashboardName",
    "authSecretArn",
    "dataKeyArn",
    "repositories",
    "functions",
}
OF_A_FUNCTION = {
    "name",
    "arn",
    "qualifiedArn",
    "invokeArn",
    "version",
    "lastModified",
    "sourceCodeHash",
    "sourceCodeSize",
    "url",
    "runtime",
    "handler",
    "timeout",
    "memorySize",
    "roleArn",
    "logGroup",
}
CANARY = "zzsecretzz"
HOLDS_SECRETS = {
    "random:index/randomPassword:RandomPassword",
    "random:index/randomUuid:RandomUuid",
    "aws:secretsmanager/secretVersion:SecretVersion",
}


class Unknown(Answers):
    """A first preview: nothing is known of a resource but what was asked for."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        return None, plain(args.inputs)


class Watching(Answers):
    """Generated passwords that are easy to find again, and where one arrives that is not wrapped as a secret."""

    def __init__(self) -> None:
        self.registered: list[str] = []
        self.bare: list[str] = []
        self.said: list[str] = []

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        self.registered.append(args.name)
        if CANARY in str({k: v for k, v in args.inputs.items() if not _is_secret(v)}):
            self.bare.append(args.name)
        name, outputs = super().new_resource(args)
        random = args.typ.startswith("random:")
        return name, {**outputs, "result": f"{CANARY}-{name}"} if random else outputs


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and rpc._special_sig_key in value


@pytest.fixture(scope="module")
def watched() -> Iterator[tuple[Run, Watching]]:
    """A run of production that is listened to."""
    watching = Watching()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        for level in ("warn", "error"):
            patch.setattr(pulumi.log, level, lambda text, *_, **__: watching.said.append(text))
        yield run_stack("prod", answers=watching), watching


def test_exports_are_the_contract_and_nothing_else(run: Run) -> None:
    assert set(run.outputs) == EXPORTS, "another export? EXPORTS here, and docs/outputs.md"
    functions = run.outputs["functions"]
    assert set(functions) == {
        f.name.removesuffix("-function") for f in run.all("aws:lambda/function:Function")
    }
    for name, function in functions.items():
        assert set(function) == OF_A_FUNCTION - (
            {"url"} if name not in {"products", "webhook"} else set()
        )
        assert function["name"] == f"sandpiper-{run.stack}-{name}"
        assert function["qualifiedArn"] == f"{function['arn']}:live"
        assert function["logGroup"] == f"/aws/lambda/{function['name']}"
        assert isinstance(function["timeout"], int)


def test_exports_are_documented() -> None:
    text = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    section = text.split("## Stack exports")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == EXPORTS | OF_A_FUNCTION


def test_secret_value_reaches_no_output_and_no_other_resource(
    watched: tuple[Run, Watching],
) -> None:
    run, _ = watched
    assert CANARY not in str(run.outputs)
    holders = {r.type for r in run.resources if CANARY in f"{r.properties}{r.outputs}"}
    assert holders == HOLDS_SECRETS


def test_secret_value_is_marked_secret_on_its_way(watched: tuple[Run, Watching]) -> None:
    """The engine encrypts what is wrapped; anything else is written to the state as it is."""
    assert watched[1].bare == []


def test_program_says_nothing_and_warns_of_nothing(watched: tuple[Run, Watching]) -> None:
    assert watched[1].said == []


def test_first_preview_knows_nothing_and_still_succeeds(dev: Run) -> None:
    run = run_stack("dev", answers=Unknown(), preview=True)
    assert urns(run) == urns(dev)


def test_urns_are_those_in_peoples_state_files(run: Run) -> None:
    now, then = set(urns(run).splitlines()), set(kept(run.stack).splitlines())
    assert (sorted(then - now), sorted(now - then)) == ([], []), (
        "gone (it would be deleted; a rename?) and new; if you meant it: "
        "python -m tests.support.urns --write"
    )


def test_stacks_differ_in_sizes_and_switches_only(runs: Callable[[str], Run]) -> None:
    names = {
        stack: {
            r.name
            for r in runs(stack).resources
            # A stack may size any route, and let browsers in.
            if not r.name.endswith(("-method-settings", "-preflight-route"))
            and r.type != "pulumi:pulumi:Stack"
        }
        for stack in ("dev", "staging", "prod")
    }
    assert names["dev"] <= names["staging"] <= names["prod"]
    # Objectives of more APIs, and what is reserved for a function is watched.
    more = names["staging"] - names["dev"]
    alarms = {name for name in more if name.endswith("-alarm")}
    assert all("-slo-" in name or name.endswith("-concurrency-alarm") for name in alarms)
    assert more - alarms == {"api-client-certificate"}
    switched = names["prod"] - names["staging"]
    assert {"api-firewall", "canary-canary", "api-traffic-alarm"} <= switched
    rest = {name for name in switched if not name.startswith(("api-", "canary"))}
    assert rest == {"http-traffic-alarm"}


def test_any_stack_name_loads_with_the_defaults(custom: Run) -> None:
    assert custom.stack == "alice"
    assert custom.outputs["functions"]["health"]["name"] == "sandpiper-alice-health"


def test_own_tags_reach_everything_that_can_be_tagged(custom: Run) -> None:
    tagged = [r for r in custom.resources if r.get("tags")]
    assert len(tagged) > 50
    expected = {"Project": "sandpiper", "Environment": "alice", "team": "birds"}
    for resource in tagged:
        assert expected.items() <= resource.get("tags").items()


def test_mistake_in_the_stack_file_stops_the_program_before_anything_is_registered() -> None:
    watching = Watching()
    wrong = {"sandpiper:functions": {"create-item": {"memory_size": 64}}}
    line = r"^Pulumi\.dev\.yaml: functions\.create-item\.memory_size: .*\(got 64\)$"
    with pytest.raises(pulumi.RunError, match=line):
        run_stack("dev", config=wrong, answers=watching)
    assert watching.registered == []


def test_variable_that_a_grant_sets_is_refused_for_the_whole_program() -> None:
    colliding = {"sandpiper:functions": {"get-item": {"environment": {"ITEMS_TABLE": "mine"}}}}
    with pytest.raises(pulumi.RunError, match=r"functions\.get-item\.environment\.ITEMS_TABLE"):
        run_stack("dev", config=colliding)


def test_deprecated_argument_would_be_noticed() -> None:
    """What the test above relies on."""
    with pytest.raises(DeprecationWarning, match="acl is deprecated"):
        run_program(lambda: s3.Bucket("b", s3.BucketArgs(acl="private")) and None, config={})


def test_resource_registered_twice_would_be_noticed() -> None:
    def program() -> None:
        s3.Bucket("b")
        s3.Bucket("b")

    with pytest.raises(ValueError, match="duplicate resource name"):
        run_program(program, config={})
