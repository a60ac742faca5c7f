"""A mouth in the style that suits all: visemes, and a jaw that opens further in loud speech."""

from ...formats.arkit import BLENDSHAPES
from ...geometry.arrays import Floats
from ..speech.log_mel import FEATURE_RATE
from ..speech.smoothing import smoothed
from ..speech.visemes import CLOSED, TEETH, VISEMES, VisemeStyle, mouths, viseme_shares
from .idle import loudness_of

# of a full jaw at the loudest; chosen on two speakers (talk_french50, GRID s1), judged on others
LOUD = 0.1
SLOW = 0.08  # seconds over which loudness is smoothed: a jaw is heavy
STILL = [CLOSED, TEETH, VISEMES.index("sil")]


def universal_mouth(
    probabilities: Floats, bands: Floats, style: VisemeStyle = VisemeStyle()
) -> Floats:
    """(T, 52) of a mouth that says visemes with chances (T, 15), in a sound of log-mel bands (T,
    C), all at FEATURE_RATE. Lips that close or touch the teeth, and silence, are not opened.
    """
    mouth = mouths(probabilities, style=style)
    free = 1 - viseme_shares(probabilities, style)[:, STILL].sum(1)
    loud = smoothed(loudness_of(bands), SLOW * FEATURE_RATE) * free
    jaw = BLENDSHAPES.index("jawOpen")
    mouth[:, jaw] = (mouth[:, jaw] + LOUD * style.intensity * style.jaw * loud).clip(0, 1)
    return mouth
