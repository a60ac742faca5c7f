"""Label pictures with the mistakes that a MobileSAM makes: regions split, merged, lost, and with
outlines that are off by a pixel or so.
"""

from pathlib import Path

import numpy as np
from helpers import teacher_simulator
from helpers.teacher_simulator import SimulatorConfig
from PIL import Image

MISTAKES = SimulatorConfig(fray=1.5)


def write_jittered(
    exact: Path, folder: Path, seed: int, config: SimulatorConfig = MISTAKES
) -> None:
    """For every label picture in `exact` (0: none) one of the same name; 0: none."""
    random = np.random.default_rng(7000 + seed)
    folder.mkdir(parents=True)
    for path in sorted(exact.glob("*.png")):
        owners = np.asarray(Image.open(path)).astype(int) - 1
        labels = np.zeros(owners.shape, np.uint16)
        for number, (_, piece) in enumerate(teacher_simulator.mistaken(owners, random, config)):
            labels[piece] = number + 1
        Image.fromarray(labels).save(folder / path.name)
