"""A request to an endpoint, made again while there is hope."""

import random
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import sleep, time
from typing import Any

from harness.errors import SignalError

BUSY = (408, 429)
"""Statuses of requests that may succeed later, beside all from 500 on."""

FIRST_WAIT = 1.0
"""Seconds before the second try; each further wait is twice as long."""

LONGEST_WAIT = 60.0
"""Seconds that are waited at most, unless the endpoint asks for more."""

PATIENCE = 600.0
"""Seconds that an endpoint may ask for; with more, it is given up."""


class Rejected(SignalError):
    """The endpoint refuses this request, and would again."""

    def __init__(self, message: str, status: int) -> None:
        """The message, and the HTTP status."""
        super().__init__(message)
        self.status = status


def post(client: Any, url: str, body: Mapping[str, Any], *, tries: int, about: str) -> Any:
    """The endpoint's reply, with a status from 200 to 299.

    Waits double from one second, each shortened by chance to somewhere above its half, so that many who were turned
    away together don't come back together; `Retry-After` is kept to.

    Args:
        client: an `httpx.Client`, with time-outs and headers.
        url: where to.
        body: what is sent, as JSON.
        tries: how often at most.
        about: what is asked, for messages.

    Raises:
        Rejected: at a status that more tries won't change.
        SignalError: when the tries are used up, or the endpoint asks for more than ten minutes.
    """
    trouble = ""
    for failures in range(1, tries + 1):
        reply, trouble = _attempt(client, url, body)
        if not trouble:
            return reply
        if reply is not None and not _hopeful(reply.status_code):
            raise Rejected(f"{about}: expected an answer from {url}, got {trouble}", reply.status_code)
        asked = 0.0 if reply is None else asked_wait(reply.headers.get("retry-after", ""))
        if asked > PATIENCE:
            raise SignalError(f"{about}: {url} asks to wait {asked:.0f} s ({trouble}); try again later")
        if failures < tries:
            sleep(max(asked, backoff(failures)))
    raise SignalError(
        f"{about}: expected an answer from {url} within {tries} tries, at last got {trouble}; is it running, and are "
        "'timeout' and 'tries' large enough?"
    )


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)


def asked_wait(header: str) -> float:
    """Seconds that a `Retry-After` asks for, as a number or a date; 0 if it says neither."""
    try:
        return max(0.0, float(header)) if header[:1].isdigit() else max(0.0, _until(header))
    except ValueError:
        return 0.0


def _until(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() - time()


def _hopeful(status: int) -> bool:
    return status in BUSY or status >= 500


def _attempt(client: Any, url: str, body: Mapping[str, Any]) -> tuple[Any, str]:
    """The reply if there is one, and what is wrong with it; empty if nothing."""
    from harness.text.connection import http

    try:
        reply = client.post(url, json=dict(body))
    except http().RequestError as error:  # time-outs, and whatever breaks a connection or a reply
        return None, f"{type(error).__name__} {error}".strip()
    if 200 <= reply.status_code < 300:
        return reply, ""
    return reply, f"status {reply.status_code}: {' '.join(_without_key(client, reply.text)[:200].split())}"


def _without_key(client: Any, text: str) -> str:
    """Some endpoints quote the key that they refuse."""
    key = client.headers.get("authorization", "").removeprefix("Bearer ")
    return text.replace(key, "…") if key else text
