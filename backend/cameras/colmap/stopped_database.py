"""COLMAP's database as a stopped process left it. COLMAP itself passes over pictures that have
features and pairs that have matches, and numbers are given to pictures before anything is done.
"""

import contextlib
import sqlite3
from pathlib import Path


def remove(database: Path) -> None:
    """With the files that SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm", "-journal"):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def can_go_on(database: Path, names: list[str]) -> bool:
    """Whether COLMAP can go on in it: all pictures have their numbers."""
    if not database.is_file():
        return False
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            rows = connection.execute("SELECT name FROM images ORDER BY image_id").fetchall()
    except sqlite3.Error:
        return False
    return [row[0] for row in rows] == names
