"""The address that functions send their segments to: UDP on loopback, in the words of the X-Ray daemon.

Source: X-Ray developer guide, "Sending segment documents to the X-Ray daemon": a line of JSON that names the format, then
the document.
"""

import functools
import logging
import socket
import threading
from typing import Final

from sandbox.workers import traces

_HOST: Final = "127.0.0.1"
_WAITING_BYTES: Final = 4 * 1024 * 1024
"""What may wait to be read: a burst of calls sends its documents at once."""
_LARGEST: Final = 65_535
_HEADER: Final = b'{"format"'

logger = logging.getLogger("sandbox.workers")


@functools.cache
def address() -> str:
    """The daemon's address, `127.0.0.1:PORT`; it listens from the first time that somebody asks."""
    # Not closed: it lives as long as the emulator.
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WAITING_BYTES)
    opened.bind((_HOST, 0))
    threading.Thread(target=_listen, args=(opened,), daemon=True, name="x-ray").start()
    return f"{_HOST}:{opened.getsockname()[1]}"


def _listen(opened: socket.socket) -> None:
    while True:
        datagram = opened.recv(_LARGEST)
        head, _, document = datagram.partition(b"\n")
        if not head.replace(b" ", b"").startswith(_HEADER):
            continue
        why = traces.take(document.decode("utf-8", "replace").strip())
        if why is not None:
            logger.warning("X-Ray: a segment is dropped: %s", why)
