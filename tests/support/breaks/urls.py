"""Function URLs that are open, careless or half permitted."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, again, edited, without
from tests.support.breaks.everything import more

ADDRESS = "list-items-url"
HEX = "[0-9a-f]" * 8
CALL, INVOKE = f"{ADDRESS}-*-{HEX}-permission", f"{ADDRESS}-*-{HEX}-invoke-permission"

# fmt: off
BREAKS = (
    Break("url-belongs-to-an-alias", "must be an alias", more(edited(aws.FUNCTION_URL, ADDRESS, {"qualifier": None}))),
    Break("url-belongs-to-an-alias", "must be an alias", more(edited(aws.FUNCTION_URL, ADDRESS, {"qualifier": "1"}))),
    Break("url-belongs-to-an-alias", "already has a URL", more(again(aws.FUNCTION_URL, ADDRESS))),
    Break("url-belongs-to-an-alias", "invokeMode is STREAM", more(edited(aws.FUNCTION_URL, ADDRESS, {"invokeMode": "STREAM"}))),
    *(
        Break("url-belongs-to-an-alias", f"the {runtime.rstrip('.0123456789')} runtimes cannot stream", more(edited(aws.FUNCTION_URL, ADDRESS, {"invokeMode": "RESPONSE_STREAM"}), edited(aws.FUNCTION, "list-items-function", {"runtime": runtime})))
        for runtime in ("python3.13", "java21", "dotnet10", "ruby3.4")
    ),
    Break("url-asks-who-is-calling", "must be AWS_IAM", more(edited(aws.FUNCTION_URL, ADDRESS, {"authorizationType": "NONE"}))),
    Break("url-asks-who-is-calling", "must be AWS_IAM", more(edited(aws.FUNCTION_URL, ADDRESS, {"authorizationType": None}))),
    Break("url-asks-who-is-calling", "must name its origins", more(edited(aws.FUNCTION_URL, ADDRESS, {"cors.allowOrigins": ["*"]}))),
    Break("url-asks-who-is-calling", "allowMethods may be", more(edited(aws.FUNCTION_URL, ADDRESS, {"cors.allowMethods": ["GET", "OPTIONS"]}))),
    Break("url-asks-who-is-calling", "allowMethods may be", more(edited(aws.FUNCTION_URL, ADDRESS, {"cors.allowMethods": ["GET"] * 7}))),
    Break("url-asks-who-is-calling", "maxAge is 86401", more(edited(aws.FUNCTION_URL, ADDRESS, {"cors.maxAge": 86_401}))),
    Break("url-is-called-by-named-callers", "principal '*' must be", more(edited(aws.PERMISSION, CALL, {"principal": "*"}))),
    Break("url-is-called-by-named-callers", "principal 'cloudfront.amazonaws.com' must be", more(edited(aws.PERMISSION, INVOKE, {"principal": "cloudfront.amazonaws.com"}))),
    Break("url-is-called-by-named-callers", "belongs to no URL", more(edited(aws.PERMISSION, CALL, {"qualifier": None}))),
    Break("url-is-called-by-named-callers", "belongs to no URL", more(without(aws.FUNCTION_URL, ADDRESS))),
    Break("url-is-called-by-named-callers", "for everybody must be", more(edited(aws.FUNCTION_URL, ADDRESS, {"authorizationType": "NONE"}))),
    Break("url-is-called-by-named-callers", "needs functionUrlAuthType AWS_IAM", more(edited(aws.PERMISSION, CALL, {"functionUrlAuthType": "NONE"}))),
    Break("url-is-called-by-named-callers", "and no invokedViaFunctionUrl", more(edited(aws.PERMISSION, CALL, {"invokedViaFunctionUrl": True}))),
    Break("url-is-called-by-named-callers", "needs invokedViaFunctionUrl", more(edited(aws.PERMISSION, INVOKE, {"invokedViaFunctionUrl": False}))),
    Break("url-is-called-by-named-callers", "and no functionUrlAuthType", more(edited(aws.PERMISSION, INVOKE, {"functionUrlAuthType": "AWS_IAM"}))),
    Break("url-is-called-by-named-callers", "allows lambda:*", more(edited(aws.PERMISSION, INVOKE, {"action": "lambda:*"}))),
    Break("url-is-called-by-named-callers", "give lambda:InvokeFunction on", more(without(aws.PERMISSION, INVOKE))),
    Break("url-is-called-by-named-callers", "give lambda:InvokeFunctionUrl on", more(without(aws.PERMISSION, CALL))),
    Break("url-is-called-by-named-callers", "is half of what arn:aws:iam::123456789012:root needs", more(edited(aws.PERMISSION, CALL, {"principal": "arn:aws:iam::123456789012:root"}))),
    Break("url-is-called-by-named-callers", "principal '123456789012' must be", more(edited(aws.PERMISSION, CALL, {"principal": "123456789012"}))),
    Break("permission-names-its-source", "sourceArn is missing", more(edited(aws.PERMISSION, INVOKE, {"invokedViaFunctionUrl": None}))),
)
# fmt: on
