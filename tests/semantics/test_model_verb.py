"""Fetching a model with consent, from a server that the test runs: whole or not at all, and gone on
with.
"""

import hashlib
import http.server
import json
import threading
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import tiny_onnx
from helpers.command_line import run

from backend.networks.registry import BY_NAME, PUBLISHED, PURPOSES
from backend.networks.relative_depth import load_depth
from backend.networks.sam import load_sam
from backend.networks.segmenter import load_segmenter
from backend.semantics.model_verb import VERB, ModelOptions

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
DATA = {CONFIG: b'{"model_cfg": {}}', WEIGHTS: bytes(range(256)) * 9000}


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers as the hub does: large files lie elsewhere, their checksum is told on the way; of
    small ones git's is told.
    """

    files = dict[str, bytes]()
    breaks_after, damaged, silent, claims, ranges = 0, False, False, 0, list[str]()

    def do_GET(self) -> None:
        repository, _, name = self.path[1:].partition("/resolve/main/")
        stored = self.path.startswith("/store/")
        name = self.path.removeprefix("/store/") if stored else name
        data = Hub.files.get(name)
        known = stored or repository in {model.repository for model in PUBLISHED}
        if data is None or not known:
            self.send_error(404)
        elif not name.endswith("json") and not stored:
            self.send_response(302)
            if not Hub.silent:
                checksum = "0" * 64 if Hub.damaged else hashlib.sha256(data).hexdigest()
                self.send_header("X-Linked-ETag", f'"{checksum}"')
            self.send_header("Location", f"/store/{name}")
            self.end_headers()
        else:
            self._send(data, is_small=not stored)

    def _send(self, data: bytes, is_small: bool) -> None:
        first = min(int((self.headers.get("Range") or "bytes=0-")[6:-1]), len(data))
        Hub.ranges.append(self.headers.get("Range") or "")
        if first == len(data):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        if is_small and not Hub.silent:
            git = hashlib.sha1(b"blob %d\0" % len(data) + (b"x" if Hub.damaged else data))
            self.send_header("X-Repo-Commit", "a" * 40)
            self.send_header("ETag", f'W/"{git.hexdigest()}"')
        self.send_header("Content-Length", str(Hub.claims or len(data) - first))
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
    Hub.files, Hub.breaks_after, Hub.damaged, Hub.ranges = dict(DATA), 0, False, []
    Hub.silent, Hub.claims = False, 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield
        server.shutdown()


# they forbid no use; NVIDIA's allows commercial use and derivatives
FREE = ("MIT", "Apache-2.0", "NVIDIA Open Model License")


def fetch(folder: Path, record: Path, *more: str) -> tuple[int, str]:
    done = run("model", "--input", folder, "--output", record, *more)
    return done.returncode, done.stderr


def test_the_register_is_whole() -> None:
    names = typing.get_args(typing.get_type_hints(ModelOptions)["name"])
    assert set(names) == set(BY_NAME) and len(BY_NAME) == len(PUBLISHED)
    assert {model.purpose for model in PUBLISHED} == set(PURPOSES)
    for model in PUBLISHED:
        assert model.files and model.megabytes > 0 and model.use and model.by
        assert model.licence.startswith(FREE), "nothing that forbids a use"
        files = {Path(name).name for name in model.files}
        assert len(files) == len(model.files), "they lie side by side"
        assert all(name.endswith((".onnx", ".safetensors", ".json", ".npz")) for name in files)
        told = VERB.fetches(ModelOptions(name=model.name))  # type: ignore[arg-type]
        assert model.title in told and model.licence in told and model.size in told
        assert model.name in VERB.description


def test_nothing_is_fetched_without_consent(hub: None, tmp_path: Path) -> None:
    code, text = fetch(tmp_path / "models", tmp_path / "record")
    assert code == 1 and "605 MB" in text and "MIT" in text and "--agree" in text
    code, text = fetch(tmp_path / "models", tmp_path / "record", "--name", "MobileSAM")
    assert code == 1 and "45 MB" in text and "huggingface.co/Acly/MobileSAM" in text
    assert "Apache-2.0" in text and not (tmp_path / "models").exists() and not Hub.ranges


def test_a_model_is_fetched_once_and_gone_on_with(hub: None, tmp_path: Path) -> None:
    Hub.breaks_after = 1_500_000
    code, text = fetch(tmp_path / "models", tmp_path / "record", "--agree")
    assert code == 1 and "goes on where it was" in text
    folder = tmp_path / "models" / "ViT-B-32"
    assert not (folder / WEIGHTS).exists()
    Hub.breaks_after = 0
    assert fetch(tmp_path / "models", tmp_path / "record", "--agree")[0] == 0
    assert any(r and r != "bytes=0-" for r in Hub.ranges)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == DATA
    record = json.loads((tmp_path / "record" / "model.json").read_text())
    assert record == {"model": str(folder.resolve()), "name": "ViT-B-32", "purpose": "words"}
    before = len(Hub.ranges)
    assert (
        fetch(tmp_path / "models", tmp_path / "again", "--agree")[0] == 0
        and len(Hub.ranges) == before
    )


def test_what_is_fetched_can_be_used(hub: None, tmp_path: Path) -> None:
    sam = tiny_onnx.sam(tmp_path / "made")
    Hub.files |= {
        "mobile_sam_image_encoder.onnx": (sam / "tiny_encoder.onnx").read_bytes(),
        "sam_mask_decoder_multi.onnx": (sam / "tiny_decoder_multi.onnx").read_bytes(),
        "model.onnx": tiny_onnx.segmenter(tmp_path / "s.onnx").read_bytes(),
        "onnx/model.onnx": tiny_onnx.depth(tmp_path / "d.onnx").read_bytes(),
        "preprocessor_config.json": b'{"image_mean": [0.5, 0.5, 0.5]}',
    }
    uses = {
        "MobileSAM": load_sam,
        "DeepLabV3-MobileNetV2": load_segmenter,
        "Depth-Anything-V2-Small": load_depth,
    }
    for name, load in uses.items():
        code, text = fetch(tmp_path / "models", tmp_path / name, "--agree", "--name", name)
        assert code == 0, text
        load(tmp_path / "models" / name)
    depth = load_depth(tmp_path / "models" / "Depth-Anything-V2-Small")
    assert depth.normalization.mean == (0.5, 0.5, 0.5)


def test_what_does_not_match_its_checksum_is_not_kept(hub: None, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "ViT-B-16"
    folder.mkdir(parents=True)
    Hub.damaged = True
    for there in ([], [CONFIG]):  # git's checksum of the small file, then the large one's
        for name in there:
            (folder / name).write_bytes(DATA[name])
        code, text = fetch(
            tmp_path / "models", tmp_path / "record", "--agree", "--name", "ViT-B-16"
        )
        assert code == 1 and "damaged" in text
        assert [p.name for p in folder.iterdir()] == there


def test_weights_without_a_checksum_are_not_kept(hub: None, tmp_path: Path) -> None:
    Hub.silent = True
    code, text = fetch(tmp_path / "models", tmp_path / "record", "--agree")
    assert code == 1 and "no checksum" in text
    assert [p.name for p in (tmp_path / "models" / "ViT-B-32").iterdir()] == [CONFIG]


def test_much_more_than_was_agreed_to_is_not_fetched(hub: None, tmp_path: Path) -> None:
    Hub.claims = 900_000_000
    code, text = fetch(tmp_path / "models", tmp_path / "record", "--agree")
    assert code == 1 and "900 MB, more than was agreed to" in text
    assert not list((tmp_path / "models" / "ViT-B-32").iterdir())


def test_a_stop_before_the_last_check_costs_nothing(hub: None, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "ViT-B-32"
    folder.mkdir(parents=True)
    (folder / f"{WEIGHTS}.part").write_bytes(DATA[WEIGHTS])
    assert fetch(tmp_path / "models", tmp_path / "record", "--agree")[0] == 0
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == DATA


def test_a_page_instead_of_a_configuration_is_not_kept(hub: None, tmp_path: Path) -> None:
    Hub.files[CONFIG], Hub.silent = b"<html>Sign in</html>", True
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
