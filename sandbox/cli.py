"""The command line: `python -m sandbox up` and its companions."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sandbox import commands
from sandbox.errors import Mistake
from sandbox.operations import arguments

_EPILOG: Final = """\
The sandbox runs __main__.py unchanged on an emulated AWS in one local process; nothing leaves this machine.
Its state lies in .sandbox/ of the checkout. Admin clients use access key and secret `test` at the endpoint
that `outputs --json` names."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit code: 0, 1 for a failure, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
        sys.stdout.flush()
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return mistake.code
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; the flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from sandbox.faults import aws_said, is_expected

        if not is_expected(error):
            raise
        print(aws_said(error), file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Brings this program up on an embedded AWS.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-C",
        "--cwd",
        type=Path,
        metavar="DIR",
        help="the folder of the program (default: this checkout)",
    )
    add = parser.add_subparsers(title="commands", required=True, metavar="COMMAND").add_parser
    _add_up(
        add("up", help="start the sandbox, or apply what changed", description=_UP), commands.up
    )
    _add_up(
        add("watch", help="up, then follow logs and apply every saved file", description=_WATCH),
        commands.watch,
    )
    for name, run, text in (
        ("outputs", commands.outputs, "the stack's outputs"),
        ("token", commands.token, "print a token for the API, and nothing else"),
        ("invoke", commands.invoke, "call a function; exit code 1 where it fails"),
        ("logs", commands.logs, "what the functions have logged"),
        ("status", commands.status, "what runs, and where it does less or more than AWS"),
        ("down", commands.down, "end it; without --stack every sandbox of this checkout"),
    ):
        command = add(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.add_argument("--stack", help="which stack (default: the running one)")
        command.set_defaults(run=run)
        if more := _OPTIONS.get(name):
            more(command)
    arguments.add(add)
    return parser


_UP: Final = """\
Starts the sandbox and runs the program on it; run again, it applies only what changed. Where a change cannot be
applied in place the sandbox starts over and says why. It returns and leaves the sandbox running in the background."""

_WATCH: Final = """\
Does what `up` does, then streams the handlers' logs. Saving a handler swaps the code of the functions that carry it,
saving the program or a stack file applies the change. Ctrl-C ends the watching; the sandbox stays until `down`."""


def _add_up(command: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    command.add_argument("--stack", default="dev", help="reads Pulumi.STACK.yaml (default: dev)")
    command.add_argument(
        "--port", type=_port, help="port on 127.0.0.1 (default: one of this checkout's own)"
    )
    command.add_argument(
        "--alarm-seconds",
        type=_seconds,
        metavar="N",
        help="how long a minute of CloudWatch lasts, so that alarms need not be waited for (default: 60)",
    )
    command.add_argument(
        "-c",
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting for this run: functions.create-item.memory_size=512, aws:region=eu-west-1, or JSON; repeatable",
    )
    command.set_defaults(run=run)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"must be 1 to 65535 (got {text})")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.05 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"must be 0.05 to 3600 seconds (got {text})")
    return seconds


def _outputs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--json", action="store_true", help="endpoint, region, stack and outputs as JSON"
    )


def _token(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--subject", metavar="NAME", help="whom the token names (default: developer)"
    )
    command.add_argument(
        "--expires", type=int, metavar="SECONDS", help="default: 3600; below 0: expired"
    )
    other = command.add_mutually_exclusive_group()
    other.add_argument(
        "--cognito",
        action="store_true",
        help="an access token of a user in the stack's pool, made where missing",
    )
    other.add_argument("--api-key", action="store_true", help="the value of the API key instead")


def _invoke(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="the function, as in `outputs`")
    command.add_argument(
        "--event", metavar="FILE", help="a JSON file, or - for standard input (default: {})"
    )


def _logs(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", nargs="?", help="one function (default: all)")
    command.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C")
    command.add_argument(
        "--find", metavar="TEXT", default="", help="lines with this text only: a correlation id"
    )


def _status(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ignored", action="store_true", help="list each ignored input with its reason"
    )


_OPTIONS: Final[dict[str, Callable[[argparse.ArgumentParser], None]]] = {
    "outputs": _outputs,
    "token": _token,
    "invoke": _invoke,
    "logs": _logs,
    "status": _status,
}
