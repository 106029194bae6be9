"""Container images: repositories whose tags never move, and which Lambda alone may read."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws, documents
from policies.documents import Statement
from policies.model import Registered, Stack, rule

READ = frozenset({"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"})
ONLY_READ = (
    f"lambda.amazonaws.com may {' and '.join(sorted(READ))} for one account's functions "
    "(aws:SourceArn or aws:SourceAccount), and nothing else"
)


@rule
def repository_keeps_what_was_pushed(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A tag names one image for ever, every image is scanned, all are encrypted with the data key, old ones end."""
    for repository in stack.all(aws.REPOSITORY):
        if repository.get("imageTagMutability") != "IMMUTABLE":
            yield repository, "imageTagMutability must be IMMUTABLE"
        if repository.get("imageScanningConfiguration.scanOnPush") is not True:
            yield repository, "set imageScanningConfiguration.scanOnPush"
        encryption = (repository.get("encryptionConfigurations") or [{}])[0]
        key = stack.at(str(encryption.get("kmsKey")), aws.KEY)
        if encryption.get("encryptionType") != "KMS" or key is None:
            yield repository, "must be encrypted with the data key (encryptionType KMS)"
        policies = stack.having(aws.REPOSITORY_LIFECYCLE, repository=repository.output("name"))
        if not any(_ends_something(policy) for policy in policies):
            yield repository, "needs a lifecycle policy that ends old images"


@rule
def repository_admits_lambda_only(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda reads an image as itself: on behalf of named functions or this account, and nothing but reading."""
    for repository in stack.all(aws.REPOSITORY):
        policies = stack.having(aws.REPOSITORY_POLICY, repository=repository.output("name"))
        said = [s for p in policies for s in documents.of(p.get("policy")) if s.allows]
        if not said or not all(_lets_lambda_read(s) for s in said):
            yield repository, f"its policy must be {ONLY_READ}"


def _ends_something(policy: Registered) -> bool:
    rules = (documents.json_object(policy.get("policy")) or {}).get("rules") or []
    return bool(rules) and all(
        (r.get("action") or {}).get("type") == "expire"
        and ((r.get("selection") or {}).get("countNumber") or 0) > 0
        for r in rules
    )


def _lets_lambda_read(statement: Statement) -> bool:
    accounts = {
        value.split(":")[4] if value.count(":") > 4 else value
        for keys in statement.conditions.values()
        for key, values in keys.items()
        if key.lower() in {"aws:sourcearn", "aws:sourceaccount"}
        for value in values
    }
    return (
        statement.is_for("lambda.amazonaws.com")
        and frozenset(statement.actions) == READ
        and len(accounts) == 1
        and accounts.pop().isdigit()
    )


RULES = (
    repository_keeps_what_was_pushed,
    repository_admits_lambda_only,
)
