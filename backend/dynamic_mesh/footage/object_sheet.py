"""A picture of what was taken for the object, so that a wrong mask is seen before the fit and not
after.
"""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageOps

from .timed_views import TimedView

COLUMNS, ROWS, SIDE, CAPTION, LETTERS = (
    3,
    3,
    240,
    14,
    34,
)  # as few and large as a panel in Blender can show

HIDDEN = (0.62, 0.56, 0.72)  # what stands before the object: unlike a photograph's gray


def object_sheet(views: Sequence[TimedView]) -> Image.Image:
    """Cut out, on white, what hides it in violet, with the names of the pictures, evenly through
    the clip.
    """
    chosen = [
        views[i]
        for i in np.unique(
            np.linspace(0, len(views) - 1, min(len(views), COLUMNS * ROWS)).round().astype(int)
        )
    ]
    rows = -(-len(chosen) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + CAPTION)), "white")
    write = ImageDraw.Draw(sheet)
    for place, view in enumerate(chosen):
        left, top = place % COLUMNS * SIDE, place // COLUMNS * (SIDE + CAPTION)
        level = view.levels[0]
        shown = level.color + 1 - level.alpha[..., None]
        if level.known is not None:
            shown = torch.where(level.known[..., None], shown, shown.new_tensor(HIDDEN))
        pixels = shown.clamp(0, 1).mul(255).round().byte().cpu().numpy()
        sheet.paste(
            ImageOps.pad(Image.fromarray(pixels), (SIDE, SIDE), color="white"),
            (left, top + CAPTION),
        )
        name = view.name.encode("ascii", "replace").decode()  # a font need not have other letters
        write.text((left + 4, top), name[-LETTERS:], fill="gray")
    return sheet
