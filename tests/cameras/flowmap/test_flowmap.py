"""FlowMap's parts against a plane and a slope whose flow is known exactly, and the whole on a short
clip.
"""

import numpy as np
import pytest
import torch

from backend.cameras.depth.multiview_depth import DepthView, FrozenConfig, fill, rays, solve_depth
from backend.cameras.flowmap import camera_math
from backend.cameras.flowmap.clip import FlowMapClip, Window
from backend.cameras.flowmap.fit import FlowMapConfig, Trial, fit
from backend.cameras.flowmap.intrinsics import SoftminConfig, softmin_focal
from backend.cameras.flowmap.losses import flow_loss, poses_from_depth, track_loss
from backend.cameras.flowmap.network import DepthNetwork, NetworkConfig
from backend.media.tracks.tracks import make

HEIGHT, WIDTH, FOCAL, FRAMES = 32, 48, 1.1, 6


def true_depth(frame: int) -> torch.Tensor:
    """A slope with a box before it; the camera moves sideways by 0.15 a frame and turns a
    little.
    """
    xy = camera_math.grid_xy(HEIGHT, WIDTH)
    aspect = camera_math.aspect_of(HEIGHT, WIDTH)
    direction = (
        torch.cat([(xy - 0.5) * aspect / FOCAL, torch.ones(HEIGHT, WIDTH, 1)], -1)
        @ pose(frame)[:3, :3].T
    )
    origin = pose(frame)[:3, 3]
    slope = (4.0 + 0.5 * origin[1] - origin[2]) / (
        direction[..., 2] - 0.5 * direction[..., 1]
    )  # z = 4 + y / 2
    box = (2.2 - origin[2]) / direction[..., 2]
    at = origin + box[..., None] * direction
    return torch.where((at[..., 0] - 0.3).abs().maximum((at[..., 1] - 0.1).abs()) < 0.5, box, slope)


def pose(frame: int) -> torch.Tensor:
    """Camera-to-world, OpenCV axes; the first is the identity."""
    angle = torch.tensor(-0.03 * frame)
    out = torch.eye(4)
    out[0, 0], out[0, 2], out[2, 0], out[2, 2] = angle.cos(), angle.sin(), -angle.sin(), angle.cos()
    out[0, 3] = 0.15 * frame
    return out


def carried(i: int, j: int) -> torch.Tensor:
    """(h, w, 2) where the pixels of frame i are in frame j."""
    aspect, focal = camera_math.aspect_of(HEIGHT, WIDTH), torch.tensor(FOCAL)
    local = camera_math.unproject(camera_math.grid_xy(HEIGHT, WIDTH), true_depth(i), focal, aspect)
    step = torch.linalg.inv(pose(j)) @ pose(i)
    return camera_math.project(local @ step[:3, :3].T + step[:3, 3], focal, aspect)


def visible(i: int, j: int) -> torch.Tensor:
    """(h, w) pixels of frame i that frame j sees too, away from the edges of things."""
    aspect, focal = camera_math.aspect_of(HEIGHT, WIDTH), torch.tensor(FOCAL)
    local = camera_math.unproject(camera_math.grid_xy(HEIGHT, WIDTH), true_depth(i), focal, aspect)
    step = torch.linalg.inv(pose(j)) @ pose(i)
    depth, xy = (local @ step[:3, :3].T + step[:3, 3])[..., 2], carried(i, j)
    there = camera_math.sample(true_depth(j)[None, None], xy.view(1, -1, 2))[0, 0].view(
        HEIGHT, WIDTH
    )
    return ((there - depth).abs() < 0.05) & (xy > 0.02).all(-1) & (xy < 0.98).all(-1)


def make_clip() -> FlowMapClip:
    xy = camera_math.grid_xy(HEIGHT, WIDTH)
    forward = torch.stack([carried(i, i + 1) - xy for i in range(FRAMES - 1)])
    backward = torch.stack([carried(i + 1, i) - xy for i in range(FRAMES - 1)])
    there = torch.stack([visible(i, i + 1) for i in range(FRAMES - 1)]).float()
    back = torch.stack([visible(i + 1, i) for i in range(FRAMES - 1)]).float()
    pick = torch.randperm(HEIGHT * WIDTH, generator=torch.Generator().manual_seed(0))[:150]
    seen = [
        (j, k, p)
        for j in range(FRAMES)
        for k, p in enumerate(carried(0, j).view(-1, 2)[pick].tolist())
    ]
    seen = [
        (j, k, p)
        for (j, k, p), good in zip(
            seen, torch.cat([visible(0, j).view(-1)[pick] for j in range(FRAMES)]), strict=True
        )
        if good
    ]
    tracks = make(*(np.array(v) for v in zip(*seen, strict=True)))
    shade = torch.stack([true_depth(i) for i in range(FRAMES)])[:, None].repeat(1, 3, 1, 1) / 6
    return FlowMapClip(
        video=shade,
        forward=forward,
        backward=backward,
        forward_trust=there,
        backward_trust=back,
        tracks=tracks,
    )


@pytest.fixture(scope="module")
def clip() -> FlowMapClip:
    return make_clip()


@pytest.fixture(scope="module")
def window(clip: FlowMapClip) -> Window:
    return clip.window(0, FRAMES, 200, np.random.default_rng(0))


@pytest.fixture(scope="module")
def log_depth() -> torch.Tensor:
    return torch.stack([true_depth(i) for i in range(FRAMES)]).log()


def test_procrustes_finds_a_rigid_motion_and_no_mirror() -> None:
    random = torch.Generator().manual_seed(0)
    source = torch.randn(4, 50, 3, generator=random)
    rotation = torch.linalg.matrix_exp(
        torch.tensor([[0, -0.4, 0.2], [0.4, 0, -0.1], [-0.2, 0.1, 0.0]])
    ).expand(4, 3, 3)
    target = source @ rotation.transpose(1, 2) + torch.tensor([1.0, 2, 3])
    target[:, :5] += 10  # outliers without weight
    weights = torch.ones(4, 50)
    weights[:, :5] = 0
    found, shift = camera_math.procrustes(source, target, weights)
    torch.testing.assert_close(found, rotation, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        shift, torch.tensor([[1.0, 2, 3]]).repeat(4, 1), atol=1e-5, rtol=1e-5
    )
    mirror = source * torch.tensor([-1.0, 1, 1])
    assert torch.allclose(
        torch.det(camera_math.procrustes(source, mirror, weights)[0]), torch.ones(4)
    )


def test_losses_vanish_at_the_truth_and_only_there(window: Window, log_depth: torch.Tensor) -> None:
    focal, weights = torch.tensor(FOCAL), torch.ones(FRAMES - 1, HEIGHT, WIDTH)
    rotation, translation = poses_from_depth(window, log_depth, weights, focal, 2000)
    poses = camera_math.chain(rotation, translation)
    np.testing.assert_allclose(poses[-1].numpy(), pose(FRAMES - 1).numpy(), atol=0.03)
    steps = torch.stack([torch.linalg.inv(pose(i)) @ pose(i + 1) for i in range(FRAMES - 1)])
    right = flow_loss(window, log_depth, focal, steps[:, :3, :3], steps[:, :3, 3], 0.01)
    wrong = flow_loss(
        window, torch.zeros_like(log_depth) + 1.2, focal, steps[:, :3, :3], steps[:, :3, 3], 0.01
    )
    assert right < 1e-6 < 1e-3 < wrong
    truth = torch.stack([pose(i) for i in range(FRAMES)])
    assert track_loss(window, log_depth, focal, truth, 0.01) < 2e-3
    assert track_loss(window, -log_depth, focal, truth, 0.01) > 1e-2


def test_softmin_prefers_the_true_lens(window: Window, log_depth: torch.Tensor) -> None:
    aspect = camera_math.aspect_of(HEIGHT, WIDTH)
    config, generator = SoftminConfig(candidates=40), torch.Generator().manual_seed(0)
    found = softmin_focal(log_depth, window.track_xy, window.track_seen, aspect, config, generator)
    assert found is not None and float(found) == pytest.approx(FOCAL, rel=0.15)
    nothing = softmin_focal(
        log_depth, window.track_xy[:, :3], window.track_seen[:, :3], aspect, config, generator
    )
    assert nothing is None


@pytest.mark.whole
def test_fitting_brings_depth_poses_and_lens_near_the_truth(
    clip: FlowMapClip, log_depth: torch.Tensor
) -> None:
    result = fit(clip, FlowMapConfig(steps=160), seed=1)
    correlation = np.corrcoef(result.depth.log().flatten().numpy(), log_depth.flatten().numpy())[
        0, 1
    ]
    assert correlation > 0.8
    moved = result.camera_to_world[:, :3, 3] / result.camera_to_world[-1, :3, 3].norm()
    want = torch.stack([pose(i)[:3, 3] for i in range(FRAMES)]) / pose(FRAMES - 1)[:3, 3].norm()
    assert float((moved - want).norm(dim=1).max()) < 0.25
    assert 0.4 < result.focal / FOCAL < 2.5


def test_a_known_lens_is_kept_and_seeds_repeat(clip: FlowMapClip) -> None:
    config = FlowMapConfig(steps=12)
    first, second = fit(clip, config, focal=FOCAL, seed=3), fit(clip, config, focal=FOCAL, seed=3)
    assert first.focal == pytest.approx(FOCAL)
    torch.testing.assert_close(first.depth, second.depth)


def test_mirrored_trial_swaps_near_and_far(clip: FlowMapClip) -> None:
    trial = Trial(clip, FlowMapConfig(steps=40), None, 0, lambda: DepthNetwork(NetworkConfig()))
    for _ in range(10):
        trial.advance()
    near, far = trial.result().depth.log(), trial.mirrored().result().depth.log()
    torch.testing.assert_close(near, -far)


def test_frozen_cameras_give_depth(log_depth: torch.Tensor) -> None:
    frame, others = 2, (0, 4)
    side = (HEIGHT * WIDTH) ** 0.5 * FOCAL
    K = torch.tensor([[side, 0, WIDTH / 2], [0, side, HEIGHT / 2], [0, 0, 1]])
    scale = torch.tensor([WIDTH, HEIGHT], dtype=torch.float32)
    there = torch.stack([carried(frame, j) * scale for j in others])
    relative = torch.stack([torch.linalg.inv(pose(j)) @ pose(frame) for j in others])
    depth = log_depth[frame].exp()
    at = torch.tensor([[10.5, 8.5], [30.5, 20.5], [40.5, 28.5]])
    known = depth[at[:, 1].long(), at[:, 0].long()]
    trust = torch.ones(2, HEIGHT, WIDTH)
    trust[:, :6] = 0  # nothing is known of the top rows
    speckles = torch.rand(HEIGHT, WIDTH, 1, generator=torch.Generator().manual_seed(0)) * 0.4
    color = (depth[..., None] / 6 + speckles).repeat(1, 1, 3)
    view = DepthView(
        color=color,
        K=K,
        neighbor_ks=K.repeat(2, 1, 1),
        to_neighbor=relative,
        there=there,
        trust=trust,
        sparse_at=at,
        sparse_depth=known,
    )
    found = solve_depth(view, FrozenConfig())
    error = (found.depth - depth).abs() / depth
    assert float(error[6:].median()) < 0.01
    assert float(error.mean()) < 0.06
    assert torch.isinf(found.sigma[:6]).all() and float(found.sigma[6:].median()) < 0.1


def test_blank_sky_is_not_believed(log_depth: torch.Tensor) -> None:
    side = (HEIGHT * WIDTH) ** 0.5 * FOCAL
    K = torch.tensor([[side, 0, WIDTH / 2], [0, side, HEIGHT / 2], [0, 0, 1]])
    there = carried(2, 4) * torch.tensor([WIDTH, HEIGHT])
    color = torch.rand(HEIGHT, WIDTH, 1, generator=torch.Generator().manual_seed(0)).repeat(1, 1, 3)
    color[:, : WIDTH // 2] = 0.8
    relative = (torch.linalg.inv(pose(4)) @ pose(2))[None]
    sigma = solve_depth(
        DepthView(
            color=color,
            K=K,
            neighbor_ks=K[None],
            to_neighbor=relative,
            there=there[None],
            trust=torch.ones(1, HEIGHT, WIDTH),
            sparse_at=torch.zeros(0, 2),
            sparse_depth=torch.zeros(0),
        ),
        FrozenConfig(),
    ).sigma
    assert torch.isinf(sigma[:, : WIDTH // 2 - 4]).all()
    assert float(torch.isfinite(sigma[:, WIDTH // 2 + 4 :]).float().mean()) > 0.8


def test_filling_spreads_what_is_known() -> None:
    value, weight = torch.zeros(20, 30), torch.zeros(20, 30)
    value[5, 5], weight[5, 5] = 3.0, 1.0
    filled = fill(value, weight)
    assert torch.isfinite(filled).all() and float(filled[15, 25]) == pytest.approx(3.0, abs=0.05)
    assert rays(torch.eye(3), 2, 2)[0, 0].tolist() == [0.5, 0.5, 1.0]
