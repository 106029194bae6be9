"""New code into one resource of a running sandbox, without a run of the program."""

from __future__ import annotations

from sandbox.apply import Engine


def replace(engine: Engine, urn: str) -> None:
    """Apply a resource again, whose archive's files have changed, and all that is told its changed outputs.

    A new version of a function moves the alias that names it; what is derived from an output in another way (text
    put together in the program) is left to the next run of the program.
    """
    before = dict(engine.state.resources[urn].outputs)
    after = engine.touch(urn, engine.registered[urn].inputs)
    moved = {
        value: after[key]
        for key, value in before.items()
        if isinstance(value, str) and isinstance(after.get(key), str) and after[key] != value
    }
    for other in list(engine.registered.values()):
        told = {key for key, urns in other.uses.items() if urn in urns}
        inputs = {
            k: moved.get(v, v) if k in told and isinstance(v, str) else v
            for k, v in other.inputs.items()
        }
        if inputs != dict(other.inputs):
            engine.touch(other.urn, inputs)
