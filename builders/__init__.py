"""Archives for Lambda, built from locked sources: the same bytes on every machine.

wheels        layers/<name>/requirements.txt  -> a layer of Python packages
node_modules  layers/<name>/package-lock.json -> a layer of Node.js modules
go            handlers/<name>/go.mod          -> a function's `bootstrap`
zips          the zip file they all end in, and Lambda's limits of its size
files         which files of a folder are deployed
fingerprint   the mark in an archive's name: another one when its sources change

Standard library and PyPA's `packaging` only. Nothing is printed, and every failure is a `BuildError` of one line.
"""

from __future__ import annotations

from builders.errors import BuildError

__all__ = ["BuildError"]
