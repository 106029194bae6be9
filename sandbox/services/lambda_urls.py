"""Lambda: function URLs, at an address that can be reached here."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.lambda_aliases import function_name
from sandbox.services.shared import REGION, remove

_PUBLIC: Final[dict[str, dict[str, Any]]] = {
    "FunctionURLAllowPublicAccess": {
        "Action": "lambda:InvokeFunctionUrl",
        "FunctionUrlAuthType": "NONE",
    },
    "FunctionURLAllowInvokeAction": {
        "Action": "lambda:InvokeFunction",
        "InvokedViaFunctionUrl": True,
    },
}
"""What the provider itself permits for a URL of type NONE, by statement id; it never takes it back."""


@resource("aws:lambda/functionUrl:FunctionUrl", ignored=REGION)
def function_url(r: Resource) -> Outputs:
    place = _place(r)
    made = r.api("lambda", "create_function_url_config", *_SETTINGS, rename=_RENAME, **place)
    _permit(r, place)
    return _outputs(r, made)


@function_url.updates
def update_function_url(r: Resource) -> Outputs:
    """Its address stays: only another function or alias makes another URL."""
    if r.changed & {"functionName", "qualifier"}:
        delete_function_url(r)
        return function_url.create(r)
    place = _place(r)
    gone = {} if r.inputs.get("cors") else {"Cors": {}}
    made = r.api(
        "lambda", "update_function_url_config", *_SETTINGS, rename=_RENAME, **place, **gone
    )
    _permit(r, place)
    return _outputs(r, made)


@function_url.deletes
def delete_function_url(r: Resource) -> None:
    old = r.old or {}
    qualifier = {"Qualifier": old["qualifier"]} if old.get("qualifier") else {}
    function = function_name(old["functionName"])
    remove(r, "lambda", "delete_function_url_config", FunctionName=function, **qualifier)


_SETTINGS: Final = ("authorizationType", "cors", "invokeMode")
_RENAME: Final = {"authorizationType": "AuthType"}


def _place(r: Resource) -> dict[str, str]:
    if r.inputs.get("invokeMode") == "RESPONSE_STREAM":
        r.note("its answers are sent once they are whole: nothing is streamed here")
    place = {"FunctionName": function_name(r.take("functionName"))}
    if qualifier := r.take("qualifier"):
        place["Qualifier"] = qualifier
    return place


def _permit(r: Resource, place: dict[str, str]) -> None:
    from botocore.exceptions import ClientError

    if r.inputs.get("authorizationType") != "NONE":
        return
    for statement, rights in _PUBLIC.items():
        try:
            r.call(
                "lambda", "add_permission", StatementId=statement, Principal="*", **rights, **place
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceConflictException":
                raise


def _outputs(r: Resource, made: dict[str, Any]) -> Outputs:
    """The address as this machine reaches it: the path form, which needs no name resolution."""
    mark = made["FunctionUrl"].partition("://")[2].partition(".")[0]
    reference, qualifier = r.inputs["functionName"], r.inputs.get("qualifier")
    arn = f"arn:aws:lambda:{r.aws.region}:{r.aws.account}:function:{function_name(reference)}"
    return {
        "id": f"{reference}/{qualifier}" if qualifier else reference,
        "functionArn": f"{arn}:{qualifier}" if qualifier else arn,
        "functionName": reference,
        "functionUrl": f"{r.aws.endpoint}/_aws/lambda-url/{mark}/",
        "qualifier": qualifier,
        "urlId": mark,
    }
