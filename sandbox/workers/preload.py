"""What the zygote loads and builds, so that a fork of it starts warm and copies few pages."""

import contextlib
import gc
import os
import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from sandbox.workers import memory, model_seams, runtime

PREPARED_CLIENTS = ("dynamodb", "s3", "sqs", "sns", "secretsmanager")
"""Services whose models are parsed once, here, and shared by all environments."""


def preload() -> None:
    """Import boto3, build one client per common service, and rehearse one call."""
    if sys.platform == "darwin":
        _avoid_apple_frameworks()
    import boto3
    import boto3.dynamodb.conditions
    import boto3.dynamodb.types  # most handlers that touch DynamoDB need both
    import botocore.configprovider

    _share_service_models()
    # MiniStack serves all hosts under one name; the same switch as a variable would be visible.
    defaults: dict[str, Any] = botocore.configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES
    if "disable_host_prefix_injection" in defaults:
        name, variable, _default, convert = defaults["disable_host_prefix_injection"]
        defaults["disable_host_prefix_injection"] = (name, variable, True, convert)
    _send_emulator_headers()
    with _stand_in() as port, _throwaway_variables(port):
        session = boto3.session.Session()
        for service in PREPARED_CLIENTS:
            session.client(service)
        _rehearse(session.resource("dynamodb"))
    # A session reads variables when it is used: this one is as good as a handler's own.
    boto3.setup_default_session()
    gc.collect()
    memory.trim()


def _rehearse(tables: Any) -> None:
    """Make one call that nobody answers: what only a call loads is loaded, and shared, from then on."""
    import botocore.exceptions

    with contextlib.suppress(botocore.exceptions.BotoCoreError):
        tables.Table("none").get_item(Key={"id": "none"})


def _share_service_models() -> None:
    """Let every botocore loader use one cache of parsed service models, without their prose.

    A function that sets AWS_DATA_PATH has models of its own, hence a cache of its own.
    """
    import botocore.loaders

    initialise = botocore.loaders.Loader.__init__
    shared: dict[Any, Any] = {}

    def initialise_shared(self: Any, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        if hasattr(self, "_cache") and "AWS_DATA_PATH" not in os.environ:
            self._cache = shared

    botocore.loaders.Loader.__init__ = initialise_shared
    reader: Any = botocore.loaders.JSONFileLoader
    reader.load_file = model_seams.without_prose(botocore.loaders, reader.load_file)


def _send_emulator_headers() -> None:
    """Add the emulator's own headers to calls: its loop guard counts nested invocations."""
    import botocore.handlers

    def add(params: dict[str, Any], **_: Any) -> None:
        params["headers"].update(runtime.headers)

    botocore.handlers.BUILTIN_HANDLERS.append(("before-call", add))


def _avoid_apple_frameworks() -> None:
    """Read proxies from the environment only: asking macOS after a fork crashes the process."""
    import urllib.request

    environment_only: Any = urllib.request
    environment_only.getproxies = environment_only.getproxies_environment
    environment_only.proxy_bypass = environment_only.proxy_bypass_environment


@contextlib.contextmanager
def _stand_in() -> Iterator[int]:
    """Hold a port that refuses connections, and yield its number."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextlib.contextmanager
def _throwaway_variables(port: int) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(
        AWS_ACCESS_KEY_ID="none",
        AWS_SECRET_ACCESS_KEY="none",  # noqa: S106 - it never leaves this process
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        AWS_MAX_ATTEMPTS="1",
    )
    yield
    os.environ.clear()
    os.environ.update(before)


def fill_holes() -> list[bytes]:
    """Return objects that occupy the free room between those that were loaded.

    An environment's own objects would go there and copy shared pages, one for each hole. The free
    blocks per size come from CPython's allocator statistics; without them nothing is filled.
    """
    report = getattr(sys, "_debugmallocstats", None)
    if report is None:
        return []
    header = sys.getsizeof(b"")
    filling: list[bytes] = []
    for size, free in _free_blocks(report):
        if size > header:
            filling += [bytes(size - header) for _ in range(free)]
    return filling


def _free_blocks(report: Any) -> list[tuple[int, int]]:
    """Read (block size, free blocks) from the table that CPython prints to standard error."""
    with tempfile.TemporaryFile() as printed:
        kept = os.dup(2)
        os.dup2(printed.fileno(), 2)
        try:
            report()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        printed.seek(0)
        text = printed.read().decode("ascii", "replace")
    # class, size, pools, blocks in use, available blocks
    rows = re.findall(r"^ *\d+ +(\d+) +\d+ +\d+ +(\d+) *$", text, re.MULTILINE)
    return [(int(size), int(free)) for size, free in rows]
