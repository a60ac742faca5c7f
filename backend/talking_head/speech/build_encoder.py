"""Writes viseme_encoder.safetensors anew: synthesises the speech, teaches the encoder, says how
well it hears unseen speech.

`make encoder`; a minute. Weights come out the same but for rounding, which machines and numbers of
threads do differently.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from .encoder_training import train_encoder
from .synthetic_speech import utterance
from .viseme_encoder import SHIPPED, save_encoder, viseme_probabilities

UTTERANCES, KEPT_BACK = 650, 50


def main() -> None:
    """Teaches the encoder that comes along anew, and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--output", type=Path, default=SHIPPED)
    output: Path = parser.parse_args().output
    random = np.random.default_rng(0)
    speech = [utterance(random) for _ in range(UTTERANCES + KEPT_BACK)]
    minutes = sum(len(u.visemes) for u in speech) / 6000
    sys.stdout.write(f"{minutes:.0f} minutes of speech\n")
    model = train_encoder(speech[:UTTERANCES])
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
