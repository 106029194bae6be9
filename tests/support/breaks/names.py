"""Names that do not fit, and resources that do not say whose they are."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, edited, registered

TAGS = {"Project": "sandpiper", "Environment": "dev"}

# fmt: off
BREAKS = (
    Break("name-fits", "has 65 characters", edited(aws.FUNCTION, "health-function", {"name": "f" * 65})),
    Break("name-fits", "has 64 characters", edited(aws.BUCKET, "images-bucket", {"bucket": "b" * 64})),
    Break("name-fits", "has 65 characters", registered(aws.ROLE, "r" * 57)),
    Break("name-fits", "has 33 characters", registered(aws.LOAD_BALANCER, "b" * 25)),
    Break("name-is-left-to-pulumi", "is named 'users'", edited(aws.USER_POOL, "identity-user-pool", {"name": "users"})),
    Break("name-is-left-to-pulumi", "is named 'items'", edited(aws.TABLE, "items-table", {"name": "items"})),
    Break("name-is-left-to-pulumi", "is named 'work'", edited(aws.QUEUE, "notifications-queue", {"name": "work"})),
    Break("description-fits", "has 257 characters", edited(aws.FUNCTION, "health-function", {"description": "d" * 257})),
    Break("description-fits", "has 0 characters", edited(aws.ROLE, "health-role", {"description": ""})),
    Break("everything-is-tagged", "needs the tags", edited(aws.FUNCTION, "health-function", {"tags.Project": None})),
    Break("everything-is-tagged", "needs the tags", edited(aws.TABLE, "items-table", {"tags": None})),
    Break("everything-is-tagged", "Environment=test", edited(aws.FUNCTION, "health-function", {"tags.Environment": "test"})),
    Break("everything-is-tagged", "a key that AWS refuses", edited(aws.FUNCTION, "health-function", {"tags": {**TAGS, "aws:x": "y"}})),
    Break("everything-is-tagged", "a value that AWS refuses", edited(aws.FUNCTION, "health-function", {"tags": {**TAGS, "x": "y" * 257}})),
    Break("everything-is-tagged", "51 tags", edited(aws.FUNCTION, "health-function", {"tags": {**TAGS, **{f"t{n}": "x" for n in range(49)}}})),
    Break("everything-is-tagged", "can carry tags", registered("aws:new/thing:Thing", "thing")),
)
# fmt: on
