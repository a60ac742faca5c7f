"""Data sets that others have labelled, as tiny folders in their layouts: what is read of them, and
both protocols on splats of which everything is known.
"""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import two_discs
from helpers.furnished_room import Room
from helpers.simulated_teacher import SimulatedTeacher
from helpers.teacher_simulator import Simulator
from helpers.two_discs import SIZE, WORDS, label_picture
from PIL import Image

from backend.formats import capture, ply, semantics_file
from backend.formats.semantics_file import NOTHING, Semantics
from backend.gaussians.options import RasterView
from backend.geometry.conventions import FLIP_YZ
from tests.benchmarks import labelled, labelled_scores, labelled_sets, lerf_ovs, replica, scannet
from tests.benchmarks.labelled import Asked
from tests.benchmarks.labelled_sets import LabelledScene
from tests.benchmarks.table import Table


def camera() -> RasterView:
    K = np.array([[40.0, 0, 20], [0, 40, 15], [0, 0, 1]])
    return labelled._view(np.eye(4), K, 1, (SIZE[1], SIZE[0]))


def right_heat() -> np.ndarray:
    """(N, 2)"""
    return np.eye(2, dtype=np.float32)[two_discs.owners()]


def write_lerf(root: Path) -> None:
    folder = root / "label" / "tea"
    folder.mkdir(parents=True)
    things = [
        {"category": word, "segmentation": corners, "bbox": [0, 0, 1, 1]}
        for word, corners in (
            ("cup", [[8, 11], [16, 11], [16, 19], [8, 19]]),
            ("plate", [[24, 11], [28, 11], [28, 19], [24, 19]]),
            ("plate", [[28, 11], [32, 11], [32, 19], [28, 19]]),
        )
    ]
    info = {"name": "frame_00001.jpg", "width": SIZE[0], "height": SIZE[1]}
    (folder / "frame_00001.json").write_text(json.dumps({"info": info, "objects": things}))


def write_replica(root: Path, poses: np.ndarray) -> None:
    sequence = root / "room_0" / "Sequence_1"
    (sequence / "rgb").mkdir(parents=True)
    (sequence / "semantic_class").mkdir()
    np.savetxt(sequence / "traj_w_c.txt", poses.reshape(len(poses), 16))
    for i in range(len(poses)):
        Image.new("RGB", SIZE).save(sequence / "rgb" / f"rgb_{i}.png")
        path = sequence / "semantic_class" / f"semantic_class_{i}.png"
        Image.fromarray(7 * label_picture()).save(path)
    names = root / "semantic_info" / "room_0"
    names.mkdir(parents=True)
    known = {0: "undefined", 7: "cup", 14: "plate", 90: "sky"}
    classes = [{"id": number, "name": name} for number, name in known.items()]
    (names / "info_semantic.json").write_text(json.dumps({"classes": classes}))


def write_scannet(root: Path, poses: dict[int, np.ndarray]) -> None:
    folder = root / "scene0000_00"
    for name in ("color", "pose", "intrinsic", "label-filt"):
        (folder / name).mkdir(parents=True)
    np.savetxt(folder / "intrinsic" / "intrinsic_color.txt", np.diag([40.0, 40, 1, 1]))
    for i, pose in poses.items():
        Image.new("RGB", SIZE).save(folder / "color" / f"{i}.jpg")
        np.savetxt(folder / "pose" / f"{i}.txt", pose)
        raw = np.array([0, 300, 2], np.uint16)[label_picture()]
        cv2.imwrite(str(folder / "label-filt" / f"{i}.png"), raw)
    (root / "scannetv2-labels.combined.tsv").write_text(
        "id\traw_category\tcategory\tcount\tnyu40id\n"
        "300\toffice chair\tchair\t9\t5\n2\tpicture\tpicture\t9\t11\n4\tunicorn\tx\t1\t40\n"
    )
    scan = np.zeros(4, [(axis, "<f4") for axis in "xyz"])
    scan["x"], scan["z"] = [-0.6, -0.5, 0.6, 9], 3
    ply.write_vertices(folder / "scene0000_00_vh_clean_2.ply", scan)
    segments = {"segIndices": [11, 12, 13, 14]}
    (folder / "scene0000_00_vh_clean_2.0.010000.segs.json").write_text(json.dumps(segments))
    groups = [
        {"label": "office chair", "segments": [11, 12]},
        {"label": "picture", "segments": [13]},
        {"label": "unicorn", "segments": [14]},
    ]
    (folder / "scene0000_00.aggregation.json").write_text(json.dumps({"segGroups": groups}))


def asked(scene: LabelledScene, heat: np.ndarray) -> Asked:
    return Asked(scene, two_discs.splats(), [(camera(), view) for view in scene.views], heat)


def test_lerf_ovs(tmp_path: Path) -> None:
    write_lerf(tmp_path)
    (scene,) = labelled_sets.lerf_ovs(tmp_path)
    assert (scene.name, scene.words, scene.source) == ("tea", WORDS, tmp_path / "tea")
    labels = scene.views[0].read()
    assert labels.size == (30, 40) and labels.masks["plate"].sum() == 81
    assert labels.boxes["plate"].tolist() == [[24, 11, 28, 19], [28, 11, 32, 19]]
    right = dict(lerf_ovs.score(asked(scene, right_heat())))
    wrong = dict(lerf_ovs.score(asked(scene, right_heat()[:, ::-1])))
    nothing = dict(lerf_ovs.score(asked(scene, 0.4 * right_heat())))
    assert min(right["rendered masks: mIoU"], right["chosen in 3D: mIoU"]) > 0.75
    assert right["rendered masks: localisation"] == right["chosen in 3D: mAcc@0.25"] == 1
    assert max(wrong.values()) < 0.05
    assert nothing["chosen in 3D: mIoU"] == 0 and nothing["rendered masks: localisation"] == 1


def test_replica(tmp_path: Path) -> None:
    poses = np.stack([np.eye(4)] * 8)
    poses[:, 0, 3] = np.arange(8)
    write_replica(tmp_path, poses)
    (scene,) = labelled_sets.replica(tmp_path)
    assert scene.words == WORDS and scene.training == {"rgb_0.png", "rgb_5.png"}
    assert [v.name for v in scene.views] == ["rgb_2.png", "rgb_7.png"]
    np.testing.assert_allclose(scene.posed[3].pose, poses[3])
    assert scene.posed[0].K[0, 0] == scene.posed[0].K[0, 2] == 20, "90 degrees across"
    found = dict(replica.score(asked(scene, right_heat())))
    assert found["rendered: mIoU"] > 0.75 and found["in 3D: mIoU"] == found["in 3D: mAcc"] == 1
    assert dict(replica.score(asked(scene, right_heat()[:, ::-1])))["in 3D: mIoU"] == 0


def test_scannet(tmp_path: Path) -> None:
    lost = np.full((4, 4), -np.inf)
    write_scannet(tmp_path, {i: lost if i == 20 else np.eye(4) for i in range(42)})
    (scene,) = labelled_sets.scannet(tmp_path)
    assert len(scene.words) == 20 and [v.name for v in scene.views] == ["0.jpg", "40.jpg"]
    assert scene.views[0].read().masks.keys() == {"chair", "picture"} and scene.points is not None
    chair, picture = scene.words.index("chair"), scene.words.index("picture")
    assert scene.points.classes.tolist() == [chair, chair, picture, -1]
    heat = np.zeros((len(right_heat()), 20), np.float32)
    heat[:, [chair, picture]] = right_heat()
    found = dict(scannet.score(asked(scene, heat)))
    assert found["19 classes, in 3D: mIoU"] == found["15 classes, in 3D: mAcc"] == 1
    assert found["10 classes, rendered: mIoU"] > 0.75, "a picture is none of these ten"
    with pytest.raises(RuntimeError, match="no scan"):
        scannet.score(asked(replace(scene, points=None), heat))


def test_known_cameras_become_a_capture(tmp_path: Path) -> None:
    turned = np.array([[0.0, 0, 1, 4], [0, 1, 0, 5], [-1, 0, 0, 6], [0, 0, 0, 1]])
    write_replica(tmp_path / "data", np.stack([turned] * 3))
    (scene,) = labelled_sets.replica(tmp_path / "data")
    (frame,) = capture.read(labelled.write_posed(scene, tmp_path / "footage")).frames
    np.testing.assert_allclose(frame.camera_to_world, turned @ FLIP_YZ)
    assert (frame.width, frame.height, frame.fl_x) == (*SIZE, 20) and frame.image.is_file()
    ((view, label),) = labelled.judging(scene, tmp_path)
    assert label.name == "rgb_2.png" and (view.width, view.height) == SIZE
    torch.testing.assert_close(view.viewmat, torch.from_numpy(np.linalg.inv(turned)).float())


def test_labels_meet_cameras_that_the_product_solved(tmp_path: Path) -> None:
    """Of a capture whose pictures are twice as large as the labels."""
    write_lerf(tmp_path)
    (scene,) = labelled_sets.lerf_ovs(tmp_path)
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    frame = capture.Frame(
        image=tmp_path / "a.png", camera_to_world=np.eye(4), fl_x=80, fl_y=80, cx=40, cy=30,
        width=80, height=60, source="images/frame_00001.jpg",
    )  # fmt: skip
    capture.write(tmp_path, [frame], None)
    ((view, label),) = labelled.judging(scene, tmp_path)
    assert (view.width, view.height) == SIZE and label is scene.views[0]
    assert view.K[:2].tolist() == [[40, 0, 20], [0, 40, 15]]
    np.testing.assert_allclose(view.viewmat.numpy(), FLIP_YZ)


def test_heat_is_what_select_scores(tmp_path: Path) -> None:
    room = Room(
        np.zeros(1, int), [], [], [], two_discs.splats(), np.zeros((1, 3)), np.zeros(1, int)
    )
    teacher = SimulatedTeacher(Simulator(room))
    features = teacher.encode_text(["bed", "lamp"])
    objects = np.full((4, 3), NOTHING, np.uint16)
    objects[:, 0] = [0, 1, 1, NOTHING]
    shares = np.zeros((4, 3), np.uint8)
    shares[:3, 0] = 255
    semantics_file.write(
        tmp_path / semantics_file.NAME,
        Semantics(objects=objects, shares=shares, features=features, mean=features.mean(0)),
    )
    heat = labelled.heat(tmp_path, ("lamp", "bed"), teacher)
    assert heat.shape == (4, 2) and heat[1, 0] > heat[1, 1] and heat[0, 1] > heat[0, 0]
    assert not heat[3].any()


def test_classes_that_nothing_is_said_of_are_wrong() -> None:
    truth = np.array([0, 0, 1, -1])
    assert labelled_scores.by_class(truth, np.array([0, -1, 1, 0]), 3) == (0.75, 0.75)


def test_without_data_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATASET", raising=False)
    monkeypatch.setattr("tests.benchmarks.table.OUT", tmp_path)
    table = Table("lerf_ovs")
    lerf_ovs.run(table)
    assert not table.rows
