"""COLMAP's database as a stopped process left it, made such that COLMAP goes on in it: pictures
that have features and pairs that have matches are passed over.
"""

import contextlib
import sqlite3
from pathlib import Path

OF_IMAGES = ("keypoints", "descriptors")
NUMBERED = {"images": "image_id", "cameras": "camera_id", "rigs": "rig_id", "frames": "frame_id"}


def remove(database: Path) -> None:
    """With the files that SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm", "-journal"):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def go_on(database: Path, names: list[str]) -> None:
    """Leaves in the database what COLMAP would have made of the first of the pictures, in their
    order, or no database. Cameras are read ahead of their pictures, and pictures are done out of
    turn: what hangs in the air goes, so that numbers are given as they would have been.
    """
    if not database.is_file():
        return
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection, connection:
            _keep(connection, _in_turn(connection, names))
    except sqlite3.DatabaseError:
        remove(database)


def only_camera(database: Path) -> int:
    """The camera that all pictures share, which a stopped process has made; -1 where there is
    none.
    """
    if not database.is_file():
        return -1
    with contextlib.closing(sqlite3.connect(database)) as connection:
        row = connection.execute("SELECT MIN(camera_id) FROM cameras").fetchone()
    return -1 if row[0] is None else int(row[0])


def _in_turn(connection: sqlite3.Connection, names: list[str]) -> int:
    """How many of the pictures are there with the numbers of their turn."""
    found = dict(connection.execute("SELECT image_id, name FROM images"))
    return next(
        (i for i, name in enumerate(names) if found.get(i + 1) != name),
        len(names),
    )


def _keep(connection: sqlite3.Connection, count: int) -> None:
    """Only the first pictures, and what belongs to them."""
    connection.execute("DELETE FROM images WHERE image_id > ?", (count,))
    for table in OF_IMAGES:
        connection.execute(
            f"DELETE FROM {table} WHERE image_id NOT IN (SELECT image_id FROM images)"
        )
    connection.execute("DELETE FROM frame_data WHERE data_id NOT IN (SELECT image_id FROM images)")
    connection.execute(
        "DELETE FROM pose_priors WHERE corr_data_id NOT IN (SELECT image_id FROM images)"
    )
    connection.execute("DELETE FROM frames WHERE frame_id NOT IN (SELECT frame_id FROM frame_data)")
    connection.execute("DELETE FROM cameras WHERE camera_id NOT IN (SELECT camera_id FROM images)")
    connection.execute(
        "DELETE FROM rigs WHERE ref_sensor_id NOT IN (SELECT camera_id FROM cameras)"
    )
    for table, key in NUMBERED.items():
        connection.execute(
            f"UPDATE sqlite_sequence SET seq = (SELECT COALESCE(MAX({key}), 0) FROM {table}) "
            "WHERE name = ?",
            (table,),
        )
