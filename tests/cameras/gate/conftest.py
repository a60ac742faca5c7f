"""Hundreds of small captures, for each of which COLMAP would be loaded anew."""

from collections.abc import Iterator
from typing import Any

import pytest
from helpers import ready_colmap


@pytest.fixture(scope="session")
def loaded_colmap() -> Iterator[Any]:
    if not ready_colmap.CAN_FORK:
        yield None
        return
    with ready_colmap.ready() as stand_in:
        yield stand_in


@pytest.fixture(autouse=True)
def _colmap_is_loaded(loaded_colmap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if loaded_colmap is not None:
        ready_colmap.patched(monkeypatch, loaded_colmap)
