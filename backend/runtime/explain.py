"""What went wrong, in the house's words."""

import logging

from .. import protocol
from ..protocol import SplatsmithError
from . import disk
from .broken_imports import broken_import, ran_out_of_memory

log = logging.getLogger(__name__)


def explain(error: BaseException) -> SplatsmithError:
    """The error in the house's words. What has no words yet is INTERNAL and points at the log."""
    if isinstance(error, SplatsmithError):
        return error
    text = str(error)
    unloadable = broken_import(error)
    if unloadable is not None:
        log.error("a package can't be loaded", exc_info=error)
        return unloadable
    if ran_out_of_memory(error):
        return protocol.OutOfMemory(
            "The memory ran out.",
            "Choose a faster preset, fewer splats or smaller pictures, or close other programs.",
        )
    if disk.is_full(error):
        return protocol.DiskError("The disk is full.", "Free some space and run the job again.")
    if isinstance(error, PermissionError):
        return protocol.DiskError(f"No permission for {error.filename}.", "Choose another folder.")
    log.error("unexpected", exc_info=error)
    return SplatsmithError(
        f"Something unexpected went wrong ({type(error).__name__}: {text[:200]}).",
        "The job's log has the details.",
    )
