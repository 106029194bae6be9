"""What to try on a stack that is up, as lines to paste into a shell."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox import dashboard, reference

if TYPE_CHECKING:
    from sandbox.place import Place
    from sandbox.session import Outcome

_DASHBOARD: Final = "aws:cloudwatch/dashboard:Dashboard"
_ITEM: Final = '{"name": "Notebook", "price": "4.50"}'
_USER: Final = '{"user_id": "u1", "name": "Ada", "email": "ada@example.com"}'
_QUERY: Final = '{"query": "{ items { items { id name price } } }"}'
_JSON: Final = "-H 'Content-Type: application/json'"
_BEARER: Final = '-H "Authorization: Bearer $TOKEN"'


def lines(outcome: Outcome, place: Place) -> list[str]:
    """A few requests on what this stack exports; nothing for what it lacks."""
    from sandbox import domains

    exports = dict(outcome.exports)
    for name in {"apiUrl", "httpApiUrl", "socketUrl"} & exports.keys():
        exports[name] = domains.local(outcome.engine.aws, str(exports[name]))
    found = [
        *_rest(outcome, exports),
        *_http(exports, place.stack),
        *_graphql(exports, place.stack),
        *_balancer(exports),
        *_socket(exports),
    ]
    if exports.get("apiUrl") and reference.exists(place.root):
        found.append(f"  {outcome.emulator.endpoint}{reference.PATH} (API reference, in a browser)")
    if exports.get("alarms"):
        found.append(
            f"  {interpreter()} -m sandbox alarms --stack {place.stack} (or: metrics, traces)"
        )
    if any(each["type"] == _DASHBOARD for each in outcome.declared):
        found.append(f"  {outcome.emulator.endpoint}{dashboard.PATH} (dashboard, in a browser)")
    return found


def _rest(outcome: Outcome, exports: Mapping[str, Any]) -> list[str]:
    """Create an item, list them all."""
    if not (exports.get("apiUrl") and exports.get("authSecretArn")):
        return []
    from sandbox import tokens

    url = str(exports["apiUrl"]).rstrip("/")
    token = tokens.make(outcome.engine.aws, exports)
    return [
        f"  TOKEN='{token}'",
        f"  curl -sS -X POST {url}/items {_BEARER} {_JSON} -d '{_ITEM}'",
        f"  curl -sS {url}/items {_BEARER}",
    ]


def _http(exports: Mapping[str, Any], stack: str) -> list[str]:
    """Create a user, with a token of the user pool."""
    if not (exports.get("httpApiUrl") and exports.get("userPoolId")):
        return []
    url = str(exports["httpApiUrl"]).rstrip("/")
    bearer = f'-H "Authorization: Bearer $({_cognito(stack)})"'
    return [f"  curl -sS -X POST {url}/users {bearer} {_JSON} -d '{_USER}'"]


def _cognito(stack: str) -> str:
    """The command that prints a token of the user pool."""
    return f"{interpreter()} -m sandbox token --cognito --stack {stack}"


def _graphql(exports: Mapping[str, Any], stack: str) -> list[str]:
    """Ask for the items; AppSync takes the token alone, without `Bearer`."""
    if not (exports.get("graphqlUrl") and exports.get("userPoolId")):
        return []
    token = f'-H "Authorization: $({_cognito(stack)})"'
    return [f"  curl -sS -X POST {exports['graphqlUrl']} {token} {_JSON} -d '{_QUERY}'"]


def _balancer(exports: Mapping[str, Any]) -> list[str]:
    """Health, behind the load balancer."""
    url = exports.get("loadBalancerUrl")
    return [f"  curl -sS {str(url).rstrip('/')}/health"] if url else []


def interpreter() -> str:
    """The Python that runs this, which has the packages, as a shell takes it: relative where it lies below this folder."""
    # Not resolved: a virtual environment's is a link to another one, which has none of its packages.
    found, here = Path(sys.executable), Path.cwd()
    return shlex.quote(str(found.relative_to(here) if found.is_relative_to(here) else found))


def _socket(exports: Mapping[str, Any]) -> list[str]:
    """Follow the items: each change is printed as it comes."""
    if not (exports.get("socketUrl") and exports.get("authSecretArn")):
        return []
    if importlib.util.find_spec("websockets") is None:
        return []
    url = str(exports["socketUrl"])
    code = (
        f"from websockets.sync.client import connect; s = connect('{url}?token=$TOKEN', legacy=True); "
        """s.send('{\\"action\\": \\"subscribe\\", \\"topic\\": \\"items\\"}'); [print(m) for m in s]"""
    )
    return [f'  {interpreter()} -c "{code}"']
