"""The lock of a job folder: seen while it is held, gone with its holder, not made by looking."""

from pathlib import Path

from backend.runtime import lock


def test_a_lock_is_held_until_it_is_left(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock.hold(path):
        assert lock.is_held(path)
    assert path.is_file()
    assert not lock.is_held(path)


def test_looking_makes_no_lock(tmp_path: Path) -> None:
    assert not lock.is_held(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


def test_looking_does_not_take_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    assert not lock.is_held(path)
    with lock.hold(path):
        assert lock.is_held(path)
