"""REST APIs from an OpenAPI document: read in API Gateway's own dialect, expanded into the emulator's resources.

`read` turns the text of a document into a `Plan` and refuses what API Gateway would refuse or silently drop; `expand`
brings an API of the emulator to what a plan says, leaving what is already so untouched.
"""

from sandbox.openapi.document import read
from sandbox.openapi.expand import expand
from sandbox.openapi.integrations import LONGEST_MILLIS
from sandbox.openapi.plan import Method, Plan
from sandbox.openapi.problems import DialectError

__all__ = ["LONGEST_MILLIS", "DialectError", "Method", "Plan", "expand", "read"]
