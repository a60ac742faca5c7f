"""How a rig is fitted to tracked points: weights, and which points say what."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..tracking.face_mesh import CHIN, COUNT, INNER_LIPS, LIDS, MESH, OUTER_LIPS, OVAL

RIGID = 0.3  # weight for the pose of what moves in speech


@dataclass(frozen=True, kw_only=True)
class FaceFitConfig:
    """Weights are for residuals in eye distances, summed over the points."""

    rounds: int = 5
    # share of what is left at a point, for all frames, that becomes the person's own
    offsets: float = 0.8
    steps: int = 60  # of the solver, each round
    field_of_view: float = 25.0  # degrees over the longer side, where nothing is known of the lens
    identity: float = 2e-3  # pull to the mean face, for one standard deviation
    pull: float = 1e-2  # of every coefficient to zero
    smooth: float = 0.1  # of coefficients between neighbouring frames
    # of that, for lids, which are shut and open within a tenth of a second
    blink_smooth: float = 0.1
    squint_pull: float = 10.0  # and more pull to zero for what looks like half a blink
    # of the product of two that undo one another, such as jawLeft and jawRight
    against: float = 1.0
    # degrees to either side of the lens within which a head counts as facing it
    facing: float = 15.0
    lips: float = 10.0
    lids: float = 6.0
    chin: float = 2.0
    oval: float = 0.1
    iris: float = 3.0
    spread: float = 1.0  # centimetres over which what a point lacks moves the mesh around it


def point_weights(config: FaceFitConfig) -> tuple[Tensor, Tensor]:
    """(478,) for expressions, and for poses, which what moves must not turn."""
    moving = torch.ones(COUNT)
    for numbers, weight in (
        (OVAL, config.oval),
        (CHIN, config.chin),
        (OUTER_LIPS, config.lips),
        (INNER_LIPS, config.lips),
        (LIDS, config.lids),
        (range(MESH, COUNT), config.iris),
    ):
        moving[list(numbers)] = weight
    rigid = torch.ones(COUNT)
    for numbers in (CHIN, OUTER_LIPS, INNER_LIPS, LIDS):
        rigid[list(numbers)] = RIGID
    rigid[list(OVAL)] = config.oval
    rigid[MESH:] = 0
    return moving / COUNT, rigid / COUNT
