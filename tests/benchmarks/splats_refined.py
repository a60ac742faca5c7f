"""Whether camera refinement helps: the same training on the cameras that *Solve Cameras* found and
on ones that the training may move, every eighth picture held out (and its own camera refined by
neither).
"""

import os

from tests.benchmarks.splats import FOX_SHORT, OTHERS, solved, train
from tests.benchmarks.table import Table

CASES = {"fox": FOX_SHORT, "lund_door": OTHERS, "tum_fr2_desk": OTHERS, "vid_apple": OTHERS}


def run(table: Table) -> None:
    """CASES (the environment's) narrows it down."""
    wanted = os.environ.get("CASES", ",".join(CASES)).split(",")
    for case, options in CASES.items():
        capture = solved(case) if case in wanted else None
        if capture is not None:
            train(table, f"{case}, as solved", capture, options, curve=False)
            train(table, f"{case}, refined", capture, (*options, "--refine-cameras"), curve=False)
