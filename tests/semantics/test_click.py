"""Clicks: the lines, the splats that are meant, and the process that answers."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import click_scene, tiny_onnx

from backend.formats import splat_ply
from backend.formats.click_lines import Click, Clicked, decode_click, decode_clicked, encode_click
from backend.gaussians.region_weights import label_map
from backend.semantics.click import ClickConfig, meant, scene_of
from backend.semantics.click_service import ClickService, view_of

ROOT = Path(__file__).resolve().parents[2]
CLICK = Click(
    id=1,
    splats="a.ply",
    sam="sam",
    viewmat=torch.eye(4).ravel().tolist(),
    lens=click_scene.lens(),
    size=list(click_scene.SIZE),
    points=[click_scene.place_of(0)],
    labels=[1],
    level="thing",
    result="r",
    device="cpu",
)


@pytest.fixture
def click(tmp_path: Path) -> Click:
    splat_ply.write(tmp_path / "splats.ply", click_scene.splats()[0], ())
    sam = tiny_onnx.sam(tmp_path / "sam")
    files = str(tmp_path / "splats.ply"), str(sam), str(tmp_path / "meant")
    return dataclasses.replace(CLICK, splats=files[0], sam=files[1], result=files[2])


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_lines_come_back() -> None:
    answer = Clicked(id=3, count=4)
    assert decode_click(encode_click(CLICK)) == CLICK
    assert decode_clicked(encode_click(answer)) == answer
    assert decode_clicked(encode_click(CLICK)) is None and decode_click(b"[]") is None


@pytest.mark.parametrize("wrong", [
    {"id": "1"}, {"level": "all"}, {"labels": [0]}, {"labels": [1, 1]}, {"labels": [True]},
    {"points": [[1]]}, {"points": []}, {"points": [["a", 1]]}, {"viewmat": [1.0]},
    {"lens": [1.0, 2.0, 3.0, float("nan")]}, {"size": [0, 4]}, {"size": [1.5, 4]},
    {"size": [10**9, 4]}, {"device": "tpu"}, {"more": 1}, {"protocol": 99}, {"type": "x"},
], ids=str)  # fmt: skip
def test_what_is_no_click(wrong: dict[str, Any]) -> None:
    line = json.dumps({"type": "click", **dataclasses.asdict(CLICK), **wrong}).encode()
    assert decode_click(line) is None


def test_a_mask_means_the_splats_in_it_and_what_they_hide() -> None:
    arrays, owner = click_scene.splats()
    scene, view = scene_of(arrays, "cpu"), view_of(CLICK, "cpu")
    mask = label_map(scene.gaussians, view, owner.astype(np.int32), 3)[0] == 0
    front = meant(scene, view, mask, ClickConfig(reach=0.0))
    found = meant(scene, view, mask)
    assert overlap(found, owner == 0) > overlap(front, owner == 0) + 0.1
    assert overlap(found, owner == 0) > 0.9 and not found[owner == 1].any()
    assert not meant(scene, view, np.zeros_like(mask)).any()


def test_objects_that_are_known_come_whole() -> None:
    arrays, owner = click_scene.splats(numbered=True)
    scene, view = scene_of(arrays, "cpu"), view_of(CLICK, "cpu")
    mask = label_map(scene.gaussians, view, owner.astype(np.int32), 3)[0] == 1
    mask &= np.random.default_rng(0).random(mask.shape) < 0.8  # a ragged one
    np.testing.assert_array_equal(meant(scene, view, mask), owner == 1)


def test_a_click_is_answered_by_what_is_seen_there(click: Click) -> None:
    owner, service = click_scene.splats()[1], ClickService()
    for ball in (0, 1):
        line = dataclasses.replace(click, points=[click_scene.place_of(ball)])
        answer = service.answer(line)
        assert not answer.error
        found = np.fromfile(click.result, np.uint8).astype(bool)
        assert answer.count == found.sum() and overlap(found, owner == ball) > 0.85
    assert len(service._seen) == 1, "the view was looked at once"
    # the second is taken away from what the first means
    both = dataclasses.replace(
        click, points=[click_scene.place_of(0), click_scene.place_of(1)], labels=[1, 0]
    )
    assert service.answer(both).count > 0


def test_bad_clicks_get_an_answer(click: Click, tmp_path: Path) -> None:
    service = ClickService()
    away = torch.eye(4)
    away[2, 3] = -50.0
    for change, word in (
        ({"splats": str(tmp_path / "none.ply")}, "There is no file"),
        ({"sam": str(tmp_path / "none")}, "There is no folder"),
        ({"viewmat": away.ravel().tolist()}, "no splats at that place"),
    ):
        answer = service.answer(dataclasses.replace(click, **change))
        assert word in answer.error and answer.advice and not answer.count


@pytest.mark.process
def test_the_process_that_knows_words_answers_clicks_too(click: Click) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "backend", "words"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"nonsense\n" + encode_click(click))
        process.stdin.flush()
        answer = decode_clicked(process.stdout.readline())
        process.stdin.close()
    assert answer is not None and answer.id == 1 and answer.count and not answer.error
