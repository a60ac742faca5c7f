"""The header of safetensors files. The library writes its metadata in the order of a hash table,
another one each time: the same tensors give other bytes.
"""

import json
from pathlib import Path

LENGTH = 8  # bytes that say how long the header is


def sort_header(path: Path) -> None:
    """Puts the header of a file that was just written in order; nothing else moves."""
    with path.open("rb+") as file:
        size = int.from_bytes(file.read(LENGTH), "little")
        header = json.loads(file.read(size))
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        data = text.encode().ljust(size)  # spaces may follow, by the format
        if len(data) != size:
            raise ValueError(f"{path.name}: the header would take {len(data)} bytes, not {size}")
        file.seek(LENGTH)
        file.write(data)
