"""Which jobs this user has started: their requests are signed with a secret that never leaves the
extension's user folder. A folder that came with someone else's project can't have such a signature,
and neither has a request that was changed, or a folder that was moved.
"""

import hmac
import os
import secrets
from pathlib import Path
from typing import Any

from ...backend.protocol import Request
from ...backend.runtime import atomic
from ..compute import state

SECRET, SIGNATURE = "own-jobs.key", "signature"
LENGTH = 32  # bytes of the secret


def sign(folder: Path, request: Request[Any]) -> None:
    """Says that this user has asked for this, here."""
    atomic.write_bytes(folder / SIGNATURE, _signature(folder, request).encode())


def is_own(folder: Path, request: Request[Any]) -> bool:
    """Whether this user has asked for this, here."""
    if not (folder / SIGNATURE).is_file():  # a pipe would be waited for
        return False
    try:
        with open(folder / SIGNATURE, "rb") as file:
            signature = file.read(200)
        return hmac.compare_digest(signature, _signature(folder, request).encode())
    except OSError:
        return False


def _signature(folder: Path, request: Request[Any]) -> str:
    message = f"{os.path.realpath(folder)}\0{request.to_json()}"
    return hmac.new(_secret(), message.encode("utf-8", "surrogateescape"), "sha256").hexdigest()


def _secret() -> bytes:
    """Made when it is first needed; read by its owner alone."""
    path = state.folder() / SECRET
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        secret = b""
    if len(secret) == LENGTH:
        return secret
    fresh = secrets.token_bytes(LENGTH)
    part = path.with_name(f".{SECRET}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(fresh)
    os.replace(part, path)
    return fresh
