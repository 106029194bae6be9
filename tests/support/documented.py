"""The shell commands of a document in Markdown: what a reader would paste, paragraph by paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

AWS_ONLY = "# AWS only"
"""Begins a paragraph of commands that need an AWS account."""

_OTHERS = ("python ", "pulumi ", "curl ", "git ", "make ")

_BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?<![\w/.-])aws ([a-z0-9-]+) ([a-z0-9-]+)")
_OURS = re.compile(r"(?<![\w/.-])python -m sandbox ([^`#\n|)]+)")
_SETTING = re.compile(r"pulumi config set --path '([^']+)' (\S+)")


@dataclass(frozen=True)
class Paragraph:
    """Lines of a block of commands between two empty ones; `line` is where it begins in the document."""

    document: str
    line: int
    text: str

    @property
    def on_aws_only(self) -> bool:
        """Whether it says that it needs an AWS account."""
        return self.text.startswith(AWS_ONLY)

    @property
    def is_run(self) -> bool:
        """Whether a test can run it: it calls the AWS CLI, here as there, or sets what such calls read."""
        lines = self.text.splitlines()
        return not self.on_aws_only and not any(line.startswith(_OTHERS) for line in lines)

    @property
    def is_checked(self) -> bool:
        """Whether its commands need an account and can yet be read by the AWS CLI without one."""
        code = "\n".join(self.code)
        return (
            self.on_aws_only and ("insights " in code or bool(self.calls)) and "pulumi " not in code
        )

    @property
    def code(self) -> list[str]:
        """Its lines without the remarks."""
        return [line for line in self.text.splitlines() if not line.lstrip().startswith("#")]

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Service and operation of each call of the AWS CLI, in order."""
        return _CALL.findall("\n".join(self.code))


def paragraphs(document: Path) -> list[Paragraph]:
    """What stands in the document's blocks of `sh`, in order."""
    text, found = document.read_text(encoding="utf-8"), list[Paragraph]()
    for block in _BLOCK.finditer(text):
        indent, inside = block.groups()
        line = text.count("\n", 0, block.start(2)) + 1
        code = re.sub(rf"^{indent}", "", inside, flags=re.MULTILINE)
        for part in re.split(r"\n{2,}", code.rstrip("\n")):
            found.append(Paragraph(document.name, line, part))
            line += part.count("\n") + 2
    return found


def sandbox_commands(document: Path) -> list[str]:
    """What follows `python -m sandbox` wherever in the document, without what is only shell."""
    text = document.read_text(encoding="utf-8").replace("\n", " \n")
    return [said.strip() for said in _OURS.findall(text)]


def settings_set(document: Path) -> list[tuple[str, str]]:
    """Path and value of each `pulumi config set --path`."""
    return _SETTING.findall(document.read_text(encoding="utf-8"))
