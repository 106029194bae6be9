"""Nothing leaves this machine: a function's connections end at its border, with the words that say so.

It watches Python's own audit events, so that every library is covered and none of them looks different. Standard
library only: the process that forks environments loads it.
"""

import errno
import ipaddress
import os
import socket
import sys
from typing import Any

VARIABLE = "SANDBOX_NETWORK"
"""`open` in the environment of whoever starts the sandbox lets functions reach other machines."""
SAID = "the sandbox lets nothing leave this machine"

FOR_NODE = """
{
  const net = require("node:net");
  const connect = net.Socket.prototype.connect;
  const here = (host) => !host || /^(.+[.])?localhost$/i.test(host) || /^(::ffff:)?127[.]/.test(host)
    || ["::1", "::", "0.0.0.0"].includes(host);
  net.Socket.prototype.connect = function (...given) {
    const first = Array.isArray(given[0]) ? given[0][0] : given[0];
    const port = typeof first === "number" || /^[0-9]+$/.test(first);
    const host = typeof first === "object" ? !first.path && first.host : port && typeof given[1] === "string" && given[1];
    if (here(host)) return connect.apply(this, given);
    const text = `connect ECONNREFUSED ${host}: SAID`;
    process.nextTick(() => this.destroy(Object.assign(new Error(text), { code: "ECONNREFUSED" })));
    return this;
  };
}
""".replace("SAID", SAID)
"""The same for Node.js, run before a function's code."""


def is_open() -> bool:
    """Whether functions may reach other machines."""
    return os.environ.get(VARIABLE) == "open"


def shut() -> None:
    """Refuse connections to other machines, and look none up, in this process and what it forks."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        opened, address = arguments
        internet = opened.family in (socket.AF_INET, socket.AF_INET6) and address
        if internet and not is_here(address[0]):
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{SAID}: {address[0]}:{address[1]}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and _is_elsewhere(arguments[0]):
        raise socket.gaierror(socket.EAI_NONAME, f"{SAID}: {arguments[0]}")


def is_here(host: str | bytes | None) -> bool:
    """Whether a host is this machine; nothing is asked for it."""
    name = host.decode("latin-1") if isinstance(host, bytes) else host or ""
    name = name.lower().rstrip(".")
    if name in ("", "localhost", socket.gethostname().lower()) or name.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_unspecified


def _is_elsewhere(host: str | bytes | None) -> bool:
    """Whether to look the host up is to ask another machine; an address needs no looking up, wherever it leads."""
    if is_here(host):
        return False
    try:
        ipaddress.ip_address(host.decode("latin-1") if isinstance(host, bytes) else host or "")
    except ValueError:
        return True
    return False
