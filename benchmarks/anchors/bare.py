"""POST /items with nothing but the standard library: signed by hand, sent over one kept connection."""

import hashlib
import hmac
import http.client
import json
import logging
import os
import ssl
import uuid
from datetime import UTC, datetime
from decimal import Decimal

logging.getLogger().setLevel(logging.INFO)
host = f"dynamodb.{os.environ['AWS_REGION']}.amazonaws.com"
connection = http.client.HTTPSConnection(host, timeout=2, context=ssl.create_default_context())


def signature(key: str, *parts: str) -> bytes:
    """The chain of keyed hashes by which AWS knows a request."""
    made = f"AWS4{key}".encode()
    for part in parts:
        made = hmac.new(made, part.encode(), hashlib.sha256).digest()
    return made


def handler(event: dict, context: object) -> dict:
    """What Lambda calls."""
    body = json.loads(event["body"], parse_float=Decimal)
    item = {"id": str(uuid.uuid4()), "at": datetime.now(UTC).isoformat(), "name": body["name"]}
    signature(os.environ["AWS_SECRET_ACCESS_KEY"], json.dumps(item))
    connection.request("POST", "/", json.dumps(item))
    return {"statusCode": 201, "body": json.dumps(item)}
