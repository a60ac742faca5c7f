"""The paper's recipe with networks of the right interface that the tests make: small, scripted,
untrained.
"""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from backend.cameras.flowmap.clip import FlowMapClip
from backend.cameras.flowmap.fit import FlowMapConfig, fit
from backend.cameras.flowmap.network import NetworkConfig
from backend.cameras.flowmap.pretrained import (
    PretrainedConfig,
    PretrainedDepth,
    load,
    with_flow,
    with_tracks,
)
from backend.media.tracks.tracks import EMPTY
from backend.protocol import InputError

HEIGHT, WIDTH, FRAMES = 32, 48, 5


class ToyFlow(nn.Module):
    """Everything moves two pixels to the left; refined twice, as RAFT does."""

    def forward(self, first: Tensor, second: Tensor) -> list[Tensor]:
        flow = torch.zeros_like(first[:, :2])
        flow[:, 0] = -2.0
        return [flow * 0.5, flow]


class ToyDepth(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images)[:, 0].exp() * 100


class ToyTracker(nn.Module):
    """Follows every query by two pixels a frame."""

    def forward(self, video: Tensor, queries: Tensor) -> tuple[Tensor, Tensor]:
        frames = torch.arange(video.shape[1], dtype=torch.float32)[None, :, None]
        moved = queries[:, None, :, 1:].repeat(1, video.shape[1], 1, 1)
        moved[..., 0] = moved[..., 0] - 2 * (frames - queries[:, None, :, 0])
        return moved, torch.ones(1, video.shape[1], queries.shape[1])


@pytest.fixture
def clip() -> FlowMapClip:
    wide = torch.rand(3, HEIGHT, WIDTH + 2 * FRAMES, generator=torch.Generator().manual_seed(0))
    video = torch.stack([wide[:, :, 2 * i : 2 * i + WIDTH] for i in range(FRAMES)])
    zeros, ones = torch.zeros(FRAMES - 1, HEIGHT, WIDTH, 2), torch.ones(FRAMES - 1, HEIGHT, WIDTH)
    return FlowMapClip(
        video=video,
        forward=zeros,
        backward=zeros,
        forward_trust=ones,
        backward_trust=ones,
        tracks=EMPTY,
    )


def saved(network: nn.Module, path: Path) -> str:
    torch.jit.script(network).save(str(path))
    return str(path)


def test_flow_comes_from_the_network_and_is_trusted_where_colours_agree(
    clip: FlowMapClip, tmp_path: Path
) -> None:
    network = load(saved(ToyFlow(), tmp_path / "flow.pt"), "cpu", trusted=True)
    assert network is not None
    flowing = with_flow(clip, network)
    assert torch.allclose(flowing.forward[..., 0], torch.tensor(-2.0 / WIDTH))
    assert float(flowing.forward_trust[:, :, 4:].mean()) > 0.95, (
        "the wide picture does move by two pixels"
    )
    assert float(flowing.backward_trust[:, :, 4:-4].mean()) < 0.5, "the way back does not"


def test_tracks_come_from_the_network(clip: FlowMapClip, tmp_path: Path) -> None:
    network = load(saved(ToyTracker(), tmp_path / "tracker.pt"), "cpu", trusted=True)
    assert network is not None
    tracks = with_tracks(clip, network, PretrainedConfig(query_every=2, grid=6)).tracks
    same = tracks.point[1:] == tracks.point[:-1]
    assert tracks.points > 20
    assert ((tracks.uv[1:] - tracks.uv[:-1])[same][:, 0] * WIDTH).round(3).tolist() == [-2.0] * int(
        same.sum()
    )


def test_depth_network_is_trained_on(clip: FlowMapClip, tmp_path: Path) -> None:
    network = load(saved(ToyDepth(), tmp_path / "depth.pt"), "cpu", trusted=True)
    assert network is not None
    before = [p.clone() for p in network.parameters()]
    moving = with_flow(clip, ToyFlow())
    result = fit(
        moving,
        FlowMapConfig(steps=5, mirror_at=0.0),
        make_network=lambda: PretrainedDepth(network, NetworkConfig()),
    )
    assert result.depth.shape == (FRAMES, HEIGHT, WIDTH) and torch.isfinite(result.depth).all()
    assert any(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_no_path_is_no_network_and_a_bad_file_is_one_sentence(tmp_path: Path) -> None:
    assert load("", "cpu", trusted=True) is None
    with pytest.raises(InputError, match="There is no"):
        load(str(tmp_path / "none.pt"), "cpu", trusted=True)
    for content in (b"", b"nonsense", b"PK\x03\x04"):
        (tmp_path / "bad.pt").write_bytes(content)
        with pytest.raises(InputError, match="TorchScript"):
            load(str(tmp_path / "bad.pt"), "cpu", trusted=True)
