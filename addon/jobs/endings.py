"""What a process that ended without a word died of, in a sentence, and what to do about it. No bpy
here.
"""

from ...backend.protocol import (
    PROTOCOL,
    CrashError,
    Failure,
    OutOfMemory,
    SetupError,
)

# How the system ends a process that memory is not left for: Linux kills it, Windows refuses more.
KILLED = (-9, 137)
NO_MEMORY = (0xC0000017, 0xC000012D)
# An instruction that the processor does not have: POSIX, Windows
UNKNOWN_INSTRUCTION = (-4, 132, 0xC000001D)
MEMORY_WORDS = ("bad_alloc", "out of memory", "MemoryError", "annot allocate memory")


def of_crash(status: int | None, last_words: str, is_resumable: bool) -> Failure:
    """status: as subprocess tells it; last_words: the end of the log; is_resumable: there is a
    checkpoint.
    """
    again = (
        "Press Resume to go on from where it was"
        if is_resumable
        else "Press Resume to start it again"
    )
    what = f"The compute process stopped unexpectedly (status {status})"
    is_killed = status in KILLED
    if is_killed or status in NO_MEMORY or any(words in last_words for words in MEMORY_WORDS):
        reason = "it was killed, most likely because" if is_killed else "its last words say that"
        return Failure(
            OutOfMemory.code,
            f"{what}: {reason} the memory ran out.",
            f"Close other programs, then: {again[0].lower()}{again[1:]}. If it happens again, "
            f"choose a faster preset, fewer splats or fewer and smaller pictures.",
        )
    if status in UNKNOWN_INSTRUCTION:
        return Failure(
            SetupError.code,
            f"{what}: a package uses an instruction that this processor does not have.",
            "Press Check in step 0, Compute, or compute on another machine.",
        )
    return Failure(CrashError.code, f"{what}.", f"{again}.")


def wrong_version(theirs: int) -> Failure:
    """Of a worker whose hello is another version's."""
    return Failure(
        SetupError.code,
        f"The compute process speaks another version of the protocol ({theirs}) than this "
        f"extension ({PROTOCOL}).",
        "Restart Blender; if it stays so, install the extension anew.",
    )
