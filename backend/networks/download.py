"""Files of the Hugging Face hub: fetched whole or not at all, gone on with after a stop, and held
against the checksum that the hub itself tells.
"""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..formats.json_file import parse_json
from ..protocol import InputError
from ..runtime import atomic

BLOCK = 1 << 20
TIMEOUT = 20.0  # seconds without a byte
LARGER = 1.2  # times the size that was agreed to, beyond which it is something else
HEXADECIMAL = set("0123456789abcdef")
Progress = Callable[[int, int], None]  # bytes that are there, bytes of the whole


def fetch(url: str, path: Path, most: float, progress: Progress) -> None:
    """One file; what was fetched before a stop is gone on with, what is there whole stays.

    Raises:
        InputError: it can't be had, is larger than `most` bytes, is not what its checksum says, or
            has none and is no JSON.
        OSError: it can't be written.
    """
    if path.is_file():
        return
    part, told = path.with_name(f"{path.name}.part"), _Told()
    have, total = part.stat().st_size if part.is_file() else 0, 0
    for first, block, total in _blocks(url, have, told):
        if total > LARGER * most:
            raise InputError(
                f"{url} has {total / 1e6:,.0f} MB, more than was agreed to.",
                "Get the model with a browser if you want it, and choose its folder.",
            )
        have = first
        with open(part, "r+b" if have else "wb") as file:
            file.seek(have)
            have += file.write(block)
        progress(have, max(total, have))
    if total and have < total:
        raise InputError(
            f"{url} broke off after {have:,} of {total:,} bytes.",
            "Start it again: it goes on where it was.",
        )
    _require_right(part, path.name, told.checksum)
    atomic.sync_file(part)
    part.replace(path)
    atomic.sync_folder(path.parent)


def _blocks(url: str, have: int, told: "_Told") -> Iterator[tuple[int, bytes, int]]:
    """Where each block belongs, the block, and the size of the whole; from `have` on if the server
    can.
    """
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.build_opener(told).open(request, timeout=TIMEOUT) as answer:
            have = have if answer.status == http.client.PARTIAL_CONTENT else 0
            total = have + int(answer.headers.get("Content-Length") or 0)
            told.take(answer.headers)
            while block := answer.read(BLOCK):
                yield have, block, total
                have += len(block)
    except urllib.error.HTTPError as error:
        if (
            error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE
        ):  # there is no more of it: it is whole
            raise InputError(
                f"{url} answered {error.code}.",
                "Try again later, or fetch the model with a browser.",
            ) from error
        told.take(error.headers)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        advice = (
            "Check the internet connection; it goes on where it was. Or name a folder that holds "
            "the model."
        )
        raise InputError(f"{url} can't be fetched: {reason}.", advice) from error


def _require_right(part: Path, name: str, checksum: str) -> None:
    """Takes it away, and raises InputError, where it is not what the hub says that it is."""
    if checksum or name.endswith(".json"):
        if _is_right(part, name, checksum):
            return
        error = InputError(f"{name} is damaged, or not what was asked for.", "Start it again.")
    else:
        error = InputError(
            f"The server tells no checksum for {name}, so that it can't be checked.",
            "Get the model with a browser, and choose its folder.",
        )
    part.unlink()
    raise error


def _is_right(part: Path, name: str, checksum: str) -> bool:
    """By its checksum; settings without one must at least be settings."""
    if checksum:
        return sums(part)[len(checksum)] == checksum
    try:
        return isinstance(parse_json(part.read_text(encoding="utf-8"), name), dict)
    except (InputError, OSError, ValueError):
        return False


def sums(path: Path) -> dict[int, str]:
    """The file's checksums by their length: SHA-256, which the hub tells of large files, and git's
    own SHA-1, which it tells of small ones.
    """
    size = path.stat().st_size
    whole, git = hashlib.sha256(), hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            whole.update(block)
            git.update(block)
    return {64: whole.hexdigest(), 40: git.hexdigest()}


class _Told(urllib.request.HTTPRedirectHandler):
    """Keeps what the hub says of a file before it sends us to where that lies."""

    def __init__(self) -> None:
        self.checksum = ""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        self.take(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def take(self, headers: Any) -> None:
        """The first checksum that is told counts: storage behind the hub names files otherwise.
        Git's own is the hub's alone.
        """
        tag = str(headers.get("X-Linked-ETag") or headers.get("ETag") or "").strip('W/"')
        lengths = (40, 64) if headers.get("X-Repo-Commit") else (64,)
        if not self.checksum and len(tag) in lengths and set(tag) <= HEXADECIMAL:
            self.checksum = tag
