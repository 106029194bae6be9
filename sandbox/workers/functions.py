"""What an execution environment is made of, from the emulator's record of a function.

Nothing here knows MiniStack: the record is the configuration that Lambda's GetFunction shows, the
rest is handed in. That keeps the data plane usable behind another seam.
"""

import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import gmtime, strftime
from typing import Any

from sandbox.workers import trace_daemon

_TEXT = "Text"
# A change of any of these ends the old environments, as any update of a function does on AWS.
_IDENTITY = (
    "RevisionId",
    "Handler",
    "Runtime",
    "Environment",
    "Layers",
    "MemorySize",
    "Timeout",
    "Role",
    "LoggingConfig",
    "TracingConfig",
)


@dataclass(frozen=True)
class Function:
    """One version of a function, and the ways to get what only its first call needs."""

    config: Mapping[str, Any]
    code: bytes
    endpoint: str
    """URL of the emulator, for the handler's own AWS calls."""
    layers: Callable[[], list[bytes]]
    credentials: Callable[[], Mapping[str, str]]

    @property
    def name(self) -> str:
        """Its physical name."""
        return self.config["FunctionName"]

    @property
    def version(self) -> str:
        """`$LATEST` or a number."""
        return self.config.get("Version") or "$LATEST"

    @property
    def slot(self) -> tuple[str, str]:
        """Which environments may serve it: the unqualified ARN (account, region) and version."""
        return ":".join(self.config["FunctionArn"].split(":")[:7]), self.version

    @property
    def make(self) -> tuple[Any, ...]:
        """What its environments are made of; compared, never hashed, so that it costs little."""
        return (self.code, *(self.config.get(key) for key in _IDENTITY))

    @property
    def timeout(self) -> float:
        """Seconds; 3 where none was set, as on AWS."""
        return float(self.config.get("Timeout") or 3)

    @property
    def memory(self) -> int:
        """MB."""
        return int(self.config.get("MemorySize") or 128)

    @property
    def log_group(self) -> str:
        """Where its log events go: its own group unless it names another."""
        return self._logging.get("LogGroup") or f"/aws/lambda/{self.name}"

    @property
    def log_format(self) -> str:
        """`Text` or `JSON`."""
        return self._logging.get("LogFormat") or _TEXT

    @property
    def system_log_level(self) -> str:
        """DEBUG, INFO or WARN; only JSON logs have it."""
        return self._logging.get("SystemLogLevel") or "INFO"

    @property
    def log_level(self) -> str:
        """The application's level; empty for text logs, where the handler decides."""
        if self.log_format == _TEXT:
            return ""
        return self._logging.get("ApplicationLogLevel") or "INFO"

    @property
    def _logging(self) -> Mapping[str, Any]:
        return self.config.get("LoggingConfig") or {}

    def variables(self, *, task: Path, opt: Path, log_stream: str) -> dict[str, str]:
        """Return all that the handler finds in os.environ, apart from the trace id of a call.

        Source: Lambda developer guide, "Defined runtime environment variables". A function may
        change the first group; its own values never replace the reserved ones.
        """
        region = self.config["FunctionArn"].split(":")[3]
        declared = (self.config.get("Environment") or {}).get("Variables") or {}
        reserved = {
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.config.get('Runtime', '')}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "AWS_REGION": region,
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": str(task),
            "_HANDLER": self.config.get("Handler", ""),
        }
        if self.log_format != _TEXT:
            reserved["AWS_LAMBDA_LOG_FORMAT"] = self.log_format
            reserved["AWS_LAMBDA_LOG_LEVEL"] = self.log_level
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": trace_daemon.address(),
            "LANG": "en_US.UTF-8",
            "PATH": f"/usr/local/bin:/usr/bin/:/bin:{opt}/bin",
            "TZ": ":UTC",
            **declared,
            **reserved,
            **self.credentials(),
        }

    def order(self, *, task: Path, opt: Path, scratch: str, log_stream: str) -> dict[str, Any]:
        """Return the message that turns a forked child into an environment of this function."""
        return {
            "handler": self.config.get("Handler", ""),
            "variables": self.variables(task=task, opt=opt, log_stream=log_stream),
            "task": str(task),
            "path": [str(task), *_layer_path(opt)],
            "places": {str(task): "/var/task", str(opt): "/opt"},
            "scratch": scratch,
            "log_format": self.log_format,
            "log_level": self.log_level,
        }


def new_log_stream(version: str) -> str:
    """Name a log stream as Lambda does: date, version, one id per environment."""
    return f"{strftime('%Y/%m/%d', gmtime())}/[{version}]{uuid.uuid4().hex}"


def _layer_path(opt: Path) -> list[str]:
    """Return the folders of the layers that Python searches, in AWS's order.

    The version in the path is this interpreter's: native modules of another one would not load.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = (opt / "python/lib" / version / "site-packages", opt / "python")
    return [str(folder) for folder in candidates if folder.is_dir()]
