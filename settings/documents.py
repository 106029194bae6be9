"""What a stack file may say of what functions make: pictures and reports."""

from settings.fields import Model, setting


class PictureSettings(Model):
    """What is made of an uploaded picture."""

    watermark_text: str = setting(
        "sandpiper",
        "Text in the corner of watermarked pictures.",
        min_length=1,
        max_length=64,
        source="settings/documents.py",
    )
    labels: bool = setting(
        default=False,
        description="Have Rekognition name what is seen in a picture; paid by the picture.",
        source="Rekognition API reference, DetectLabels",
    )


class ReportSettings(Model):
    """Reports, and the links that lead to them."""

    link_seconds: int = setting(
        3600,
        "How long a link to a report leads there; never longer than the credentials of the function that signs it.",
        unit="seconds",
        ge=60,
        le=43200,
        source="S3 user guide, presigned URLs",
    )
    expiration_days: int | None = setting(
        365,
        "How long a report is kept. `null`: for ever.",
        unit="days",
        ge=1,
        le=3650,
        source="S3 API reference, LifecycleExpiration",
        remedy="write null to keep them for ever",
    )
