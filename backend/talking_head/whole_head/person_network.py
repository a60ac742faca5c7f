"""The person as a network of segmentation sees it, whatever number it has for people."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ...networks.segmenter import Segmenter
from ...protocol import InputError
from .matting import HeadPlace

LEAST = 0.5  # share of the fitted heads that has to be of one class


def people(
    segmenter: Segmenter, images: Iterable[NDArray[np.uint8]], places: list[HeadPlace]
) -> list[NDArray[np.bool_]]:
    """(h, w) True for the class that most of the fitted heads are of. InputError where they are
    mostly of the first one, the background.
    """
    classes = [segmenter.classes(image) for image in images]
    inside = [
        labels[_middle(labels.shape, place)] for labels, place in zip(classes, places, strict=True)
    ]
    counts = np.bincount(np.concatenate(inside))
    if counts[0] > LEAST * counts.sum():
        raise InputError(
            f"{segmenter.model.name} sees no person where the face is.",
            "Choose a network that was trained to tell people from the background.",
        )
    person = 1 + int(counts[1:].argmax())
    return [labels == person for labels in classes]


def _middle(size: tuple[int, ...], place: HeadPlace) -> NDArray[np.bool_]:
    row, column = np.mgrid[: size[0], : size[1]]
    across = (column - place.centre[0]) / (0.6 * place.half[0])
    up = (row - place.centre[1]) / (0.6 * place.half[1])
    return np.asarray(across**2 + up**2 < 1)
