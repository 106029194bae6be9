"""Function URLs that are open, careless or half permitted."""

from __future__ import annotations

from policies.links import FUNCTION, PERMISSION, URL
from tests.support.breaking import Break, again, edited, without
from tests.support.breaks.everything import more

ADDRESS = "list-items-url"
HEX = "[0-9a-f]" * 8
CALL, INVOKE = f"{ADDRESS}-*-{HEX}-permission", f"{ADDRESS}-*-{HEX}-invoke-permission"

# fmt: off
BREAKS = (
    Break("url-belongs-to-an-alias", "must be an alias", more(edited(URL, ADDRESS, {"qualifier": None}))),
    Break("url-belongs-to-an-alias", "must be an alias", more(edited(URL, ADDRESS, {"qualifier": "1"}))),
    Break("url-belongs-to-an-alias", "already has a URL", more(again(URL, ADDRESS))),
    Break("url-belongs-to-an-alias", "invokeMode is STREAM", more(edited(URL, ADDRESS, {"invokeMode": "STREAM"}))),
    *(
        Break("url-belongs-to-an-alias", f"the {runtime.rstrip('.0123456789')} runtimes cannot stream", more(edited(URL, ADDRESS, {"invokeMode": "RESPONSE_STREAM"}), edited(FUNCTION, "list-items-function", {"runtime": runtime})))
        for runtime in ("python3.13", "java21", "dotnet10", "ruby3.4")
    ),
    Break("url-asks-who-is-calling", "must be AWS_IAM", more(edited(URL, ADDRESS, {"authorizationType": "NONE"}))),
    Break("url-asks-who-is-calling", "must be AWS_IAM", more(edited(URL, ADDRESS, {"authorizationType": None}))),
    Break("url-asks-who-is-calling", "must name its origins", more(edited(URL, ADDRESS, {"cors.allowOrigins": ["*"]}))),
    Break("url-asks-who-is-calling", "allowMethods may be", more(edited(URL, ADDRESS, {"cors.allowMethods": ["GET", "OPTIONS"]}))),
    Break("url-asks-who-is-calling", "allowMethods may be", more(edited(URL, ADDRESS, {"cors.allowMethods": ["GET"] * 7}))),
    Break("url-asks-who-is-calling", "maxAge is 86401", more(edited(URL, ADDRESS, {"cors.maxAge": 86_401}))),
    Break("url-is-called-by-named-callers", "principal '*' must be", more(edited(PERMISSION, CALL, {"principal": "*"}))),
    Break("url-is-called-by-named-callers", "principal 'cloudfront.amazonaws.com' must be", more(edited(PERMISSION, INVOKE, {"principal": "cloudfront.amazonaws.com"}))),
    Break("url-is-called-by-named-callers", "belongs to no URL", more(edited(PERMISSION, CALL, {"qualifier": None}))),
    Break("url-is-called-by-named-callers", "belongs to no URL", more(without(URL, ADDRESS))),
    Break("url-is-called-by-named-callers", "belongs to no URL", more(edited(URL, ADDRESS, {"authorizationType": "NONE"}))),
    Break("url-is-called-by-named-callers", "needs functionUrlAuthType AWS_IAM", more(edited(PERMISSION, CALL, {"functionUrlAuthType": "NONE"}))),
    Break("url-is-called-by-named-callers", "and no invokedViaFunctionUrl", more(edited(PERMISSION, CALL, {"invokedViaFunctionUrl": True}))),
    Break("url-is-called-by-named-callers", "needs invokedViaFunctionUrl", more(edited(PERMISSION, INVOKE, {"invokedViaFunctionUrl": False}))),
    Break("url-is-called-by-named-callers", "and no functionUrlAuthType", more(edited(PERMISSION, INVOKE, {"functionUrlAuthType": "AWS_IAM"}))),
    Break("url-is-called-by-named-callers", "allows lambda:*", more(edited(PERMISSION, INVOKE, {"action": "lambda:*"}))),
    Break("url-is-called-by-named-callers", "give lambda:InvokeFunction on", more(without(PERMISSION, INVOKE))),
    Break("url-is-called-by-named-callers", "give lambda:InvokeFunctionUrl on", more(without(PERMISSION, CALL))),
    Break("url-is-called-by-named-callers", "is half of what arn:aws:iam::123456789012:root needs", more(edited(PERMISSION, CALL, {"principal": "arn:aws:iam::123456789012:root"}))),
    Break("url-is-called-by-named-callers", "principal '123456789012' must be", more(edited(PERMISSION, CALL, {"principal": "123456789012"}))),
    Break("permission-names-its-source", "sourceArn is missing", more(edited(PERMISSION, INVOKE, {"invokedViaFunctionUrl": None}))),
)
# fmt: on
