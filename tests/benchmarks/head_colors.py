"""Whether pixels have the background's hue or the person's: the nearest of a few clusters of each,
in CIELAB, where lightness counts for less than hue.
"""

from dataclasses import dataclass

import cv2
import numpy as np

LIGHTNESS = 0.5
CLUSTERS, MOST = 12, 20_000


@dataclass(frozen=True)
class Palette:
    """Middles of clusters (C, 3), and the share of the filmed head's own pixels that would be
    taken for background: less can't be asked for.
    """

    behind: np.ndarray
    person: np.ndarray
    floor: float

    def share(self, pixels: np.ndarray) -> float:
        """0..1 of pixels (N, 3) sRGB 0..255 that are nearer to the background."""
        return _nearer(_lab(pixels), self.behind, self.person)


def palette(behind: np.ndarray, person: np.ndarray) -> Palette:
    """Of pixels (N, 3) and (M, 3), sRGB 0..255."""
    middles = [_clusters(_lab(pixels)) for pixels in (behind, person)]
    return Palette(middles[0], middles[1], _nearer(_lab(person), middles[0], middles[1]))


def _lab(pixels: np.ndarray) -> np.ndarray:
    lab = cv2.cvtColor(pixels.reshape(-1, 1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab[:, 0] * [LIGHTNESS, 1, 1], np.float32)


def _clusters(values: np.ndarray) -> np.ndarray:
    some = values[:: max(1, len(values) // MOST)]
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.1)
    return np.asarray(cv2.kmeans(some, CLUSTERS, None, stop, 2, cv2.KMEANS_PP_CENTERS)[2])


def _nearer(values: np.ndarray, behind: np.ndarray, person: np.ndarray) -> float:
    some = values[:: max(1, len(values) // MOST)]
    far = [np.linalg.norm(some[:, None] - m, axis=2).min(1) for m in (behind, person)]
    return float((far[0] < far[1]).mean())
