"""What GitHub's API answers besides its content: pages, limits, refusals. Pure.

Enters: requests and times. Leaves: headers and answers. https://docs.github.com/en/rest/using-the-rest-api
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sealwright.sandbox.faults import Answer
from sealwright.sandbox.server import Request, Response

KIND = "application/json; charset=utf-8"
HOUR = timedelta(hours=1)
WITHOUT_TOKEN = 60  # requests an hour
_PAGE, _MOST = 30, 100
_DOCS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"


def primary_limit(now: datetime, status: int = 403) -> Answer:
    """What the API answers once an hour's requests are used up."""
    return Answer(
        status,
        json.dumps({"message": "API rate limit exceeded for 127.0.0.1.", "documentation_url": _DOCS}).encode(),
        content_type=KIND,
        headers=limits(WITHOUT_TOKEN, 0, int((now + HOUR).timestamp())),
    )


def secondary_limit(seconds: int, status: int = 429) -> Answer:
    """What the API answers to a client that asks for too much at once."""
    text = json.dumps({"message": "You have exceeded a secondary rate limit.", "documentation_url": _DOCS})
    return Answer(status, text.encode(), retry_after=seconds, content_type=KIND)


def limits(limit: int, left: int, reset: int) -> tuple[tuple[str, str], ...]:
    """Return the headers that say how many requests are left, and when it starts anew."""
    stated = {"limit": limit, "remaining": left, "used": limit - left, "reset": reset}
    return (*((f"X-RateLimit-{name.title()}", str(value)) for name, value in stated.items()),
            ("X-RateLimit-Resource", "core"))  # fmt: skip


def cut_page(request: Request, items: Sequence[Any], url: str) -> tuple[Sequence[Any], tuple[tuple[str, str], ...]]:
    """Return the page that is asked for, and the Link header that leads to the others (RFC 8288)."""
    size = min(max(_number(request, "per_page", _PAGE), 1), _MOST)
    page, last = max(_number(request, "page", 1), 1), max(1, -(-len(items) // size))
    others = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    unfit = {name for name, number in others.items() if not 1 <= number <= last}
    unfit |= {"last"} if page >= last else set()
    unfit |= {"first"} if page == 1 else set()
    links = [
        f'<{url}?{urlencode({"per_page": size, "page": number})}>; rel="{name}"'
        for name, number in others.items()
        if name not in unfit
    ]
    return items[(page - 1) * size : page * size], (("Link", ", ".join(links)),) if links else ()


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def refuse(status: int, message: str) -> Response:
    """Build a refusal as the API words it."""
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Response(status, json.dumps(body).encode(), KIND)


def utc_text(moment: datetime) -> str:
    """Return a time as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
