"""The Speaker-specific Motion Translator (GaussianTalker, Yu et al. 2024, as its abstract describes
it): universal features of sound, and a decoder that a speaker's embedding makes personal, to
coefficients of a face at any moment.

What the abstract leaves open is our own: log-mel bands and an encoder of visemes where there is no
wav2vec checkpoint, dilated convolutions over time, and the embedding as a scale and a shift of
every layer (FiLM, Perez et al. 2018).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..speech.log_mel import FEATURE_RATE

FAR = 1e9  # no bound


@dataclass(frozen=True, kw_only=True)
class MotionTranslatorConfig:
    """About 120,000 parameters; hears 0.4 s before and after."""

    channels: int = 95  # of the sound's features: speech/features.py
    coefficients: int = 53  # of the face
    speakers: int = 1
    embedding: int = 16
    hidden: int = 64
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1)
    dropout: float = 0.4  # a speaker gives minutes, not hours: memorising is the danger


class _Layer(nn.Module):
    """x + dropout(gelu(FiLM(norm(conv(x)))))"""

    def __init__(self, config: MotionTranslatorConfig, dilation: int) -> None:
        super().__init__()
        pad = dilation * (config.kernel - 1) // 2
        self.conv = nn.Conv1d(
            config.hidden, config.hidden, config.kernel, padding=pad, dilation=dilation
        )
        self.norm = nn.GroupNorm(1, config.hidden)
        self.film = nn.Linear(config.embedding, 2 * config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, speaker: Tensor) -> Tensor:
        scale, shift = self.film(speaker)[..., None].chunk(2, 1)
        hidden: Tensor = x + self.dropout(
            nn.functional.gelu(self.norm(self.conv(x)) * (1 + scale) + shift)
        )
        return hidden


def _unmatched(count: int) -> dict[str, Tensor]:
    """What leaves motion as it is, of `count` coefficients."""
    return {
        "gain": torch.ones(count),
        "quick": torch.zeros(count),
        "middle": torch.zeros(count),
        "least": torch.full((count,), -FAR),
        "most": torch.full((count,), FAR),
        "lips": torch.zeros(count),
        "along": torch.zeros(count),
        "sharp": torch.zeros(1),
        "still": torch.full((count,), FAR),
        "apart": torch.linspace(0, 1, 11).repeat(2, 1),
    }


MATCHING = tuple(_unmatched(1))


class MotionTranslator(nn.Module):
    """features (B, T, C) at FEATURE_RATE -> coefficients (B, N, K) at times (B, N), in seconds from
    the first feature.
    """

    gain: nn.Parameter  # (K,) of each coefficient about `middle` (K,)
    quick: nn.Parameter  # (K,) how much of what is quick is added
    middle: nn.Parameter
    least: nn.Parameter  # (K,) of what was filmed
    most: nn.Parameter
    lips: nn.Parameter  # (K,) how far coefficients open the lips
    along: nn.Parameter  # (K,) what a person does to open them by one
    sharp: nn.Parameter  # (1,) how much of what is quick in their distance is added
    still: nn.Parameter  # (K,) the face in pauses; FAR: not told
    apart: nn.Parameter  # (2, Q) distances of the lips: as decoded, as filmed

    def __init__(self, config: MotionTranslatorConfig) -> None:
        super().__init__()
        self.config = config
        self.mean = nn.Parameter(torch.zeros(config.channels), requires_grad=False)
        self.deviation = nn.Parameter(torch.ones(config.channels), requires_grad=False)
        for name, start in _unmatched(config.coefficients).items():  # set by matching.py
            setattr(self, name, nn.Parameter(start, requires_grad=False))
        self.speakers = nn.Embedding(config.speakers, config.embedding)
        self.enter = nn.Conv1d(config.channels, config.hidden, 1)
        self.layers = nn.ModuleList(_Layer(config, d) for d in config.dilations)
        self.leave = nn.Conv1d(config.hidden, config.coefficients, 1)

    def forward(self, features: Tensor, times: Tensor, speaker: Tensor) -> Tensor:
        """`speaker` (B,) numbers below config.speakers."""
        x = self.enter(((features - self.mean) / self.deviation).transpose(1, 2))
        embedding = self.speakers(speaker)
        for layer in self.layers:
            x = layer(x, embedding)
        return sampled(self.leave(x), times * FEATURE_RATE)


def sampled(rows: Tensor, at: Tensor) -> Tensor:
    """Rows (B, K, T) between whole numbers: (B, N, K) at places (B, N); the ends are held."""
    at = at.clamp(0, rows.shape[2] - 1)
    first = at.floor().long().clamp(max=max(rows.shape[2] - 2, 0))
    share = (at - first)[:, None]
    wide = first[:, None].expand(-1, rows.shape[1], -1)
    after = (wide + 1).clamp(max=rows.shape[2] - 1)
    samples: Tensor = (
        rows.gather(2, wide) * (1 - share) + rows.gather(2, after) * share
    ).transpose(1, 2)
    return samples
