"""Objects as people look at them in a list: how many splats, where, in what colour, how sure."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from ..formats.semantics_file import distinct_color
from ..geometry.arrays import Floats
from ..geometry.sparse_rows import largest_of_each


def describe(means: Floats, rgb: Floats, shares: csr_matrix) -> list[dict[str, Any]]:
    """A record an object: its number, a name, its splats, how much of them it is (0..1), and where
    most of it lies.
    """
    owner, most = largest_of_each(shares)
    records = []
    for number in range(shares.shape[1]):
        mine = np.flatnonzero(owner == number)
        low, high = (
            np.percentile(means[mine], (2, 98), axis=0) if len(mine) else (np.zeros(3), np.zeros(3))
        )
        records.append(
            {
                "id": number,
                "name": f"Object {number + 1}",
                "splats": len(mine),
                "score": round(float(most[mine].mean()), 3) if len(mine) else 0.0,
                "color": [round(c, 3) for c in distinct_color(number)],
                "mean_color": [
                    round(float(c), 3) for c in (rgb[mine].mean(0) if len(mine) else np.zeros(3))
                ],
                "low": [round(float(x), 5) for x in low],
                "high": [round(float(x), 5) for x in high],
            }
        )
    return records
