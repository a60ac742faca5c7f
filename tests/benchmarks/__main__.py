"""`python -m tests.benchmarks [ROOM]`."""

import importlib
import sys

from backend.runtime.device import tune_process
from tests.benchmarks.table import Table, say

ROOMS = (
    "gaussians",
    "suite",
    "flowmap",
    "cameras",
    "splats",
    "splats_away",
    "splats_refined",
    "splat_mesh",
    "blender_light",
    "semantics",
    "lerf_ovs",
    "replica",
    "scannet",
    "small_clip",
    "talking",
    "dynamic_mesh",
    "boundary",
    "boundary_fit",
)


def main() -> int:
    wanted = [room for room in sys.argv[1:] if room] or list(ROOMS)
    unknown = [room for room in wanted if room not in ROOMS]
    if unknown:
        say(f"There is no room {unknown[0]!r}; one of {', '.join(ROOMS)}.")
        return 1
    tune_process()  # as the worker does, before torch is there
    for room in wanted:
        table = Table(room)
        importlib.import_module(f"tests.benchmarks.{room}").run(table)
        say(f"-> {table.write()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
