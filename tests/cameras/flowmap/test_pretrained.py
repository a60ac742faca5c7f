"""FlowMap with networks of the right interface that the tests make: small, untrained, as ONNX."""

import copy
from pathlib import Path
from typing import Literal

import pytest
import torch
from helpers import tiny_onnx

from backend.cameras.flowmap.clip import FlowMapClip
from backend.cameras.flowmap.fit import FlowMapConfig, fit
from backend.cameras.flowmap.network import NetworkConfig, network_input
from backend.cameras.flowmap.pretrained import (
    PretrainedConfig,
    PretrainedDepth,
    load,
    with_flow,
    with_tracks,
)
from backend.media.tracks.tracks import EMPTY
from backend.networks.relative_depth import load_depth
from backend.protocol import InputError

HEIGHT, WIDTH, FRAMES = 32, 48, 5


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


@pytest.mark.parametrize("batch", ["b", 1, 3])
def test_flow_comes_from_the_network_and_is_trusted_where_colours_agree(
    clip: FlowMapClip, tmp_path: Path, batch: int | str
) -> None:
    network = load(str(tiny_onnx.flow(tmp_path / "flow.onnx", batch=batch)), "flow", "cpu")
    assert network is not None
    flowing = with_flow(clip, network)
    assert torch.allclose(flowing.forward[..., 0], torch.tensor(-2.0 / WIDTH))
    assert float(flowing.forward_trust[:, :, 4:].mean()) > 0.95, (
        "the wide picture does move by two pixels"
    )
    assert float(flowing.backward_trust[:, :, 4:-4].mean()) < 0.5, "the way back does not"


def test_pictures_are_brought_to_a_size_that_the_network_wants(
    clip: FlowMapClip, tmp_path: Path
) -> None:
    network = load(str(tiny_onnx.flow(tmp_path / "flow.onnx", (16, 96))), "flow", "cpu")
    assert network is not None
    flowing = with_flow(clip, network)
    assert flowing.forward.shape == (FRAMES - 1, HEIGHT, WIDTH, 2)
    assert torch.allclose(flowing.forward[..., 0], torch.tensor(-2.0 / 96)), "shares of its width"


def test_tracks_come_from_the_network(clip: FlowMapClip, tmp_path: Path) -> None:
    network = load(str(tiny_onnx.tracker(tmp_path / "tracker.onnx")), "track", "cpu")
    assert network is not None
    tracks = with_tracks(clip, network, PretrainedConfig(query_every=2, grid=6)).tracks
    same = tracks.point[1:] == tracks.point[:-1]
    assert tracks.points > 20
    assert ((tracks.uv[1:] - tracks.uv[:-1])[same][:, 0] * WIDTH).round(3).tolist() == [-2.0] * int(
        same.sum()
    )


@pytest.mark.parametrize("size", [("H", "W"), (28, 28)])
def test_depth_is_the_networks_until_it_is_corrected(
    clip: FlowMapClip, tmp_path: Path, size: tuple[int | str, int | str]
) -> None:
    model = load_depth(tiny_onnx.inverse_depth(tmp_path / "depth.onnx", size))
    torch.manual_seed(0)
    network = PretrainedDepth(model, NetworkConfig())
    frames = network_input(clip.video, clip.forward, clip.backward)
    with torch.no_grad():
        log_depth, features = network(frames)
        mean, deviation = (torch.tensor(v)[:, None, None] for v in (MEAN, DEVIATION))
        expected = -(((clip.video - mean) / deviation).sum(1) * 0.2)
    assert log_depth.shape == (FRAMES, HEIGHT, WIDTH) and features.shape[0] == FRAMES
    if size == ("H", "W"):
        pair = torch.stack([log_depth.flatten(), expected.flatten()])
        assert float(torch.corrcoef(pair)[0, 1]) > 0.9, "at 518 pixels, and back"
    assert len(network._known.known) == FRAMES
    other = copy.deepcopy(network)  # as a mirrored start is made
    assert other._known is network._known and other.own is not network.own


MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_what_corrects_the_depth_is_trained(clip: FlowMapClip, tmp_path: Path) -> None:
    model = load_depth(tiny_onnx.inverse_depth(tmp_path / "depth.onnx"))
    flow = load(str(tiny_onnx.flow(tmp_path / "flow.onnx")), "flow", "cpu")
    assert flow is not None
    made: list[PretrainedDepth] = []

    def make() -> PretrainedDepth:
        made.append(PretrainedDepth(model, NetworkConfig()))
        return made[-1]

    result = fit(with_flow(clip, flow), FlowMapConfig(steps=5, mirror_at=0.0), make_network=make)
    assert result.depth.shape == (FRAMES, HEIGHT, WIDTH) and torch.isfinite(result.depth).all()
    torch.manual_seed(0)
    fresh = PretrainedDepth(model, NetworkConfig())
    assert not torch.equal(made[0].log_shift, fresh.log_shift)
    assert len(made[0]._known.known) == FRAMES, "asked for once a frame"


def test_no_path_is_no_network_and_a_bad_file_is_one_sentence(tmp_path: Path) -> None:
    assert load("", "flow", "cpu") is None
    with pytest.raises(InputError, match="There is no"):
        load(str(tmp_path / "none.onnx"), "flow", "cpu")
    for content in (b"", b"nonsense", b"PK\x03\x04"):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(InputError, match="no ONNX"):
            load(str(tmp_path / "bad.onnx"), "flow", "cpu")


def test_one_kind_of_network_is_not_taken_for_another(tmp_path: Path) -> None:
    made: dict[Literal["flow", "track"], Path] = {
        "flow": tiny_onnx.flow(tmp_path / "flow.onnx"),
        "track": tiny_onnx.tracker(tmp_path / "track.onnx"),
    }
    for kind in made:
        for other, path in made.items():
            if other == kind:
                assert load(str(path), kind, "cpu")
            else:
                with pytest.raises(InputError, match=f"{other}.onnx is not a"):
                    load(str(path), kind, "cpu")
