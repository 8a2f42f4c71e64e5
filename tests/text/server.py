"""An OpenAI-compatible endpoint in a thread that answers what a test recorded, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is sent back."""

    status: int = 200
    body: Any = None
    """JSON, or a text or bytes that are sent as they are."""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    broken: Literal["", "silent", "short"] = ""
    """The connection is closed before the reply, or in the middle of it."""


def text(content: Any, **more: Any) -> Reply:
    """A chat completion."""
    return Reply(body={"choices": [{"message": {"role": "assistant", "content": content}, **more}]})


def told(content: str, *tokens: tuple[str, dict[str, float]]) -> Reply:
    """A chat completion whose tokens come with likeliest tokens and their log-probabilities."""
    listed = [
        {"token": token, "top_logprobs": [{"token": other, "logprob": value} for other, value in likeliest.items()]}
        for token, likeliest in tokens
    ]
    return text(content, logprobs={"content": listed})


class Server:
    """Answers `replies` in turn, the last one for ever; or what `answer` makes of a request."""

    def __init__(self, *replies: Reply, answer: Callable[[dict[str, Any]], Reply] | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = 0
        """The most requests that were open together."""
        self._replies, self._answer = list(replies), answer
        self._open, self._lock = 0, threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def name(self) -> str:
        return f"endpoint:http://127.0.0.1:{self._http.server_address[1]}/v1#small"

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _next(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        with self._lock:
            self.asked.append(body)
            self.headers.append(headers)
            self._open += 1
            self.at_once = max(self.at_once, self._open)
            if path != "/v1/chat/completions":
                return Reply(status=404, body=path)
            if self._answer:
                return self._answer(body)
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                reply = server._next(self.path, body, {k.lower(): v for k, v in self.headers.items()})
                time.sleep(reply.delay)
                sent = reply.body if isinstance(reply.body, str | bytes) else json.dumps(reply.body)
                sent = sent if isinstance(sent, bytes) else sent.encode()
                with server._lock:
                    server._open -= 1
                if reply.broken == "silent":
                    return
                missing = 10 if reply.broken == "short" else 0
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(sent) + missing))
                    self.end_headers()
                    self.wfile.write(sent)
                except OSError:  # the client has gone
                    pass

            def log_message(self, *_: object) -> None:
                pass

        return Handler
