"""Audio2Face-3D on a folder of its interface: windows, emotions, gaze, tongue, and refusals."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers import tiny_audio2face
from helpers.command_line import run
from helpers.sounds import write_wav

from backend.formats import motion_file
from backend.formats.arkit import BLENDSHAPES
from backend.geometry.arrays import Floats
from backend.protocol import InputError
from backend.talking_head.audio2face.face import face_of
from backend.talking_head.audio2face.face_network import (
    FPS,
    FaceNetwork,
    answers,
    emotion_vector,
    load,
)

RATE = 16_000
JAW, SMILE = BLENDSHAPES.index("jawOpen"), BLENDSHAPES.index("mouthSmileLeft")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_audio2face.folder(tmp_path_factory.mktemp("a2f") / "tiny")


@pytest.fixture(scope="module")
def network(tiny: Path) -> FaceNetwork:
    return load(str(tiny))


def beeps(*times: float, seconds: float = 2.0) -> Floats:
    """60 ms of a tone around each time."""
    sound = np.zeros(int(seconds * RATE), np.float32)
    for time in times:
        at = int((time - 0.03) * RATE)
        sound[max(at, 0) : at + 960] = 0.3
    return sound


def test_the_jaw_opens_when_it_is_heard(network: FaceNetwork) -> None:
    rows = answers(network, beeps(0.0, 0.7, 1.95), emotion_vector(network, "neutral", 1))
    assert len(rows) == 2 * FPS + 1
    face = face_of(network, rows, 201)
    jaw = face.coefficients[:, JAW]
    assert jaw[0] > 0.5 and jaw[195] > 0.5  # half a window lies before and after the sound
    around = np.arange(40, 110)
    middle = (around * jaw[40:110]).sum() / jaw[40:110].sum() / 100
    assert abs(middle - 0.7) < 0.01  # of a second
    assert abs(jaw[70] - 1.2 / 1.005) < 0.2 and jaw[100:180].max() < 0.01
    others = [k for k, n in enumerate(BLENDSHAPES) if k != JAW and not n.startswith("eyeLook")]
    assert face.coefficients[:, others].max() < 0.1


def test_emotions_are_felt(network: FaceNetwork) -> None:
    quiet = np.zeros(RATE, np.float32)
    smiles = [
        face_of(network, answers(network, quiet, emotion_vector(network, name, much)), 100)
        .coefficients[:, SMILE]
        .mean()
        for name, much in (("neutral", 1.0), ("joy", 0.5), ("joy", 1.0), ("anger", 1.0))
    ]
    np.testing.assert_allclose(smiles, [0, 0.25, 0.5, 0], atol=0.02)
    with pytest.raises(InputError, match="knows no emotion called glee"):
        emotion_vector(network, "glee", 1)


def test_the_shade_is_the_one_that_settings_name(tiny: Path, network: FaceNetwork) -> None:
    table = np.load(tiny / "implicit_emo_db.npz")["emo_db"]
    np.testing.assert_array_equal(network.shade, table[40 + 33])
    vector = emotion_vector(network, "joy", 0.5)
    assert len(vector) == 26 and vector[16 + 6] == 0.5 and (vector[:16] == network.shade).all()


def test_eyes_look_where_their_angles_say(network: FaceNetwork) -> None:
    rows = answers(network, np.zeros(RATE, np.float32), emotion_vector(network, "neutral", 1))
    face = face_of(network, rows, 50).coefficients
    gaze = {n: face[:, k].max() for k, n in enumerate(BLENDSHAPES) if n.startswith("eyeLook")}
    assert gaze.pop("eyeLookInRight") == pytest.approx(0.5)  # 15 of 30 degrees, to her left
    assert not any(gaze.values())


def test_tongues_have_curves_of_their_own(network: FaceNetwork) -> None:
    rows = np.zeros((10, tiny_audio2face.RESULT), np.float32)
    rows[:, tiny_audio2face.SKIN] = 0.6
    face = face_of(network, rows, 20)
    assert face.own == tiny_audio2face.TONGUES
    np.testing.assert_allclose(face.others, np.tile([0.6, 0.0], (20, 1)), atol=0.06)


def other_mesh(path: Path) -> None:
    tiny_audio2face.replace(path / "model_data.npz", shapes_mean_skin=np.zeros((59, 3), np.float32))


def broken_number(path: Path) -> None:
    bad = np.full((60, 3), np.nan, np.float32)
    tiny_audio2face.replace(path / "model_data.npz", lip_open_pose_delta=bad)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file": (lambda p: (p / "bs_skin.npz").unlink(), "bs_skin.npz missing"),
    "no settings": (lambda p: (p / "network_info.json").unlink(), "network_info.json missing"),
    "v3.0": (
        lambda p: tiny_audio2face.change(p / "network_info.json", type="diffusion"),
        "about a diffusion network",
    ),
    "other network": (
        lambda p: tiny_audio2face.network(p / "network.onnx", window=16_000),
        "network.onnx is not an Audio2Face-3D network: it takes input",
    ),
    "other numbers": (
        lambda p: tiny_audio2face.network(p / "network.onnx", result=169),
        "network.onnx is not an Audio2Face-3D network: it gives result",
    ),
    "no model": (lambda p: (p / "network.onnx").write_text("no"), "network.onnx"),
    "other mesh": (other_mesh, "model_data.npz is not a mesh of Audio2Face-3D"),
    "no number": (broken_number, "model_data.npz is damaged"),
    "a shape": (
        lambda p: tiny_audio2face.replace(p / "bs_skin.npz", jawOpen=None),
        "bs_skin.npz is not shapes of Audio2Face-3D",
    ),
    "a setting": (
        lambda p: tiny_audio2face.change(p / "model_config.json", skin_strength="much"),
        "model_config.json does not tell skin_strength",
    ),
    "a list": (
        lambda p: tiny_audio2face.change(p / "bs_skin_config.json", bsWeightOffsets=[0.0]),
        "bs_skin_config.json does not tell bsWeightOffsets",
    ),
    "a rate": (
        lambda p: tiny_audio2face.change(p / "network_info.json", samplerate=44_100),
        "wants 44,100 samples",
    ),
    "a shot": (
        lambda p: tiny_audio2face.change(p / "model_config.json", source_shot="gone"),
        "has no frame 33 of gone",
    ),
    "a frame": (
        lambda p: tiny_audio2face.change(p / "model_config.json", source_frame=40),
        "has no frame 40 of g2a_neutral",
    ),
    "vertices": (
        lambda p: tiny_audio2face.replace(p / "bs_skin.npz", frontalMask=np.array([0, 60])),
        "names vertices that the mesh does not have",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_are_named(tmp_path: Path, case: str) -> None:
    spoil, told = WRONG[case]
    path = tiny_audio2face.folder(tmp_path / "tiny")
    spoil(path)
    with pytest.raises(InputError) as error:
        load(str(path))
    assert told in error.value.what and "\n" not in error.value.what
    assert error.value.advice


def test_tongues_may_be_left_out(tmp_path: Path) -> None:
    path = tiny_audio2face.folder(tmp_path / "tiny")
    (path / "bs_tongue.npz").unlink()
    (path / "bs_skin.npz").rename(path / "bs_skin_tiny.npz")  # as the training framework names it
    (path / "bs_skin_config.json").rename(path / "bs_skin_config_tiny.json")
    assert load(str(path / "network.onnx")).tongue is None


def curves(folder: Path) -> dict[str, float]:
    motion = motion_file.read(folder / motion_file.NAME)
    return {curve.name: float(curve.values.max()) for curve in motion.curves}


def test_the_verb_speaks_with_an_emotion(tmp_path: Path, tiny: Path) -> None:
    sound = write_wav(tmp_path / "line.wav", beeps(0.4, 0.8)[:, None], RATE)
    told = ("speech", "--input", sound, "--assume-speech", "--output")
    done = run(*told, tmp_path / "joy", "--audio2face", tiny, "--emotion", "joy")
    assert done.returncode == 0 and "as Tiny would, with joy" in done.stdout + done.stderr
    joy = curves(tmp_path / "joy")
    assert joy["jawOpen"] > 0.7 and abs(joy["mouthSmileLeft"] - 0.35) < 0.02
    assert joy["eyeLookInRight"] > 0.4 and joy["eyeBlinkLeft"] > 0.5
    done = run(*told, tmp_path / "half", "--audio2face", tiny, "--intensity", "0.5", "--jaw", "0.5")
    half = curves(tmp_path / "half")
    assert done.returncode == 0 and half["jawOpen"] < 0.5 * joy["jawOpen"]
    assert "mouthSmileLeft" not in half
    done = run(*told, tmp_path / "no", "--emotion", "joy")
    assert done.returncode == 0 and "no Audio2Face network is chosen" in done.stderr
    done = run(*told, tmp_path / "no2", "--audio2face", tmp_path / "gone")
    assert done.returncode and "There is no folder" in done.stderr
    done = run(*told, tmp_path / "no3", "--audio2face", tiny, "--emotion", "glee")
    assert done.returncode and "knows no emotion called glee" in done.stderr
