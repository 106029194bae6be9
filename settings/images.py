"""Container images: their addresses, and the repositories that hold them."""

import re
from typing import Final

from settings.arns import REGION
from settings.fields import Model, setting
from settings.text import WrongValueError

_REPOSITORY: Final = r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
URI: Final = (
    rf"[0-9]{{12}}\.dkr\.ecr(?:-fips)?\.({REGION})\.amazonaws\.com(?:\.cn)?/{_REPOSITORY}"
    r"(?::(?!latest$)[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[a-f0-9]{64})"
)
"""Regular expression of an image's address in ECR; its group is the region."""

_EXAMPLE: Final = "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>"


def check_uri(uri: str) -> str:
    """Return the address of one image in ECR; raise WrongValueError for another text."""
    if re.fullmatch(URI, uri):
        return uri
    if uri.endswith(":latest"):
        raise WrongValueError(
            "must not be latest, which is another image tomorrow", "name a tag or a digest"
        )
    raise WrongValueError(f"must be an image in ECR by tag or digest, {_EXAMPLE}")


def region_of(uri: str) -> str:
    """Return the region of an image's address."""
    match = re.fullmatch(URI, uri)
    return match[1] if match else ""


class RepositorySettings(Model):
    """ECR repository of a function that runs as a container image; its tags are immutable and every push is scanned."""

    keep_images: int = setting(
        50,
        "Newest images that are kept; more than versions_to_keep. An image that expires stops the function and the versions "
        "that run it.",
        unit="images",
        ge=2,
        le=1000,
        source="ECR user guide, lifecycle policies",
    )
