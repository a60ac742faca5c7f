"""How much a job needs on the disk, how much is free, and that in words."""

import errno
import shutil
from pathlib import Path

from ..protocol import DiskError

NOTHING = 256 << 10  # bytes; with less free, whatever goes wrong is the full disk's doing
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def free_bytes(path: Path) -> int:
    """Free for this user where `path` is or will be; -1 where the system does not say."""
    for place in (path, *path.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            break
    return -1


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def in_words(count: float) -> str:
    """1.2 GB, 300 MB, 40 kB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size * 0.9995:
            value = count / size
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{max(0, round(count))} bytes"


def shortage(place: Path, likely: float, least: float) -> str:
    """What to warn of where less than the likely size is free, else nothing. Raises DiskError where
    even the least is not.
    """
    free = free_bytes(place)
    if 0 <= free < least:
        raise DiskError(
            f"The job needs at least {in_words(least)}, {in_words(free)} are free.",
            "Free some space, or choose another folder.",
        )
    short = 0 <= free < likely
    return f"The job needs about {in_words(likely)}, {in_words(free)} are free." if short else ""


def is_full(error: BaseException) -> bool:
    """Whether it says that it is for want of room; some libraries say it in words alone."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    text = str(error).lower()
    return any(sign in text for sign in ("no space left", "quota exceeded", "file too large"))


def is_brimful(place: Path) -> bool:
    """Whether so little is free that anything that went wrong did so for want of room: pictures and
    archives are written by libraries that don't say.
    """
    return 0 <= free_bytes(place) < NOTHING


def full(
    error: BaseException, place: Path, needed: float, wrote: float, resumable: bool
) -> DiskError:
    """In words. needed: bytes, 0 where nobody knows; wrote: bytes that there was room for."""
    number = getattr(error, "errno", None)
    needs = f"about {in_words(needed)}" if needed > wrote else f"more than {in_words(wrote)}"
    free = free_bytes(place)
    what = f"The disk is full: the job needs {needs}"
    if number == errno.EDQUOT:
        what = f"Your quota on the disk is used up: the job needs {needs}"
    elif number == errno.EFBIG or "file too large" in str(error).lower():
        what = f"A file became larger than the disk or the system allows: the job needs {needs}"
    told = f"{what}, {in_words(free)} are free." if free >= 0 else f"{what}."
    again = "it goes on where it was" if resumable else "it begins anew"
    return DiskError(told, f"Free some space and run the job again; {again}.")
