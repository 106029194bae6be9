"""`python -m sandbox`: see `cli`."""

import gc
import os
import sys

from sandbox.cli import main

if __name__ == "__main__":
    # Nearly all that a command makes lives to its end: looking for garbage, and taking everything apart at the
    # end, would cost more than the command's own work. The commands that stay turn the collector on.
    gc.disable()
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
