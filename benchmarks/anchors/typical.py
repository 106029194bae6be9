"""POST /items as most samples ship it: every comfort of Powertools, a pydantic model, a boto3 resource."""

import os
from decimal import Decimal

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from pydantic import BaseModel, Field

tracer = Tracer()
logger = Logger()
metrics = Metrics(namespace="sandpiper")
app = APIGatewayRestResolver(enable_validation=True)
table = boto3.resource("dynamodb").Table(os.environ["ITEMS_TABLE"])


class Item(BaseModel):
    """What a client sends."""

    name: str = Field(min_length=1, max_length=200)
    price: Decimal = Field(ge=0, decimal_places=2)
    description: str | None = None
    tags: list[str] = []


@app.post("/items")
@tracer.capture_method
def create(item: Item) -> dict[str, str]:
    """Store the item."""
    table.put_item(Item=item.model_dump())
    return {"name": item.name}


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict, context: object) -> dict:
    """What Lambda calls."""
    return app.resolve(event, context)
