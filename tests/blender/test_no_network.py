"""F18: with online access off the add-on opens no socket, and says so where it would need one."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_opened: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        _opened.append(f"{event} {arguments[1:]}")


sys.addaudithook(_watch)  # can't be taken off again: it does nothing outside of the test


@pytest.fixture
def sockets(bpy: Any) -> Iterator[list[str]]:
    global _watching
    access = bpy.context.preferences.system.use_online_access
    bpy.context.preferences.system.use_online_access = False
    _opened.clear()
    _watching = True
    yield _opened
    _watching = False
    bpy.context.preferences.system.use_online_access = access


def test_the_watch_sees_a_connection(sockets: list[str]) -> None:
    import socket

    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", 1), timeout=1)
    assert sockets


def test_nothing_connects(
    bpy: Any, rooms: Any, sockets: list[str], splat_file: Path, sequence_file: Path
) -> None:
    """Loading, importing, ticking, and the buttons that would download; of workers see
    `tests/runtime/test_network.py`.
    """
    import addon_utils

    from demo.blender import MODULE

    preferences = bpy.context.preferences.addons[MODULE].preferences
    python, results = preferences.python, preferences.results
    addon_utils.disable(MODULE, default_set=True)
    assert addon_utils.enable(MODULE, default_set=True)  # type: ignore[func-returns-value]
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.python, preferences.results = python, results
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    bpy.ops.splatsmith.import_mesh(filepath=str(sequence_file))
    rooms("jobs.lifecycle")._tick()
    if not bpy.app.online_access:
        for name in ("compute_setup", "get_model"):
            with pytest.raises(RuntimeError, match="not allowed to go online"):
                getattr(bpy.ops.splatsmith, name)()
    assert not sockets
