"""Writes viseme_encoder.safetensors anew, or with --robust the one that is taught in noise:
synthesises the speech, teaches the encoder, says how well it hears unseen speech.

`make encoder`; a minute. Weights come out the same but for rounding, which machines and numbers of
threads do differently.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from .encoder_training import train_encoder
from .synthetic_speech import utterance
from .viseme_encoder import (
    ROBUST,
    SHIPPED,
    VisemeEncoderConfig,
    save_encoder,
    viseme_probabilities,
)

UTTERANCES, KEPT_BACK = 650, 50
DEPTH = 8.5  # 37 dB


def main() -> None:
    """Teaches the encoder that comes along anew, and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--robust", action="store_true", help="taught in noise")
    given = parser.parse_args()
    robust: bool = given.robust
    output: Path = given.output or (ROBUST if robust else SHIPPED)
    config = VisemeEncoderConfig(depth=DEPTH if robust else 0.0)
    random = np.random.default_rng(0)
    speech = [utterance(random, robust) for _ in range(UTTERANCES + KEPT_BACK)]
    minutes = sum(len(u.visemes) for u in speech) / 6000
    sys.stdout.write(f"{minutes:.0f} minutes of speech\n")
    model = train_encoder(speech[:UTTERANCES], config)
    right = np.mean(
        [
            (viseme_probabilities(model, u.features).argmax(1) == u.visemes).mean()
            for u in speech[UTTERANCES:]
        ]
    )
    save_encoder(model, output)
    sys.stdout.write(
        f"{100 * right:.1f} % of the moments of {KEPT_BACK} unseen utterances heard rightly -> "
        f"{output.name}\n"
    )


if __name__ == "__main__":
    main()
