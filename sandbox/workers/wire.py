"""Frames between the emulator and a forked environment: kind, number, payload.

Both sides import this module, so it uses the standard library only. A stream socket carries the
frames because macOS has no sequenced packets, and because end-of-file is how a child learns that
the emulator is gone.
"""

import array
import json
import socket
import struct
import time
from typing import Any

# Payload length, kind, and one free number: a reply carries the peak memory of the child in KiB.
HEADER = struct.Struct("!IcI")

START = b"S"
"""Emulator to zygote: fork an environment; two descriptors travel along (socket, log file)."""
CALL = b"C"
"""Emulator to environment: one event."""
BORN = b"B"
"""An environment exists; the number is its process id."""
READY = b"Y"
"""The zygote is warm, or an environment has loaded its handler."""
RESULT = b"R"
"""The handler's answer, as JSON."""
FAULT = b"F"
"""The error document that AWS would answer with, as JSON."""
EXIT = b"X"
"""A child of the zygote ended: the payload is `[process id, exit code]`."""


class ClosedError(Exception):
    """The other side is gone."""


class Stream:
    """A socket that sends and receives whole frames."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._buffer = bytearray()

    def send(
        self,
        kind: bytes,
        payload: bytes = b"",
        *,
        number: int = 0,
        descriptors: tuple[int, ...] = (),
    ) -> None:
        """Send one frame; raises `ClosedError` when nobody reads any more."""
        header = HEADER.pack(len(payload), kind, number)
        try:
            if descriptors:
                socket.send_fds(self.socket, [header], list(descriptors))
                self.socket.sendall(payload)
            else:
                self.socket.sendall(header + payload)
        except ConnectionError as error:
            raise ClosedError from error

    def receive(self, seconds: float | None = None) -> tuple[bytes, int, bytes]:
        """Return (kind, number, payload); raises `TimeoutError` after `seconds`, or `ClosedError`."""
        deadline = None if seconds is None else time.monotonic() + seconds
        length, kind, number = HEADER.unpack(self._take(HEADER.size, deadline))
        return kind, number, self._take(length, deadline)

    def receive_with_descriptors(self) -> tuple[bytes, list[int]]:
        """Return (payload, descriptors) of a frame sent with descriptors; raises `ClosedError`.

        They arrive with the header's first byte, so nothing beyond the header is read with it.
        """
        room = socket.CMSG_SPACE(2 * array.array("i").itemsize)
        header, ancillary, _flags, _address = self.socket.recvmsg(HEADER.size, room)
        if not header:
            raise ClosedError
        descriptors = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        header += self._exactly(HEADER.size - len(header))
        return self._exactly(HEADER.unpack(header)[0]), list(descriptors)

    def close(self) -> None:
        """Close the socket; the other side sees end-of-file."""
        self.socket.close()

    def _take(self, count: int, deadline: float | None) -> bytes:
        while len(self._buffer) < count:
            self._wait_until(deadline)
            try:
                chunk = self.socket.recv(max(65536, count - len(self._buffer)))
            except ConnectionError as error:
                raise ClosedError from error
            if not chunk:
                raise ClosedError
            self._buffer += chunk
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _wait_until(self, deadline: float | None) -> None:
        if deadline is None:
            return
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self.socket.settimeout(remaining)

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            chunk = self.socket.recv(count - len(parts))
            if not chunk:
                raise ClosedError
            parts += chunk
        return bytes(parts)


def dump(value: Any) -> bytes:
    """Encode a message as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()
