"""Pictures beyond a camera's path, to measure a reconstruction by."""

import numpy as np

from ..geometry.arrays import Doubles


def beyond(places: Doubles, share: float = 0.2) -> list[int]:
    """Indices of the cameras at one end of where pictures were taken: the one farthest from their
    middle (N, 3), and those nearest to it, `share` of all. Held out together, they tell what
    every n-th picture can't: how right a scene is where the path did not lead.
    """
    count = round(share * len(places))
    outermost = places[int(np.linalg.norm(places - places.mean(0), axis=1).argmax())]
    nearest = np.linalg.norm(places - outermost, axis=1).argsort(kind="stable")
    return sorted(nearest[:count].tolist())
