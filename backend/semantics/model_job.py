"""The verb `model`: fetches a CLIP model that the user has agreed to, from the Hugging Face hub,
whole or not at all.
"""

import hashlib
import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..protocol import DiskError, InputError
from ..runtime import atomic, disk, network
from ..runtime.job import Job, Outcome
from .model_verb import ModelOptions

HUB = "https://huggingface.co"  # HF_ENDPOINT names another
BLOCK = 1 << 20
TIMEOUT = 20.0  # seconds without a byte


@dataclass(frozen=True)
class ModelSource:
    """Where a model lies. Its size and licence are what the user agrees to."""

    repository: str
    megabytes: int
    licence: str


SOURCES = {
    "ViT-B-32": ModelSource("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", 605, "MIT"),
    "ViT-B-16": ModelSource("laion/CLIP-ViT-B-16-laion2B-s34B-b88K", 599, "MIT"),
}
FILES = ("open_clip_config.json", "open_clip_model.safetensors")


def run(job: Job[ModelOptions]) -> Outcome:
    """Leaves the model's folder under the input folder, for `segment --model`, and its path in
    model.json.
    """
    options = job.options
    source = SOURCES[options.name]
    if not options.agree:
        raise InputError(
            f"{options.name} is a download of {source.megabytes} MB from "
            f"{HUB}/{source.repository}, licence {source.licence}.",
            "Give --agree to fetch it.",
        )
    network.demand(f"Fetching {options.name}")
    folder = Path(job.request.input) / options.name
    _need_room(folder, source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(FILES, 1):
            job.stage(f"Fetching {name}", number, len(FILES))
            _fetch(
                job,
                f"{os.environ.get('HF_ENDPOINT', HUB)}/{source.repository}/resolve/main/{name}",
                folder / name,
            )
    except OSError as error:
        raise DiskError(
            f"{error.filename or folder}: {error.strerror or error}.",
            "Free some space, or choose another folder.",
        ) from error
    atomic.write_json(job.folder.staging / "model.json", {"model": str(folder.resolve())})
    return Outcome(f"{options.name} is in {folder}", {})


def _need_room(folder: Path, source: ModelSource) -> None:
    """Raises DiskError where what is still to be fetched finds no room."""
    have = disk.size_of(folder) if folder.is_dir() else 0
    disk.shortage(folder, 0, max(0.0, source.megabytes * 1e6 - have))


def _fetch(job: Job[ModelOptions], url: str, path: Path) -> None:
    """One file; what was fetched before a stop is gone on with, what is there whole stays. Checked
    by size and SHA-256.
    """
    if path.is_file():
        return
    part, tags = path.with_name(f"{path.name}.part"), _Tags()
    have, total = part.stat().st_size if part.is_file() else 0, 0
    for first, block, total in _blocks(url, have, tags):
        have = first
        with open(part, "r+b" if have else "wb") as file:
            file.seek(have)
            have += file.write(block)
        job.progress(have, max(total, have))
    if total and have < total:
        raise InputError(
            f"{url} broke off after {have:,} of {total:,} bytes.",
            "Start it again: it goes on where it was.",
        )
    if not _is_right(part, tags.known):
        part.unlink()
        raise InputError(f"{path.name} is damaged, or not what was asked for.", "Start it again.")
    atomic.sync_file(part)
    part.replace(path)
    atomic.sync_folder(path.parent)


def _blocks(url: str, have: int, tags: "_Tags") -> Iterator[tuple[int, bytes, int]]:
    """Where each block belongs, the block, and the size of the whole; from `have` on if the server
    can.
    """
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.build_opener(tags).open(request, timeout=TIMEOUT) as answer:
            have = have if answer.status == http.client.PARTIAL_CONTENT else 0
            total = have + int(answer.headers.get("Content-Length") or 0)
            tags.known = tags.sha256(answer.headers)
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
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        advice = (
            "Check the internet connection; it goes on where it was. Or name a folder that holds "
            "the model."
        )
        raise InputError(f"{url} can't be fetched: {reason}.", advice) from error


def _is_right(part: Path, known: str) -> bool:
    """By its checksum where the hub gives one; a configuration must at least be one."""
    if known:
        return _sum(part) == known
    try:
        return part.suffixes[-2:] != [".json", ".part"] or "model_cfg" in json.loads(
            part.read_text(encoding="utf-8")
        )
    except (OSError, ValueError, TypeError):
        return False


class _Tags(urllib.request.HTTPRedirectHandler):
    """Keeps what the hub says of a large file before it sends us to where that lies."""

    def __init__(self) -> None:
        self.known = ""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        self.known = self.known or self.sha256(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def sha256(self, headers: Any) -> str:
        """Empty for small files, which have none."""
        tag = str(headers.get("X-Linked-ETag") or headers.get("ETag") or "").strip('W/"')
        return self.known or (tag if len(tag) == 64 and set(tag) <= set("0123456789abcdef") else "")


def _sum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
