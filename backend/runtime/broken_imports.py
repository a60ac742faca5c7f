"""Whose import an exception came out of: a package that is there and can't be loaded is a matter
of the set-up, whatever it raises.
"""

import dis
import errno
import sys
from types import TracebackType

from ..protocol import OutOfMemory, SetupError, SplatsmithError

OURS = __name__.split(".")[0]  # backend in a checkout, splatsmith where pip has put it
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "open_clip": "open_clip_torch",
    "pillow_heif": "pillow-heif",
    "fast_simplification": "fast-simplification",
    "espeakng_loader": "espeakng-loader",
    "pxr": "usd-core",
}
MEMORY_WORDS = (
    "out of memory",
    "cannot allocate memory",
    "can't allocate memory",
    "bad_alloc",
    "bad allocation",
    "alloc_failed",
    "paging file is too small",  # Windows, of a library that does not fit
)
NO_MEMORY = (errno.ENOMEM, 1455)  # 1455: Windows' ERROR_COMMITMENT_LIMIT


def ran_out_of_memory(error: BaseException) -> bool:
    """Main or video memory: by its type, its number, or the words of whoever raised it."""
    text = str(error).lower()
    if "static tls block" in text:  # glibc's: room for the variables of threads, not memory
        return False
    numbers = (getattr(error, "errno", None), getattr(error, "winerror", None))
    return (
        isinstance(error, MemoryError)
        or any(number in NO_MEMORY for number in numbers)
        or any(words in text for words in MEMORY_WORDS)
    )


def broken_import(error: BaseException) -> SplatsmithError | None:
    """The error in the house's words where a package is missing, or raised it while it was
    imported; None where it came from anywhere else.
    """
    if isinstance(error, ModuleNotFoundError):
        name = DISTRIBUTIONS.get(_top(error.name or ""), error.name)
        return SetupError(
            f"The Python package {name} is missing.",
            "Set up the compute environment, or run `doctor`.",
        )
    package = imported_package(error)
    if package is None:
        return None
    name = DISTRIBUTIONS.get(package, package)
    if ran_out_of_memory(error):
        return OutOfMemory(
            f"The memory ran out while the Python package {name} was loaded.",
            "Close other programs and run the job again.",
        )
    reason = " ".join(str(error).split())[:200] or "it does not say why"
    return SetupError(
        f"The Python package {name} is there, but can't be loaded ({type(error).__name__}: "
        f"{reason}).",
        "Set the compute environment up again: a part of it is damaged, or does not fit this "
        "machine.",
    )


def imported_package(error: BaseException) -> str | None:
    """The innermost foreign package that was being imported when the error was raised: one whose
    module was running, or one that a line of ours imports, for a library that is no Python leaves
    no frame.
    """
    package: str | None = None
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        name = _top(module) if trace.tb_frame.f_code.co_name == "<module>" else ""
        if not _is_foreign(name):
            name = _import_at(trace)
        if _is_foreign(name):
            package = name
        trace = trace.tb_next
    return package


def _import_at(trace: TracebackType) -> str:
    """What the instruction of the frame imports, if it is an absolute import; else nothing."""
    frame = trace.tb_frame
    if _top(str(frame.f_globals.get("__name__", ""))) != OURS:
        return ""
    level, module = 0, ""
    for instruction in dis.get_instructions(frame.f_code):
        kind, value = instruction.opname, instruction.argval
        if kind == "IMPORT_NAME":
            module = "" if level else _top(str(value))
        if instruction.offset == trace.tb_lasti:
            return module if kind in ("IMPORT_NAME", "IMPORT_FROM") else ""
        if kind.startswith("LOAD_") and isinstance(value, int):
            level = value  # 0: absolute
    return ""


def _top(module: str) -> str:
    return module.partition(".")[0]


def _is_foreign(package: str) -> bool:
    return package not in ("", OURS, "__main__") and package not in sys.stdlib_module_names
