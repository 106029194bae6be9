from pathlib import Path


def node_modules():
    return Path("/tmp/nl/node_modules")
