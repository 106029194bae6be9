"""Runs a module until its standard input closes: `python -m sandbox.leash MODULE`.

The emulator of a test must not outlive the test, even one that is killed: the test holds the other end of the pipe,
and whatever ends it closes that.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Watch standard input in a thread, and run the module named on the command line as `__main__`."""
    threading.Thread(target=_watch, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _watch() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
