"""A look at a built site, as a web server would show it: on this machine only."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.errors import ConfigError


class Handler(SimpleHTTPRequestHandler):
    """Serves files, and is quiet."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def end_headers(self) -> None:
        """What was built a moment ago is what is shown."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of this site, not yet running; 0 for any free port.

    Raises:
        ConfigError: there is no site, or the port is taken.
    """
    if not (folder / "index.html").is_file():
        raise ConfigError(f"{folder}: expected a site, found no index.html; `harness leaderboard build {folder}` first")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(folder)))
    except OSError as error:
        raise ConfigError(f"port {port} can't be used ({error.strerror}); choose another with --port") from error
