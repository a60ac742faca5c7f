"""Folders of photos as cameras, phones and Windows leave them; masks matched with them by name."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from helpers import clips
from helpers.command_line import run
from helpers.foreign_solves import ON_SIDE, mark_of, marked, save_turned, write_pictures
from PIL import Image

from backend.cameras.footage import sources
from backend.cameras.footage.footage_masks import pair_masks
from backend.cameras.footage.sources import Source
from backend.formats import capture
from backend.geometry.conventions import align_similarity
from backend.media import photos
from backend.media.frames import Footage
from backend.protocol import InputError

LYING, STANDING = (160, 120), (120, 160)


def gathered(folder: Path, tmp_path: Path) -> Footage:
    return photos.gather(folder, tmp_path / "gathered", 100, 0)


# ---- which photos are used
@pytest.mark.parametrize(("stray", "size"), [
    ("folder.jpg", (50, 50)), ("AlbumArtSmall.jpg", (75, 75)), ("thumb_3.jpg", (32, 24)),
    ("cover.png", (600, 400)), ("contact sheet.jpg", (300, 900)),
])  # fmt: skip
def test_a_stray_picture_is_left_out_by_name(
    stray: str, size: tuple[int, int], tmp_path: Path
) -> None:
    write_pictures(tmp_path / "p", [f"{i:03d}.jpg" for i in range(8)])
    save_turned(marked(9, size), tmp_path / "p" / stray)
    footage = gathered(tmp_path / "p", tmp_path)
    assert footage.sources == [f"{i:03d}.jpg" for i in range(8)]
    assert f"1 of 9 photos are of another shape or size ({size[0]} x {size[1]})" in footage.told[0]
    assert stray in footage.told[0]


def test_broken_photos_and_hidden_twins_are_no_harm(tmp_path: Path) -> None:
    write_pictures(tmp_path / "p", [f"{i}.jpg" for i in range(8)])
    (tmp_path / "p" / "._3.jpg").write_bytes(b"AppleDouble")
    (tmp_path / "p" / "4.jpg").write_bytes(b"no picture")
    whole = (tmp_path / "p" / "5.jpg").read_bytes()
    (tmp_path / "p" / "5.jpg").write_bytes(whole[: len(whole) // 2])
    footage = gathered(tmp_path / "p", tmp_path)
    assert footage.sources == [f"{i}.jpg" for i in (0, 1, 2, 3, 6, 7)]
    assert [mark_of(footage.folder / n) for n in footage.names] == [0, 1, 2, 3, 6, 7]
    said = " ".join(footage.told)
    assert "left out: 4.jpg" in said and "left out: 5.jpg" in said


@pytest.mark.skipif(os.name == "nt", reason="there are no such files on Windows")
def test_what_is_no_file_is_named_too(tmp_path: Path) -> None:
    write_pictures(tmp_path / "p", [f"{i}.jpg" for i in range(5)])
    os.mkfifo(tmp_path / "p" / "pipe.jpg")
    (tmp_path / "p" / "dead.jpg").symlink_to("nowhere")
    (tmp_path / "p" / "device.png").symlink_to("/dev/zero")
    footage = gathered(tmp_path / "p", tmp_path)
    assert len(footage.names) == 5
    assert "3 of 8 photos can't be read and were left out: dead.jpg, device.png" in footage.told[0]


def test_smaller_copies_of_the_same_shape_are_used(tmp_path: Path) -> None:
    for number, size in enumerate([(160, 120)] * 4 + [(120, 90), (80, 60), (320, 240), (107, 80)]):
        save_turned(marked(number, size), tmp_path / "p" / f"{number}.jpg")
    footage = gathered(tmp_path / "p", tmp_path)
    assert (footage.width, footage.height) == (160, 120) and len(footage.names) == 8


@pytest.mark.parametrize("stored_on_side", [True, False])
def test_standing_photos_lie_down_with_the_others(stored_on_side: bool, tmp_path: Path) -> None:
    for number in range(8):
        stands = number >= 5
        picture = marked(number, STANDING if stands else LYING)
        orientation = ON_SIDE if stands and stored_on_side else 1
        save_turned(picture, tmp_path / "p" / f"IMG_{number}.JPG", orientation)
    footage = gathered(tmp_path / "p", tmp_path)
    assert (footage.width, footage.height) == LYING
    assert footage.turns == [0] * 5 + [1] * 3
    assert footage.only([1, 6]).turns == [0, 1]
    for number, name in enumerate(footage.names):
        with Image.open(footage.folder / name) as stored:
            assert stored.size == LYING
            turn = Image.Transpose.ROTATE_270
            kept = stored.transpose(turn) if number >= 5 else stored.copy()
            wanted = np.asarray(marked(number, STANDING if number >= 5 else LYING), float)
            assert np.abs(np.asarray(kept, float) - wanted).mean() < 3


def test_mostly_standing_photos_stand(tmp_path: Path) -> None:
    for number in range(8):
        size = LYING if number == 2 else STANDING
        save_turned(marked(number, size), tmp_path / "p" / f"{number}.png")
    footage = gathered(tmp_path / "p", tmp_path)
    assert (footage.width, footage.height) == STANDING
    assert footage.turns == [int(i == 2) for i in range(8)]


def test_too_few_that_fit_together_is_one_sentence(tmp_path: Path) -> None:
    for number, size in enumerate([(160, 120), (100, 100), (160, 60), (50, 160)]):
        save_turned(marked(number, size), tmp_path / "p" / f"{number}.jpg")
    with pytest.raises(InputError, match="only 1 photo that can be used together"):
        gathered(tmp_path / "p", tmp_path)


def test_nested_photos_are_read_in_natural_order(tmp_path: Path) -> None:
    names = [f"cam{c}/{i}.jpg" for c in (2, 10) for i in (1, 9, 10)]
    write_pictures(tmp_path / "p", names)
    write_pictures(tmp_path / "p", [f"masks/{i}.jpg" for i in range(5)])
    assert gathered(tmp_path / "p", tmp_path).sources == names
    write_pictures(tmp_path / "p", ["b.jpg", "a.jpg", "c.jpg"])
    assert [p.name for p in photos.list_photos(tmp_path / "p")] == ["a.jpg", "b.jpg", "c.jpg"]


def test_phones_photos_are_read(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    for number in range(4):
        path = tmp_path / "p" / f"IMG_{number}.{'HEIC' if number % 2 else 'jpg'}"
        path.parent.mkdir(exist_ok=True)
        save_turned(marked(number), path)
    footage = gathered(tmp_path / "p", tmp_path)
    assert [mark_of(footage.folder / n) for n in footage.names] == [0, 1, 2, 3]
    assert all(n.endswith(".jpg") for n in footage.names)


# ---- frames whose cameras are known by number
@pytest.mark.parametrize(("names", "asked", "marks"), [
    ([f"f_{i}.jpg" for i in (7, 8, 10, 11)], [0, 1, 3, 4], [0, 1, 2, 3]),
    ([f"f_{i}.jpg" for i in (7, 8, 10, 11)], [0, 1, 2, 3, 4], [0, 1, 2, 3]),
    ([f"{n}.jpg" for n in "abcd"], [0, 2, 3], [0, 2, 3]),
    ([f"v2_{i:04d}_x.jpg" for i in (98, 99, 100, 102)], [0, 1, 4], [0, 1, 3]),
])  # fmt: skip
def test_gaps_in_a_sequence_stay_gaps(
    names: list[str], asked: list[int], marks: list[int], tmp_path: Path
) -> None:
    write_pictures(tmp_path / "p", names)
    footage, kept = photos.gather_indices(tmp_path / "p", tmp_path / "g", asked, 0, LYING)
    assert [mark_of(footage.folder / n) for n in footage.names] == marks
    assert len(kept) == len(marks) and bool(footage.told) == (len(kept) < len(asked))


def test_pictures_of_another_shape_than_their_cameras_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path / "p", [f"{i}.jpg" for i in range(4)])
    with pytest.raises(InputError, match="160 x 120 pixels, their cameras 120 x 160"):
        photos.gather_indices(tmp_path / "p", tmp_path / "g", [0, 1, 2], 0, STANDING)


# ---- masks by name
@pytest.mark.parametrize("naming", [
    "{stem}.jpg.png", "{stem}.png", "{stem}_mask.png", "{stem}.mask.png", "mask_{stem}.png",
    "{stem}-mask.PNG", "{stem}.JPG.PNG",
])  # fmt: skip
def test_masks_go_with_their_photos_by_name(naming: str, tmp_path: Path) -> None:
    """12 photos without leading zeros: by order, 2.jpg would get the mask of 10.jpg."""
    write_pictures(tmp_path / "p", [f"{i}.jpg" for i in range(1, 13)])
    (tmp_path / "masks").mkdir()
    for i in range(1, 13):
        Image.new("L", LYING, 255).save(tmp_path / "masks" / naming.format(stem=i))
    footage = gathered(tmp_path / "p", tmp_path)
    source = Source(kind="photos", path=tmp_path / "p")
    paired = pair_masks(tmp_path / "masks", footage, 12, source)
    wanted = [naming.format(stem=i) for i in range(1, 13)]
    assert [m.name if m else "" for m in paired.masks] == wanted and not paired.told


def test_masks_that_fit_no_name_are_refused_with_both_lists(tmp_path: Path) -> None:
    write_pictures(tmp_path / "p", [f"IMG_{i}.jpg" for i in range(4)])
    write_pictures(tmp_path / "masks", [f"{i:04d}.png" for i in range(1, 5)])
    source = Source(kind="photos", path=tmp_path / "p")
    with pytest.raises(InputError) as caught:
        pair_masks(tmp_path / "masks", gathered(tmp_path / "p", tmp_path), 4, source)
    assert "0001.png" in caught.value.what and "IMG_0.jpg" in caught.value.what


def test_photos_without_a_mask_and_masks_without_a_photo_are_named(tmp_path: Path) -> None:
    write_pictures(tmp_path / "p", [f"{i}.jpg" for i in range(4)])
    write_pictures(tmp_path / "masks", ["0.png", "2.png", "77.png"])
    source = Source(kind="photos", path=tmp_path / "p")
    paired = pair_masks(tmp_path / "masks", gathered(tmp_path / "p", tmp_path), 4, source)
    assert [m.name if m else None for m in paired.masks] == ["0.png", None, "2.png", None]
    assert "2 of 4 pictures have no mask: 1.jpg, 3.jpg" in paired.told
    assert "1 masks are of no picture: 77.png" in paired.told


def test_numbered_masks_of_a_video_with_a_gap_are_not_guessed(tmp_path: Path) -> None:
    clips.write_video(tmp_path / "a.mkv", [clips.texture(96, i)[:64] for i in range(4)])
    write_pictures(tmp_path / "masks", [f"{i}.png" for i in (1, 2, 4, 5)])
    footage = Footage(
        folder=tmp_path, names=["0001.jpg", "0002.jpg", "0003.jpg", "0004.jpg"],
        times=[0.0, 0.1, 0.2, 0.3], width=96, height=64, focal=0.0,
    )  # fmt: skip
    source = Source(kind="video", path=tmp_path / "a.mkv")
    with pytest.raises(InputError, match="gaps in their numbers"):
        pair_masks(tmp_path / "masks", footage, 4, source)


# ---- what a folder is
def test_a_scene_with_a_model_is_never_only_photos(tmp_path: Path) -> None:
    write_pictures(tmp_path / "images", ["a.jpg"])
    assert sources.identify(tmp_path).kind == "photos"
    (tmp_path / "colmap" / "sparse" / "0").mkdir(parents=True)
    for part in ("cameras", "images", "points3D"):
        (tmp_path / "colmap" / "sparse" / "0" / f"{part}.txt").write_text("")
    source = sources.identify(tmp_path)
    assert source.kind == "colmap" and source.images == tmp_path / "images"


# ---- a whole solve
@pytest.mark.process
@pytest.mark.whole
def test_portrait_and_landscape_photos_of_one_lens_are_solved(tmp_path: Path) -> None:
    size, focal = (320, 240), 300.0
    truth = clips.write_photos(tmp_path / "p", 16, size, focal)
    roll = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    (tmp_path / "masks").mkdir()
    for number in range(16):
        path, mask = tmp_path / "p" / f"{number:03d}.png", np.full((240, 320), 255, np.uint8)
        mask[:30] = 0
        image, shown = Image.open(path).copy(), Image.fromarray(mask)
        if number % 3 == 0:  # the camera was held a quarter to its left
            image, shown = (i.transpose(Image.Transpose.ROTATE_270) for i in (image, shown))
            truth[number] = truth[number] @ roll
        image.save(path)
        shown.save(tmp_path / "masks" / f"{number:03d}.png")
    lens = ("--focal-mm", str(36 * focal / size[0]), "--masks", tmp_path / "masks")
    given = ("--input", tmp_path / "p", "--output", tmp_path / "out", "--preset", "fast")
    done = run("cameras", *given, *lens, "--solver", "incremental")
    assert done.returncode == 0, done.stderr
    frames = capture.read(tmp_path / "out").frames
    assert len(frames) >= 15
    true = np.stack([truth[int(Path(f.source).stem)] for f in frames])
    ours = np.stack([f.camera_to_world for f in frames])
    scale, rotation, shift = align_similarity(ours[:, :3, 3], true[:, :3, 3])
    places = scale * ours[:, :3, 3] @ rotation.T + shift
    assert np.linalg.norm(places - true[:, :3, 3], axis=1).max() < 0.03
    off = np.einsum("nji,njk->nik", rotation @ ours[:, :3, :3], true[:, :3, :3])
    degrees = np.degrees(np.arccos(((np.trace(off, axis1=1, axis2=2) - 1) / 2).clip(-1, 1)))
    assert degrees.max() < 1.0
    for frame in frames:
        stands = int(Path(frame.source).stem) % 3 == 0
        assert (frame.width, frame.height) == ((240, 320) if stands else (320, 240))
        assert frame.depth is not None and frame.mask is not None
        hidden = np.asarray(Image.open(frame.mask)) == 0
        assert hidden[:, -30:].all() if stands else hidden[:30].all()
        assert hidden.mean() == pytest.approx(30 / 240, abs=0.01)
    rows = json.loads((tmp_path / "out" / "manifest.json").read_text())["pictures"]
    assert len(rows) == len(frames)
