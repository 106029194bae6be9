"""Lambda: code signing, recursion, runtime updates: what stands beside a function."""

from __future__ import annotations

import hashlib
import time

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.lambda_aliases import function_name
from sandbox.services.shared import REGION, tags


@resource(
    "aws:lambda/codeSigningConfig:CodeSigningConfig",
    ignored=REGION,
    not_simulated="signatures are not checked: any code deploys",
)
def code_signing_config(r: Resource) -> Outputs:
    mark = f"csc-{hashlib.sha256(r.urn.encode()).hexdigest()[:17]}"
    arn = f"arn:aws:lambda:{r.aws.region}:{r.aws.account}:code-signing-config:{mark}"
    return {
        "id": arn,
        "arn": arn,
        "configId": mark,
        "lastModified": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "tagsAll": tags(r),
    }


@resource("aws:lambda/functionRecursionConfig:FunctionRecursionConfig", ignored=REGION)
def function_recursion_config(r: Resource) -> Outputs:
    reference = r.take("functionName")
    function = function_name(reference)
    r.note("only functions that call themselves or each other are stopped, not loops over a queue")
    r.api("lambda", "put_function_recursion_config", "recursiveLoop", FunctionName=function)
    return {"id": reference, "functionName": reference}


@function_recursion_config.updates
def update_function_recursion_config(r: Resource) -> Outputs:
    if "functionName" in r.changed:
        delete_function_recursion_config(r)
    return function_recursion_config.create(r)


@function_recursion_config.deletes
def delete_function_recursion_config(r: Resource) -> None:
    """There is always one on AWS: taking it away is setting the default."""
    from botocore.exceptions import ClientError

    from sandbox.faults import is_missing

    function = function_name((r.old or {})["functionName"])
    try:
        r.call(
            "lambda",
            "put_function_recursion_config",
            FunctionName=function,
            RecursiveLoop="Terminate",
        )
    except ClientError as error:
        if not is_missing(error):
            raise


@resource(
    "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig",
    ignored=REGION,
    not_simulated="functions run on this machine's interpreters, whatever runtime updates are asked for",
)
def runtime_management_config(r: Resource) -> Outputs:
    reference, qualifier = r.take("functionName"), r.take("qualifier")
    arn = f"arn:aws:lambda:{r.aws.region}:{r.aws.account}:function:{function_name(reference)}"
    return {
        "id": f"{reference},{qualifier}" if qualifier else reference,
        "functionArn": f"{arn}:{qualifier}" if qualifier else arn,
        "functionName": reference,
    }
