"""Keys of other namespaces: the AWS provider's own, and near misses of this project's.

A misspelt `aws:region` would deploy to the project's default region without a word.
"""

import difflib
import re
from typing import Final

from settings import wiring
from settings.text import did_you_mean, refused

AWS_KEYS: Final = frozenset(
    [
        "accessKey",
        "allowedAccountIds",
        "assumeRoles",
        "assumeRoleWithWebIdentity",
        "customCaBundle",
        "defaultTags",
        "ec2MetadataServiceEndpoint",
        "ec2MetadataServiceEndpointMode",
        "endpoints",
        "forbiddenAccountIds",
        "httpProxy",
        "httpsProxy",
        "ignoreTags",
        "insecure",
        "maxRetries",
        "noProxy",
        "profile",
        "region",
        "retryMode",
        "s3UsEast1RegionalEndpoint",
        "s3UsePathStyle",
        "secretKey",
        "sharedConfigFiles",
        "sharedCredentialsFiles",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "stsRegion",
        "tagPolicyCompliance",
        "token",
        "tokenBucketRateLimiterCapacity",
        "useDualstackEndpoint",
        "useFipsEndpoint",
        "userAgents",
    ]
)
"""Config keys of pulumi-aws 7.51."""


def wrong_key(name: str) -> str:
    """Return what is wrong with a key outside the project's namespace, or nothing.

    A key of the provider's that is not known here passes unless it is nearly a known one: a newer provider may have it.
    """
    namespace, _, key = name.partition(":")
    if namespace == "aws" and key not in AWS_KEYS:
        near = did_you_mean(key, sorted(AWS_KEYS))
        return near and f"no such key; {near}"
    if difflib.get_close_matches(namespace.casefold(), [wiring.PROJECT], cutoff=0.8):
        return f"no such namespace; did you mean '{wiring.PROJECT}'?"
    return ""


def wrong_region(region: object) -> str:
    """Return what is wrong with a region's form, or nothing; whether it exists is the provider's matter."""
    if region is None or re.fullmatch(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}", str(region)):
        return ""
    return refused("must be an AWS region, as in us-west-2", region)
