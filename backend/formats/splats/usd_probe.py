"""Whether a USD file can be opened at all: tried in a process of its own, for OpenUSD crashes on
some damaged files, and would take Blender along.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds, and one more for every
BYTES_A_SECOND = 5_000_000
CANNOT = 7  # exit status: this Python can't load the library by itself
SCRIPT = f"""
import sys
try:
    from pxr import Usd, UsdGeom
except ImportError:
    sys.exit({CANNOT})
stage, cache = Usd.Stage.Open(sys.argv[1]), UsdGeom.XformCache()
for prim in stage.Traverse():
    if prim.GetTypeName() == sys.argv[2]:
        prim.GetCustomData(), cache.GetLocalToWorldTransform(prim)
        for attribute in prim.GetAttributes():
            attribute.GetName(), attribute.GetTypeName(), attribute.Get()
"""


def can_be_read(path: Path, schema: str, library: Any) -> bool:
    """Whether another process could read all prims of the schema, with the same library. True, too,
    where no process can be started that has it.
    """
    place = Path(library.__path__[0]).parent
    patience = PATIENCE + path.stat().st_size / BYTES_A_SECOND
    try:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path), schema],
            env={**os.environ, "PYTHONPATH": str(place)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        return False
    except OSError:
        return True
    return done.returncode in (0, CANNOT)
