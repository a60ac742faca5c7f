"""The Gaussian head: its binding against the formulas, its training on rendered footage, its files,
and a video of it talking.
"""

from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from helpers.command_line import run
from helpers.talking_face import TalkingFace, talking_face
from PIL import Image

from backend.formats import gaussian_head_file, head_file, motion_file
from backend.formats.motion_file import Curve, Motion
from backend.gaussians.losses import psnr
from backend.geometry.rotations import matrix_to_quat, multiply_quats, quat_to_matrix
from backend.media.video_writer import VideoWriter
from backend.talking_head.fitting.head_motion import HeadMotion
from backend.talking_head.gaussian_head import files
from backend.talking_head.gaussian_head.binding import carry, triangle_frames
from backend.talking_head.gaussian_head.guard import GuardConfig, guard_views, guarded
from backend.talking_head.gaussian_head.learn import (
    LearnConfig,
    LearnedHead,
    chosen_frames,
    learn_head,
    surroundings,
)
from backend.talking_head.gaussian_head.model import BoundGaussians, LatentPose, bound_mesh
from backend.talking_head.gaussian_head.training import HeadTrainingConfig, render
from backend.talking_head.gaussian_head.training_views import head_triangles
from backend.talking_head.head_job import write_head
from backend.talking_head.motion import poses
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.talk_job import to_and_fro
from backend.talking_head.whole_head.anatomy import anatomy
from backend.talking_head.whole_head.neck import NAMES

FRAMES, RATE = 40, 25.0


def test_quaternions_are_those_of_the_matrices() -> None:
    quats = torch.nn.functional.normalize(
        torch.randn(200, 4, generator=torch.Generator().manual_seed(0)), dim=1
    )
    quats[:4] = torch.eye(4)  # turns by half a circle, where a naive formula divides by zero
    matrices = quat_to_matrix(quats)
    torch.testing.assert_close(
        quat_to_matrix(matrix_to_quat(matrices)), matrices, atol=1e-5, rtol=0
    )
    a, b = quats[:100], quats[100:]
    torch.testing.assert_close(
        quat_to_matrix(multiply_quats(a, b)),
        quat_to_matrix(a) @ quat_to_matrix(b),
        atol=1e-5,
        rtol=0,
    )


def test_gaussians_ride_on_their_triangles() -> None:
    """When the mesh turns, shifts and grows as one, so do they."""
    g = torch.Generator().manual_seed(1)
    vertices, triangles = (
        torch.randn(9, 3, generator=g),
        torch.tensor([[0, 1, 2], [3, 4, 5], [6, 7, 8]]),
    )
    means, quats, scales = (
        torch.randn(3, 3, generator=g),
        torch.randn(3, 4, generator=g),
        torch.rand(3, 3, generator=g),
    )
    rest = triangle_frames(vertices, triangles)
    before = carry(rest, rest.sizes, means, quats, scales)
    turn, shift = quat_to_matrix(torch.tensor([0.3, 0.5, -0.7, 0.2])), torch.tensor([1.0, -2, 3])
    after = carry(
        triangle_frames(2 * vertices @ turn.T + shift, triangles), rest.sizes, means, quats, scales
    )
    torch.testing.assert_close(after[0], 2 * before[0] @ turn.T + shift, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        quat_to_matrix(after[1]), turn @ quat_to_matrix(before[1]), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(after[2], 2 * before[2])
    identity = rest.rotations @ rest.rotations.transpose(1, 2)
    torch.testing.assert_close(identity, torch.eye(3).expand(3, 3, 3), atol=1e-5, rtol=0)
    flat = triangle_frames(torch.zeros(3, 3), torch.tensor([[0, 1, 2]]))
    assert all(
        part.isfinite().all()
        for part in carry(flat, torch.zeros(1), means[:1], quats[:1], scales[:1])
    )


def test_frames_that_are_kept_back_are_not_learned_from() -> None:
    seen = np.ones(100, bool)
    seen[50:60] = False
    numbers, kept = chosen_frames(seen, 30, 6)
    assert len(kept) == 6 and not set(numbers) & set(kept) and len(numbers) <= 30
    assert seen[numbers].all() and seen[kept].all() and numbers.min() < 10 and numbers.max() > 90
    assert len(chosen_frames(np.ones(3, bool), 30, 6)[0]) == 3


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TalkingFace, HeadMotion]:
    """A clip of the small head in a person's colours, and what a perfect tracker would say of
    it.
    """
    rig = small_head()
    skin = np.random.default_rng(0).choice(np.flatnonzero(rig.neutral[:, 2] > 3), 478)
    face = talking_face(rig, skin, FRAMES, size=192, seed=3)
    face.colors = (rig.colors * (1 + 0.1 * np.sin(face.rest * 3))).clip(0, 1).astype(np.float32)
    path = tmp_path_factory.mktemp("filmed") / "clip.mp4"
    writer = VideoWriter(path, RATE, 192, 192)
    for image in face.images():
        writer.add(image)
    writer.close()
    view = face.views[0]
    rotations, translations = (
        np.stack([v.rotation for v in face.views]),
        np.stack([v.translation for v in face.views]),
    )
    motion = HeadMotion(
        names=rig.names,
        times=np.arange(FRAMES) / RATE,
        coefficients=face.coefficients,
        rotations=rotations,
        translations=translations,
        rest=face.rest,
        focal=view.focal,
        width=192,
        height=192,
        residual=0.0,
    )
    return path, face, motion


@pytest.fixture(scope="module")
def learned(filmed: tuple[Path, TalkingFace, HeadMotion]) -> LearnedHead:
    path, face, motion = filmed
    config = LearnConfig(
        gaussians=3000, side=128, frames=30, held_out=4, training=HeadTrainingConfig(steps=200)
    )
    numbers, kept = chosen_frames(np.ones(FRAMES, bool), config.frames, config.held_out)
    return learn_head(path, face.rig, motion, numbers, kept, 1280, config)


@pytest.mark.whole
def test_training_paints_the_head(
    learned: LearnedHead, filmed: tuple[Path, TalkingFace, HeadMotion]
) -> None:
    """On frames that were kept back, by their coefficients and poses alone."""
    coefficients = torch.from_numpy(learned.whole.motion.coefficients)
    quality = learned.quality(coefficients)
    assert quality > 27, quality
    assert len(learned.held_out) == 4
    frame = learned.held_out[0]
    flat = frame.image[frame.outline].mean(0).expand(int(frame.outline.sum()), 3)
    assert quality > psnr(flat, frame.image[frame.outline]) + 8
    opaque = render(
        learned.model, learned.mesh, coefficients[frame.number], frame.viewmat, frame.K, frame.size
    ).alpha[0, ..., 0]
    assert opaque[frame.outline].mean() > 0.97, "nothing shines through"


@pytest.mark.whole
def test_the_right_coefficients_look_right(
    learned: LearnedHead, filmed: tuple[Path, TalkingFace, HeadMotion]
) -> None:
    """A frame drawn with its own expression is nearer to the picture than with the others'."""
    coefficients = torch.from_numpy(learned.whole.motion.coefficients)
    for frame in learned.held_out:
        neck = coefficients[frame.number, -len(NAMES) :]  # how the head is held is not asked
        errors = [
            float((learned.look(frame, c) - frame.image)[frame.outline].square().mean())
            for c in (torch.cat([row[: -len(NAMES)], neck]) for row in coefficients)
        ]
        nearest = int(np.argmin(errors))  # neighbours look nearly alike
        assert abs(nearest - frame.number) <= 3, (nearest, frame.number)


def test_guarded_views_lie_beyond_the_footage_and_ask_little_of_what_it_shows() -> None:
    rig = small_head()
    where = anatomy(rig, rig.neutral)
    whole = SimpleNamespace(rig=rig, anatomy=where, yaw_range=np.array([-5, 20], np.float32))
    shapes, triangles = rig.tensors()
    front = torch.from_numpy(rig.neutral[rig.triangles].mean(1)[:, 2] > where.centre[2])
    some = torch.arange(len(triangles))
    mesh = bound_mesh(torch.from_numpy(rig.neutral), shapes, triangles, some)
    count = len(some)
    model = BoundGaussians(
        means=torch.zeros(count, 3),
        quats=torch.tensor([1.0, 0, 0, 0]).repeat(count, 1),
        log_scales=torch.full((count, 3), 0.25).log(),
        opacity_logits=torch.full((count,), 4.0),
        sh=torch.zeros(count, 4, 3),
        mean_shapes=torch.zeros(2, count, 3),
        color_shapes=torch.zeros(2, count, 3),
        latent=LatentPose(torch.zeros(2, len(rig.names)), torch.zeros(2)),
    )
    config = GuardConfig(views=6, side=64)
    rows = np.zeros((3, len(rig.names)), np.float32)
    views = guard_views(whole, model, mesh, front.float(), rows, config, 0)  # type: ignore[arg-type]
    assert len(views) == 6
    for number, view in enumerate(views):
        eye = -view.viewmat[:3, :3].T @ view.viewmat[:3, 3]
        yaw = float(torch.rad2deg(torch.atan2(eye[0], eye[2])))
        least = 20 if number % 2 == 0 else -5
        assert yaw > least + 20 if number % 2 == 0 else yaw < least - 20
        covered = view.alpha[..., 0] > 0.9
        assert view.weight[..., 0][covered].min() < 0.3 < view.weight[..., 0][covered].max()
        assert (view.weight[..., 0][view.alpha[..., 0] < 0.01] > 0.95).all()
        drawn = render(model, mesh, view.coefficients, view.viewmat, view.K, view.size)
        assert float(guarded(drawn.image[0], drawn.alpha[0], view, config)) < 1e-6
        assert float(guarded(drawn.image[0] + 0.1, drawn.alpha[0], view, config)) > 0.01


def test_what_lies_around_a_head_tells_nothing_of_it() -> None:
    """The edge takes the colours beside it, whatever the head's pixels are; none is left dark."""
    matte = torch.zeros(60, 60, 1)
    matte[10:50, 10:50] = 1
    wall = torch.tensor([0.7, 0.6, 0.5]).expand(60, 60, 3)
    looks = [
        surroundings(SimpleNamespace(matte=matte, image=wall * (1 - matte) + inside * matte))  # type: ignore[arg-type]
        for inside in (0.0, 1.0)
    ]
    torch.testing.assert_close(looks[0], looks[1])
    torch.testing.assert_close(looks[0][12, 30], wall[0, 0])
    assert float(looks[0][30, 30].max()) == 0


def test_shoulders_are_left_out() -> None:
    rig = small_head()
    kept = rig.triangles[head_triangles(rig, rig.neutral)]
    lowest = rig.neutral[kept, 1].min()
    assert rig.neutral[:, 1].min() < lowest - 1 and (rig.neutral[:, 1] < lowest + 2).any()
    assert len(kept) > 0.6 * len(rig.triangles)


def save(folder: Path, learned: LearnedHead, filmed: tuple[Path, TalkingFace, HeadMotion]) -> None:
    whole = learned.whole
    write_head(folder, whole.rig, whole.motion.rest)
    files.save(folder / gaussian_head_file.NAME, learned)
    poses.save(folder / poses.NAME, whole.motion, filmed[0])


def talk(folder: Path, *options: str) -> tuple[int, str]:
    """The exit status, and what was said."""
    done = run("talk", "--input", folder, "--output", folder / "out", *options)
    return done.returncode, done.stderr


@pytest.mark.whole
def test_a_head_comes_back_from_its_files(
    tmp_path: Path, learned: LearnedHead, filmed: tuple[Path, TalkingFace, HeadMotion]
) -> None:
    save(tmp_path, learned, filmed)
    loaded = files.load(
        tmp_path / gaussian_head_file.NAME, head_file.read(tmp_path / head_file.NAME)
    )
    model, mesh = loaded.model, loaded.mesh
    frame, coefficients = (
        learned.held_out[0],
        torch.from_numpy(learned.whole.motion.coefficients[learned.held_out[0].number]),
    )
    first = render(
        learned.model, learned.mesh, coefficients, frame.viewmat, frame.K, frame.size
    ).image
    second = render(model, mesh, coefficients, frame.viewmat, frame.K, frame.size).image
    assert psnr(second, first) > 40


@pytest.mark.whole
def test_it_talks_over_its_footage(
    tmp_path: Path, learned: LearnedHead, filmed: tuple[Path, TalkingFace, HeadMotion]
) -> None:
    save(tmp_path, learned, filmed)
    frames = np.arange(61, dtype=np.float32)
    wave = (0.5 + 0.5 * np.sin(frames)).astype(np.float32)
    motion_file.write(
        tmp_path / "m.npz",
        Motion(30.0, 60.0, [Curve("jawOpen", "speech", frames, wave)], "gone.wav"),
    )
    for background in ("footage", "plain"):
        status, said = talk(
            tmp_path,
            "--motion",
            str(tmp_path / "m.npz"),
            "--background",
            background,
            "--size",
            "96",
        )
        assert status == 0, said
        with av.open(str(tmp_path / "out" / "talk.mp4")) as container:
            assert "Synthetic" in container.metadata["comment"]
            images = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
        assert len(images) == 61 and images[0].shape[0] == (192 if background == "footage" else 96)
        mouths = np.stack(images).astype(float)
        assert mouths.std(0).max() > 15, "something moves"


@pytest.mark.whole
def test_without_a_motion_the_footage_is_told_again(
    tmp_path: Path, learned: LearnedHead, filmed: tuple[Path, TalkingFace, HeadMotion]
) -> None:
    save(tmp_path, learned, filmed)
    status, said = talk(tmp_path)
    assert status == 0, said
    with (
        av.open(str(tmp_path / "out" / "talk.mp4")) as container,
        av.open(str(filmed[0])) as source,
    ):
        ours, theirs = (
            [f.to_ndarray(format="rgb24") / 255.0 for f in c.decode(video=0)]
            for c in (container, source)
        )
    assert len(ours) == len(theirs) == FRAMES
    assert psnr(torch.from_numpy(np.stack(ours)), torch.from_numpy(np.stack(theirs))) > 27


@pytest.mark.whole
def test_it_is_looked_at_from_the_side(
    tmp_path: Path, learned: LearnedHead, filmed: tuple[Path, TalkingFace, HeadMotion]
) -> None:
    """Solid, with alpha, and what is invented can be left out."""
    save(tmp_path, learned, filmed)
    covered = []
    for invented in ("1", "0"):
        given = ("--background", "transparent", "--yaw", "120", "--size", "96", "--invented")
        status, said = talk(tmp_path, *given, invented)
        assert status == 0 and "was filmed from" in said, said
        frames = sorted((tmp_path / "out" / "frames").glob("*.png"))
        assert len(frames) == FRAMES and (tmp_path / "out" / "talk.mp4").is_file()
        covered.append(np.asarray(Image.open(frames[0]))[..., 3] / 255)
    assert covered[0][25:45, 40:56].min() > 0.95, "no holes"
    assert covered[0][:4].max() < 0.05, "nothing around it"
    assert covered[1].sum() < 0.9 * covered[0].sum()


def test_the_footage_runs_to_and_fro() -> None:
    assert to_and_fro(4, 9, 25, 25).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert to_and_fro(4, 5, 50, 25).tolist() == [0, 0, 1, 1, 2]
    assert to_and_fro(1, 3, 25, 25).tolist() == [0, 0, 0]


@pytest.mark.whole
def test_what_is_missing_gets_a_sentence(
    tmp_path: Path, learned: LearnedHead, filmed: tuple[Path, TalkingFace, HeadMotion]
) -> None:
    assert "no Gaussian head" in talk(tmp_path)[1]
    save(tmp_path, learned, filmed)
    (tmp_path / poses.NAME).unlink()
    assert "poses" in talk(tmp_path)[1]
    save(tmp_path, learned, filmed)
    whole = (tmp_path / gaussian_head_file.NAME).read_bytes()
    (tmp_path / gaussian_head_file.NAME).write_bytes(whole[: len(whole) // 2])
    assert "damaged" in talk(tmp_path)[1]
