"""Archives, which are to be unpacked before anything in them can be read. Standard library only."""

from pathlib import Path

from ..protocol import InputError
from . import gate

ENDINGS = (
    *(".zip", ".7z", ".rar", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst"),
    *(".lzma", ".cab", ".iso", ".dmg"),
)
# what files begin with, whatever they are called; the last stands further in
MARKS = (
    *(b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b\x08"),
    *(b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"),
)
TAR, TAR_AT = b"ustar", 257


def refuse_archive(path: Path) -> None:
    """Raises InputError for a file that is an archive by its name or by how it begins."""
    if not gate.is_file(path):
        return
    try:
        with gate.opened(path) as file:
            begin = file.read(TAR_AT + len(TAR))
    except (OSError, InputError):
        begin = b""  # whoever reads the file will tell
    if path.suffix.lower() in ENDINGS or begin.startswith(MARKS) or begin[TAR_AT:] == TAR:
        raise InputError(
            f"{path.name} is an archive.", "Unpack it, and choose the folder or file in it."
        )
