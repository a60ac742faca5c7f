"""In how many pictures each Gaussian is seen: what no two pictures support is a guess."""

import numpy as np
import torch

from ..gaussians.options import Drawables, RasterView
from ..gaussians.region_weights import region_weights
from ..geometry.arrays import Ints
from .trainer import Trainer

PROPERTY = "views"  # of the file: pictures that see the splat
LEAST = 0.25  # pixels of the full picture that it must make up
FEWEST_VIEWS, FEWEST_PICTURES = 2, 10  # that must see a splat; of how many it is asked at all
MOST_VIEWS = 150  # that are asked, spread evenly


@torch.no_grad()
def views_that_see(trainer: Trainer) -> Ints:
    """(N,) training pictures in which a Gaussian makes up a quarter of a pixel, counted on
    pictures of half the size; as a share of all where only some are asked.
    """
    model, views = trainer.model, trainer.views
    gaussians = Drawables(
        means=model.means.detach(),
        quats=model.quats.detach(),
        scales=model.scales.detach(),
        opacities=model.opacities.detach(),
        colors=model.means.new_zeros(len(model), 3),
    )
    step = max(1, -(-len(views.training) // MOST_VIEWS))
    asked = views.training[::step]
    count = np.zeros(len(model), np.int64)
    for index in asked:
        view = views.half[index]
        seen = RasterView(
            viewmat=view.viewmat.to(trainer.device),
            K=view.K.to(trainer.device),
            width=view.size[0],
            height=view.size[1],
            sh_degree=None,
            background=model.means.new_zeros(3),
        )
        everywhere = np.zeros((seen.height, seen.width), np.int32)
        weights = region_weights(gaussians, seen, everywhere, 1, trainer.options)
        count += weights.toarray()[:, 0] > LEAST / 4  # a pixel of half the size is four
    return np.asarray(np.rint(count * len(views.training) / max(len(asked), 1)), np.int64)


@torch.no_grad()
def drop_unsupported(trainer: Trainer) -> tuple[Ints, int]:
    """Takes away near Gaussians that fewer than two pictures see, once training is done: they cost
    a tenth of a file, and are what floats about where no camera was. Few pictures, or splats that
    would all go, are left as they are.

    Returns how many pictures see each that is left, (N,), and how many are gone.
    """
    views, model = views_that_see(trainer), trainer.model
    seen = torch.from_numpy(views >= FEWEST_VIEWS).to(model.means.device)
    kept = seen | trainer.surroundings.is_far(model.means)
    if len(trainer.views.training) < FEWEST_PICTURES or not bool(kept.any()):
        return views, 0
    for name, values in model.named().items():
        setattr(model, name, values.detach()[kept])
    return views[kept.cpu().numpy()], int((~kept).sum())
