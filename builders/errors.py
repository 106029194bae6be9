"""What a build says when it cannot go on."""

from __future__ import annotations


class BuildError(Exception):
    """A build cannot go on; the text is one line for the user: which file, what is wrong, what helps."""
