"""Whether a mesh can be used: what is measured of it, and what is said of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import turning_blob

from backend.dynamic_mesh.footage import load as footage
from backend.dynamic_mesh.footage.load import ObjectFootage
from backend.dynamic_mesh.footage.timed_views import TimedView, seen_around, view_arc
from backend.dynamic_mesh.optimization.quality import Appearance, EvalView, measure
from backend.dynamic_mesh.surfaces.crossings import crossing_faces
from backend.dynamic_mesh.verdict.evidence import MeshEvidence
from backend.dynamic_mesh.verdict.judgement import in_sentences, judge
from backend.dynamic_mesh.verdict.measures import followed_share, part_outlines, unseen_share
from backend.formats import capture

GOOD = MeshEvidence(
    outline=0.95,
    worst_part="lower",
    worst_outline=0.9,
    psnr_inside=24.0,
    unseen=0.1,
    followed=0.95,
    crossing=0.0,
    arc=350.0,
)


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({}, "good", ""),
        ({"outline": 0.8}, "weak", "80% right only"),
        ({"outline": 0.52}, "failed", "52% right only"),
        ({"worst_outline": 0.5}, "weak", "lower third"),
        ({"psnr_inside": 11.0}, "failed", "11 dB"),
        ({"unseen": 0.63}, "weak", "63% of its surface is in no picture"),
        ({"followed": 0.5}, "weak", "50% of the movements"),
        ({"followed": -0.1}, "failed", "0% of the movements"),
        ({"crossing": 0.1}, "weak", "pass through others"),
        ({"outline": None, "psnr_inside": None, "worst_outline": None}, "weak", "held out"),
        ({"unseen": None, "followed": None}, "good", ""),
    ],
)
def test_a_doubt_is_told_with_what_to_do(change: dict, level: str, words: str) -> None:
    verdict = judge(replace(GOOD, **change))
    assert verdict.level == level
    assert bool(verdict.reasons) == (level != "good") == bool(verdict.advice)
    assert words in in_sentences(verdict)
    assert verdict.as_json()["evidence"]["arc"] == 350.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[ObjectFootage, torch.Tensor]:
    """The painted ball, waves enough to be followed, and the truth (T, V, 3) in the box."""
    folder, paint = tmp_path_factory.mktemp("verdict"), turning_blob.paint
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turning_blob, "paint", lambda vertices: paint(vertices * 2.5))
        truth = turning_blob.write(folder / "clip", frames=24, size=160)
    found = footage.load(capture.read(folder / "clip"), None, 0.0, holdout=8)
    placement = found.placement
    return found, torch.tensor((truth - placement.centers[0]) / placement.radius).float()


def looks(views: list[TimedView], truth: torch.Tensor, still: bool) -> list[EvalView]:
    rest, faces = turning_blob.ball()
    look = Appearance(torch.tensor(faces), colors=torch.tensor(turning_blob.paint(rest)).float())
    index = [0 if still else round(view.time * (len(truth) - 1)) for view in views]
    return [EvalView(view, truth[k], look) for view, k in zip(views, index, strict=True)]


def test_the_truth_goes_along_and_a_still_mesh_does_not(
    clip: tuple[ObjectFootage, torch.Tensor],
) -> None:
    found, truth = clip
    views, held = [v for v in found.views if v.tracks.ids.numel()], found.views[4]
    faces = torch.tensor(turning_blob.ball()[1])

    def moving(view: TimedView) -> torch.Tensor:
        return truth[round(view.time * (len(truth) - 1))]

    true, still = (
        followed_share(views, placed, faces) for placed in (moving, lambda view: truth[0])
    )
    assert true is not None and 0.9 < true < 1.1
    assert still is not None and abs(still) < 0.05
    assert part_outlines(looks([held], truth, still=False))["upper"] > 0.95
    parts = part_outlines(looks([held], truth, still=True))
    assert parts["upper"] < parts["lower"], "it leans, the more the higher"


def test_what_no_camera_sees_is_told_by_its_area(clip: tuple[ObjectFootage, torch.Tensor]) -> None:
    found, truth = clip
    faces = torch.tensor(turning_blob.ball()[1])

    def placed(view: TimedView) -> torch.Tensor:
        return truth[round(view.time * (len(truth) - 1))]

    around = unseen_share(found.views, placed, faces)
    one_side = unseen_share(found.views[:2], placed, faces)
    assert around < 0.08 and 0.4 < one_side < 0.65


def test_a_full_turn_is_360_degrees(clip: tuple[ObjectFootage, torch.Tensor]) -> None:
    views = clip[0].views
    assert seen_around(views) == pytest.approx(360, abs=1)
    assert view_arc(views) < 160, "the two most different directions of a camera from above"
    assert seen_around(views[:7]) == pytest.approx(view_arc(views[:7]))
    assert seen_around(views[:18]) == pytest.approx(17 / 24 * 360, abs=16)
    assert seen_around(views[:1]) == 0


def test_colours_are_judged_inside_the_object(clip: tuple[ObjectFootage, torch.Tensor]) -> None:
    """A large empty picture around it is no merit."""
    found, truth = clip
    views = looks([found.views[4]], truth, still=False)
    near, far = measure(views, found.pixels), measure(views, 100 * found.pixels)
    assert far["psnr"] > near["psnr"] + 15
    assert far["psnr_inside"] == near["psnr_inside"] < near["psnr"]
    assert measure(views, found.pixels)["iou"] > 0.95


def test_faces_that_cross_are_counted() -> None:
    vertices, faces = turning_blob.ball(12, 16)
    assert not crossing_faces(vertices, faces).any()
    both = np.concatenate([vertices, vertices + np.array([0.5, 0, 0])])
    twice = np.concatenate([faces, faces + len(vertices)])
    crossing = crossing_faces(both, twice)
    assert 0.05 < crossing.mean() < 0.4
    assert crossing[: len(faces)].any() and crossing[len(faces) :].any()
    apart = np.concatenate([vertices, vertices + np.array([9.0, 0, 0])])
    assert not crossing_faces(apart, twice).any()


def test_hidden_parts_count_for_nothing(tmp_path: Path) -> None:
    """A pole before the ball, gray in the masks: the hull has no hole there, and what the mesh
    shows behind it is not wrong.
    """
    from PIL import Image

    from backend.dynamic_mesh.template.hull import HullConfig, carve, share_inside

    turning_blob.write(tmp_path / "clip", frames=12, size=96)
    source = capture.read(tmp_path / "clip")
    shares = {}
    for name, gray in (("whole", 0), ("hole", 0), ("pole", 128)):
        folder = tmp_path / name
        folder.mkdir()
        for frame in source.frames:
            with Image.open(frame.image) as image:
                mask = np.array(image.getchannel("A"))
            if name != "whole":
                mask[:, 44:52] = gray
            Image.fromarray(mask).save(folder / f"{frame.image.stem}.png")
        found = footage.load(source, folder, 0.0, holdout=4)
        hull = HullConfig(resolution=24)
        shares[name] = (share_inside(carve(found.views, hull), hull) > 0.8).sum()
        level = found.views[0].levels[0]
        assert (level.known is not None) == (name == "pole")
    assert shares["hole"] < 0.5 * shares["whole"]
    assert shares["pole"] > 0.85 * shares["whole"]
    level = found.views[0].levels[0]
    assert level.known is not None and not level.alpha[~level.known].any()
    assert level.known.float().mean() > 0.8


def test_a_soft_edge_hides_nothing(tmp_path: Path) -> None:
    from PIL import Image

    from backend.dynamic_mesh.footage.mask_images import read_unknown

    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    Image.fromarray(ramp).save(tmp_path / "soft.png")
    assert read_unknown(tmp_path / "soft.png", (64, 64)) is None
    ramp[10:30, 10:30] = 128
    Image.fromarray(ramp).save(tmp_path / "patch.png")
    patch = read_unknown(tmp_path / "patch.png", (64, 64))
    assert patch is not None and patch[10:30, 10:30].all() and patch.sum() < 440
