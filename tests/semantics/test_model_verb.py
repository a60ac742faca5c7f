"""Fetching a model with consent, from a server that the test runs: whole or not at all, and gone on
with.
"""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.command_line import run

from backend.semantics.model_job import SOURCES

DATA = {
    "open_clip_config.json": b'{"model_cfg": {}}',
    "open_clip_model.safetensors": bytes(range(256)) * 9000,
}


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers as the hub does: large files lie elsewhere, their checksum is told on the way."""

    breaks_after, damaged, ranges = 0, False, list[str]()

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        data = DATA.get(name)
        if data is None or not self.path.startswith(("/laion/", "/store/")):
            self.send_error(404)
        elif name.endswith("safetensors") and not self.path.startswith("/store/"):
            self.send_response(302)
            self.send_header(
                "X-Linked-ETag",
                f'"{"0" * 64 if Hub.damaged else hashlib.sha256(data).hexdigest()}"',
            )
            self.send_header("Location", f"/store/{name}")
            self.end_headers()
        else:
            self._send(data)

    def _send(self, data: bytes) -> None:
        first = min(int((self.headers.get("Range") or "bytes=0-")[6:-1]), len(data))
        Hub.ranges.append(self.headers.get("Range") or "")
        if first == len(data):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        self.wfile.write(
            data[first : first + Hub.breaks_after]
            if Hub.breaks_after and len(data) > 1000
            else data[first:]
        )

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    Hub.breaks_after, Hub.damaged, Hub.ranges = 0, False, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield
        server.shutdown()


def fetch(folder: Path, record: Path, *more: str) -> tuple[int, str]:
    done = run("model", "--input", folder, "--output", record, *more)
    return done.returncode, done.stderr


def test_nothing_is_fetched_without_consent(hub: None, tmp_path: Path) -> None:
    code, text = fetch(tmp_path / "models", tmp_path / "record")
    assert code == 1 and "605 MB" in text and "MIT" in text and "--agree" in text
    assert not (tmp_path / "models").exists() and not Hub.ranges


def test_a_model_is_fetched_once_and_gone_on_with(hub: None, tmp_path: Path) -> None:
    Hub.breaks_after = 1_500_000
    code, text = fetch(tmp_path / "models", tmp_path / "record", "--agree")
    assert code == 1 and "goes on where it was" in text
    folder = tmp_path / "models" / "ViT-B-32"
    assert not (folder / "open_clip_model.safetensors").exists()
    Hub.breaks_after = 0
    assert fetch(tmp_path / "models", tmp_path / "record", "--agree")[0] == 0
    assert any(r and r != "bytes=0-" for r in Hub.ranges)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == DATA
    assert json.loads((tmp_path / "record" / "model.json").read_text())["model"] == str(
        folder.resolve()
    )
    before = len(Hub.ranges)
    assert (
        fetch(tmp_path / "models", tmp_path / "again", "--agree")[0] == 0
        and len(Hub.ranges) == before
    )


def test_what_does_not_match_its_checksum_is_not_kept(hub: None, tmp_path: Path) -> None:
    Hub.damaged = True
    code, text = fetch(tmp_path / "models", tmp_path / "record", "--agree", "--name", "ViT-B-16")
    assert code == 1 and "damaged" in text and SOURCES["ViT-B-16"].repository
    assert [p.name for p in (tmp_path / "models" / "ViT-B-16").iterdir()] == [
        "open_clip_config.json"
    ]


def test_a_stop_before_the_last_check_costs_nothing(hub: None, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "ViT-B-32"
    folder.mkdir(parents=True)
    (folder / "open_clip_model.safetensors.part").write_bytes(DATA["open_clip_model.safetensors"])
    assert fetch(tmp_path / "models", tmp_path / "record", "--agree")[0] == 0
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == DATA


def test_a_page_instead_of_a_configuration_is_not_kept(
    hub: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATA, "open_clip_config.json", b"<html>Sign in</html>")
    code, text = fetch(tmp_path / "models", tmp_path / "record", "--agree")
    assert (
        code == 1
        and "not what was asked for" in text
        and not list((tmp_path / "models" / "ViT-B-32").iterdir())
    )


def test_no_network_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    code, text = fetch(tmp_path / "models", tmp_path / "record", "--agree")
    assert code == 1 and "can't be fetched" in text and "internet" in text
