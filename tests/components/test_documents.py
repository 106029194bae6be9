"""Large documents as text, their Outputs filled in."""

from __future__ import annotations

import json

import pulumi
import pytest

from components.documents import json_text
from tests.support.program import Run
from tests.support.tiny import tiny


def written(document: object) -> Run:
    """A program that exports a document as text."""
    return tiny(lambda _: pulumi.export("text", json_text(document)))


@pytest.mark.parametrize(
    "document",
    [{}, [], None, "text", {"b": 1, "a": [True, 1.5, {"c": None}]}, {"quotes": '"', "é": "\u2028"}],
)
def test_plain_data_is_written_as_json_writes_it(document: object) -> None:
    assert written(document).outputs["text"] == json.dumps(document, sort_keys=True)


def test_outputs_are_filled_in_wherever_they_stand() -> None:
    def program(_: object) -> None:
        name = pulumi.Output.from_input('a "quoted" \\name')
        count, parts = pulumi.Output.from_input(3), pulumi.Output.from_input({"x": [1]})
        document = {"again": [name, name], "count": count, "inner": {"name": name, "parts": parts}}
        pulumi.export("text", json_text(document))

    text = '"a \\"quoted\\" \\\\name"'
    assert tiny(program).outputs["text"] == (
        f'{{"again": [{text}, {text}], "count": 3, "inner": {{"name": {text}, "parts": {{"x": [1]}}}}}}'
    )
