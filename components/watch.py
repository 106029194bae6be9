"""What is watched, thing by thing: `Observability(watched=[watch.rest(front, said), watch.table(items), ...])`."""

from components.watch_apis import http, rest, socket
from components.watch_data import queue, stream, table
from components.watch_fronts import graphql, load_balancer
from components.watch_functions import function
from components.watch_service import service

__all__ = [
    "function",
    "graphql",
    "http",
    "load_balancer",
    "queue",
    "rest",
    "service",
    "socket",
    "stream",
    "table",
]
