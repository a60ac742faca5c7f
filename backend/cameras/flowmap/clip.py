"""A clip as FlowMap sees it: small pictures, flow, and tracks; and windows of it, so that memory
does not grow with length.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...media.tracks.tracks import Tracks
from .network import network_input


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some frames of a clip in a row. Track points that are not seen in a frame have `seen` False
    there.
    """

    inputs: Tensor  # (n, 9, h, w)
    forward: Tensor  # (n - 1, h, w, 2)
    backward: Tensor
    forward_trust: Tensor  # (n - 1, h, w)
    backward_trust: Tensor
    track_xy: Tensor  # (n, m, 2)
    track_seen: Tensor  # (n, m) bool


@dataclass(frozen=True, kw_only=True)
class FlowMapClip:
    """The whole clip. Flow and xy are in shares of the picture; see tracks/flow.py."""

    video: Tensor  # (n, 3, h, w) 0..1
    forward: Tensor
    backward: Tensor
    forward_trust: Tensor
    backward_trust: Tensor
    tracks: Tracks  # uv in shares of the picture

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.video)

    @property
    def size(self) -> tuple[int, int]:
        """Height, width."""
        return self.video.shape[2], self.video.shape[3]

    def window(self, first: int, length: int, points: int, random: np.random.Generator) -> Window:
        """At most `points` tracks with two or more observations in the window, drawn at random."""
        frames, steps = slice(first, first + length), slice(first, first + length - 1)
        xy, seen = self._dense_tracks(first, length, points, random)
        inputs = network_input(self.video[frames], self.forward[steps], self.backward[steps])
        return Window(
            inputs=inputs,
            forward=self.forward[steps],
            backward=self.backward[steps],
            forward_trust=self.forward_trust[steps],
            backward_trust=self.backward_trust[steps],
            track_xy=xy,
            track_seen=seen,
        )

    def _dense_tracks(
        self, first: int, length: int, points: int, random: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        inside = (self.tracks.frame >= first) & (self.tracks.frame < first + length)
        local = self.tracks.keep(inside)
        chosen = random.permutation(local.points)[:points]
        place = np.full(local.points, -1)
        place[chosen] = np.arange(len(chosen))
        used = place[local.point] >= 0
        xy, seen = (
            np.full((length, len(chosen), 2), 0.5, np.float32),
            np.zeros((length, len(chosen)), bool),
        )
        at = local.frame[used] - first, place[local.point[used]]
        xy[at], seen[at] = local.uv[used], True
        return torch.from_numpy(xy).to(self.video.device), torch.from_numpy(seen).to(
            self.video.device
        )

    def to(self, device: str) -> "FlowMapClip":
        """The same clip on another device."""
        fields = (self.video, self.forward, self.backward, self.forward_trust, self.backward_trust)
        video, forward, backward, there, back = (f.to(device) for f in fields)
        return FlowMapClip(
            video=video,
            forward=forward,
            backward=backward,
            forward_trust=there,
            backward_trust=back,
            tracks=self.tracks,
        )
