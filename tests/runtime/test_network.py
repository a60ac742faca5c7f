"""With online access off nothing connects: a job that Blender starts needs the word of this start,
whatever lies in its folder.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from helpers.places import ROOT

from backend import protocol
from backend.protocol import Request
from backend.semantics.model_verb import ModelOptions
from backend.verbs import VERBS


@pytest.fixture
def listener() -> Any:
    """A server that only counts who comes."""
    server, came = socket.create_server(("127.0.0.1", 0)), []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            came.append(connection.recv(200))
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1], came
    server.close()


def run_planted(tmp_path: Path, port: int, *more: str) -> list[protocol.Event]:
    request = Request(
        verb="model", input=str(tmp_path / "models"), options=ModelOptions(agree=True)
    )
    job = tmp_path / "job"
    job.mkdir()
    (job / "request.json").write_text(request.to_json())
    with subprocess.Popen(
        [sys.executable, "-m", "backend", "model", "--events", "--job", str(job), *more],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{port}"},
        stdin=subprocess.PIPE,  # open for as long: its end would mean that Blender is gone
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        events = [protocol.decode(line) for line in process.stdout]
    return [event for event in events if event is not None]


@pytest.mark.process
def test_a_planted_job_does_not_connect(tmp_path: Path, listener: Any) -> None:
    port, came = listener
    last = run_planted(tmp_path, port)[-1]
    assert isinstance(last, protocol.Failure)
    assert last.code == "SETUP" and "not allowed to go online" in last.what
    assert not came
    assert not (tmp_path / "models").exists()


@pytest.mark.process
def test_with_the_word_of_its_start_it_does(tmp_path: Path, listener: Any) -> None:
    """So that the test above would notice."""
    port, came = listener
    assert isinstance(run_planted(tmp_path, port, "--online")[-1], protocol.Failure)
    assert came


@pytest.mark.process
def test_no_package_connects_either(listener: Any) -> None:
    port, came = listener
    code = f"""
import socket, urllib.request
from backend.protocol import SetupError
from backend.runtime import network
network.close(); network.close()
tries = [
    lambda: socket.create_connection(("127.0.0.1", {port})),
    lambda: urllib.request.urlopen("http://127.0.0.1:{port}"),
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {port})),
]
refused = 0
for attempt in tries:
    try:
        attempt()
    except SetupError:
        refused += 1
one, other = socket.socketpair()  # within the machine, as processes of one program use
one.send(b"x")
print(refused, other.recv(1).decode())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["4", "x"], done.stderr
    assert not came


def test_verbs_say_what_they_download() -> None:
    loud = {"model": {}, "setup": {}, "face": {"agree": True}}
    for name, verb in VERBS.items():
        said = verb.fetches(verb.make_options(loud.get(name, {})))
        assert bool(said) == (name in loud), name
    assert not VERBS["setup"].fetches(VERBS["setup"].make_options({"wheels": "x"}))
    assert not VERBS["face"].fetches(VERBS["face"].make_options({}))


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
@pytest.mark.parametrize("name", ["result", "checkpoint", "staging", "log.txt", "state.json"])
def test_a_job_folder_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    from backend.protocol import InputError
    from backend.runtime.folder import JobFolder

    target = tmp_path / "precious"
    target.mkdir()
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / name).symlink_to(target)
    with (
        pytest.raises(InputError, match="link to another place"),
        JobFolder.for_job(tmp_path / "job").held(),
    ):
        pass
    assert not list(target.iterdir())


@pytest.mark.parametrize(
    "damage", [{"title": ["x"]}, {"context": [1]}, {"title": None}, {"context": "x"}]
)
def test_requests_of_other_types_are_refused(damage: dict[str, Any]) -> None:
    from backend.verbs import read_request

    data = json.loads(Request(verb="model", input="x", options=ModelOptions()).to_json())
    with pytest.raises(protocol.InputError):
        read_request(json.dumps({**data, **damage}))
    with pytest.raises(protocol.InputError):
        read_request("[" * 100_000)
