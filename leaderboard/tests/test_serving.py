"""A look at a built site over HTTP."""

import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from harness_leaderboard.serving import server

from harness.errors import ConfigError


def test_serves_the_folder_on_this_machine_only(tmp_path: Path):
    (tmp_path / "index.html").write_text("<p>a site</p>")
    (tmp_path.parent / "outside.txt").write_text("secret")
    with server(tmp_path, 0) as running:
        host, port = running.server_address[:2]
        assert host == "127.0.0.1"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert answer.read() == b"<p>a site</p>"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/../outside.txt")
        running.shutdown()


def test_no_site_and_a_taken_port_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no index\.html; `harness leaderboard build"):
        server(tmp_path, 0)
    (tmp_path / "index.html").write_text("")
    with server(tmp_path, 0) as running, pytest.raises(ConfigError, match="choose another with --port"):
        server(tmp_path, running.server_address[1])
