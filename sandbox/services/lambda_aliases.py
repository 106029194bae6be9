"""Lambda: aliases, permissions, provisioned concurrency."""

from __future__ import annotations

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, physical_name, remove, replaced


def function_name(reference: str) -> str:
    """The bare name in a name, `name:qualifier` or ARN of a function."""
    parts = reference.split(":")
    return parts[6] if reference.startswith("arn:") else parts[0]


@resource("aws:lambda/alias:Alias", ignored=REGION)
def alias(r: Resource) -> Outputs:
    name = physical_name(r, limit=128)
    function = function_name(r.take("functionName"))
    _note_weights(r)
    made = r.api(
        "lambda",
        "create_alias",
        "functionVersion",
        "description",
        "routingConfig",
        FunctionName=function,
        Name=name,
    )
    arn = made["AliasArn"]
    gateway = f"arn:aws:apigateway:{r.aws.region}:lambda:path/2015-03-31/functions"
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "functionName": r.inputs["functionName"],
        "invokeArn": f"{gateway}/{arn}/invocations",
    }


@alias.updates
def update_alias(r: Resource) -> Outputs:
    if r.changed & {"name", "functionName"}:
        delete_alias(r)
        return alias.create(r)
    old = dict(r.old or {})
    name = physical_name(r, limit=128)
    function = function_name(r.take("functionName"))
    _note_weights(r)
    weights = (
        {} if r.inputs.get("routingConfig") else {"RoutingConfig": {"AdditionalVersionWeights": {}}}
    )
    r.api(
        "lambda",
        "update_alias",
        "functionVersion",
        "routingConfig",
        FunctionName=function,
        Name=name,
        Description=r.take("description", ""),
        **weights,
    )
    return old


@alias.deletes
def delete_alias(r: Resource) -> None:
    old = r.old or {}
    function = function_name(old["functionName"])
    remove(r, "lambda", "delete_alias", FunctionName=function, Name=old["name"])


def _note_weights(r: Resource) -> None:
    if (r.inputs.get("routingConfig") or {}).get("additionalVersionWeights"):
        r.note("its weights are recorded: every call goes to its main version")


@resource("aws:lambda/permission:Permission", ignored=REGION)
def permission(r: Resource) -> Outputs:
    statement = physical_name(r, "statementId", limit=100)
    function = r.take("function")
    qualifier = r.take("qualifier")
    r.api(
        "lambda",
        "add_permission",
        "action",
        "eventSourceToken",
        "functionUrlAuthType",
        "invokedViaFunctionUrl",
        "principal",
        "principalOrgId",
        "sourceAccount",
        "sourceArn",
        FunctionName=function,
        Qualifier=qualifier,
        StatementId=statement,
    )
    return {"id": statement, "statementId": statement, "function": function, "qualifier": qualifier}


@permission.deletes
def delete_permission(r: Resource) -> None:
    old = r.old or {}
    qualifier = {"Qualifier": old["qualifier"]} if old.get("qualifier") else {}
    remove(
        r,
        "lambda",
        "remove_permission",
        FunctionName=old["function"],
        StatementId=old["statementId"],
        **qualifier,
    )


permission.updates(replaced(permission.create, delete_permission))


@resource("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig", ignored=REGION)
def provisioned_concurrency(r: Resource) -> Outputs:
    function, qualifier = function_name(r.take("functionName")), r.take("qualifier")
    r.api(
        "lambda",
        "put_provisioned_concurrency_config",
        "provisionedConcurrentExecutions",
        FunctionName=function,
        Qualifier=qualifier,
    )
    r.note("provisioned concurrency is recorded: the first call of a version still starts it")
    return {
        "id": f"{function},{qualifier}",
        "functionName": r.inputs["functionName"],
        "qualifier": qualifier,
        "skipDestroy": bool(r.take("skipDestroy")),
    }


@provisioned_concurrency.updates
def update_provisioned_concurrency(r: Resource) -> Outputs:
    if r.changed & {"functionName", "qualifier"}:
        delete_provisioned_concurrency(r)
    return provisioned_concurrency.create(r)


@provisioned_concurrency.deletes
def delete_provisioned_concurrency(r: Resource) -> None:
    function, _, qualifier = (r.old or {})["id"].partition(",")
    remove(
        r,
        "lambda",
        "delete_provisioned_concurrency_config",
        FunctionName=function,
        Qualifier=qualifier,
    )
