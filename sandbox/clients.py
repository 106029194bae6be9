"""API clients of one sandbox: made once each, shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

ACCOUNT: Final = "000000000000"
KEY: Final = "test"
"""Access key and secret of the emulator's administrator."""


_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 60


class Clients:
    """botocore clients of one sandbox, cached; making one is not thread-safe, hence the lock.

    botocore is imported at the first use: starting the emulator comes before everything heavy. `seed` is this
    sandbox's secret random number: it derives what must be unguessable, and lies in no file. While the emulator still
    starts, `booting` is how to wait for it and get the seed: the first client asked for waits, not the program.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        *,
        account: str = ACCOUNT,
        key: str = KEY,
        seed: bytes = b"",
        booting: Callable[[], bytes] | None = None,
    ) -> None:
        self.account = account
        self.region = region
        self.endpoint = endpoint
        self._seed = seed
        self._booting = booting
        self._key = key
        self._lock = threading.Lock()
        self._session: Any = None
        self._pool: Any = None
        self._clients: dict[str, Any] = {}

    @property
    def seed(self) -> bytes:
        """The sandbox's random number. Waits while the emulator starts; raises `Mistake` where it does not."""
        # Read once: many threads wait here, and the first to go on clears it.
        booting = self._booting
        if booting is not None:
            self._seed = booting()
            self._booting = None
        return self._seed

    def client(self, service: str) -> Any:
        """The shared client of a service, e.g. "sqs"; named as boto3 names it. Waits while the emulator starts."""
        _ = self.seed
        found = self._clients.get(service)
        if found is None:
            with self._lock:
                found = self._clients.get(service) or self._make(service)
                self._clients[service] = found
        return found

    def input_shape(self, service: str, operation: str) -> Any:
        """Input shape, in botocore's model, of an operation named in snake_case."""
        meta = self.client(service).meta
        return meta.service_model.operation_model(meta.method_to_api_mapping[operation]).input_shape

    def _make(self, service: str) -> Any:
        from sandbox import direct

        if self._session is None:
            self._session = _session()
            self._pool = direct.Pool(
                self.endpoint, connect_seconds=_CONNECT_SECONDS, read_seconds=_READ_SECONDS
            )
        client = self._session.create_client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self._key,
            aws_secret_access_key=self._key,
            config=self.config(),
        )
        client._endpoint.http_session = direct.Session(self._pool, client._endpoint.http_session)
        return client

    @staticmethod
    def config() -> Any:
        """The settings every client of a sandbox takes."""
        from botocore.config import Config

        return Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=32,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            s3={"addressing_style": "path"},
            # The emulator is on loopback: a checksum of every body guards nothing there and costs time.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            proxies={},
            # The emulator answers what it does not understand, as AWS does; checking twice costs a tenth of each call.
            parameter_validation=False,
        )


def _session() -> Any:
    """A botocore session that reads neither the user's profile nor environment."""
    import botocore.session

    from sandbox.models import Loader

    variables = {
        "profile": (None, None, None, None),
        "config_file": (None, None, None, None),
        "credentials_file": (None, None, None, None),
        "ignore_configured_endpoint_urls": (None, None, True, None),
    }
    session = botocore.session.Session(session_vars=variables)
    session.register_component("data_loader", Loader())
    return session
