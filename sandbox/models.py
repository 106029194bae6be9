"""botocore's service models, without what only the real AWS needs.

Every client of a sandbox is given its endpoint. The rules and tables that find one (2 MB of JSON, evaluated at each
request) are left out: a client is made in a third of the time, and each call is cheaper.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import botocore
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader as _Loader

_MODEL: Final = "service-2"
_RULES: Final = "endpoint-rule-set-1"
_ENDPOINTS: Final = {
    "version": 3,
    "partitions": [
        {
            "partition": "aws",
            "dnsSuffix": "amazonaws.com",
            "regionRegex": "^[a-z-]+-[0-9]+$",
            "defaults": {"hostname": "{service}.{region}.{dnsSuffix}", "signatureVersions": ["v4"]},
            "regions": {},
            "services": {},
        }
    ],
}


class Loader(_Loader):
    """Finds models in botocore's own package only, and knows no endpoint rules."""

    def __init__(self) -> None:
        self._data = Path(botocore.__file__).parent / "data"
        super().__init__(extra_search_paths=[str(self._data)], include_default_search_paths=False)
        self._services: list[str] = []

    def list_available_services(self, type_name: str) -> list[str]:
        """The services by folder: looking into each for its newest model is left to the one that is loaded."""
        if type_name != _MODEL:
            return list(super().list_available_services(type_name))
        if not self._services:
            self._services = [path.name for path in self._data.iterdir() if path.is_dir()]
        return self._services

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        """A service's model; endpoint rules as for a service that has none, except S3's: they place the bucket."""
        if type_name == _RULES and service_name != "s3":
            raise UnknownServiceError(service_name=service_name, known_service_names="")
        return super().load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """A data file and where it lies; the table of endpoints is the shortest that botocore accepts."""
        if name == "endpoints":
            return _ENDPOINTS, str(self._data / name)
        data, path = super().load_data_with_path(name)
        return data, str(path)
