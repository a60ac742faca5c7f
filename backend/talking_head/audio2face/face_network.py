"""Audio2Face-3D in a folder: loaded and held against its settings, then asked, moment by moment.

Interface: `input` (B, 1, 8320) at 16 kHz and `emotion` (B, 1, 26) in; `result` (B, 1, 169) for
Claire and James or (B, 1, 301) for Mark out: skin, tongue, jaw, eyes, in this order. A window has
the moment that it answers for in its middle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...geometry.arrays import Floats
from ...media.sound import RATE, Samples
from ...networks import onnx_model
from ...networks.onnx_model import OnnxModel, Wanted
from ...protocol import InputError
from . import mesh_data, settings
from .mesh_data import NetworkHead, beside
from .retarget import FittedPart, skin_part, tongue_part
from .settings import ADVICE, Liveliness, NetworkInfo

FPS, BATCH = 30, 16  # answers a second, as the network was taught; windows at once
NEUTRAL = "neutral"
NETWORK, INFO, HOW = "network.onnx", "network_info.json", "model_config.json"
DATA, EMOTIONS = "model_data.npz", "implicit_emo_db.npz"
SKIN, SKIN_FIT = "bs_skin.npz", "bs_skin_config.json"
TONGUE, TONGUE_FIT = "bs_tongue.npz", "bs_tongue_config.json"
NEEDED = (INFO, NETWORK, HOW, DATA, EMOTIONS, SKIN, SKIN_FIT)


@dataclass(frozen=True, kw_only=True)
class FaceNetwork:
    """Ready to be asked."""

    model: OnnxModel
    info: NetworkInfo
    how: Liveliness
    shade: Floats  # (E,) of emotions in general
    head: NetworkHead
    skin: FittedPart
    tongue: FittedPart | None  # where its shapes are there


def load(given: str, device: str = "cpu") -> FaceNetwork:
    """From a folder, or its network.onnx.

    Raises:
        InputError: a file is missing, is of another kind, or does not belong to the others.
    """
    folder = Path(given) if Path(given).is_dir() else Path(given).parent
    if not Path(given).exists():
        raise InputError(
            f"There is no folder {given}.", "Download one of Get a Voice Model, or choose again."
        )
    told = beside(folder, INFO)
    info = settings.network_info(told) if told else None  # another kind's says so by itself
    needed = {name: beside(folder, name) for name in NEEDED}
    missing = [name for name, path in needed.items() if path is None]
    if info is None or missing:
        raise InputError(
            f"{folder.name} is no Audio2Face-3D network: {', '.join(missing)} missing.", ADVICE
        )
    files = {name: path for name, path in needed.items() if path is not None}
    how, head = settings.liveliness(files[HOW]), mesh_data.read_head(files[DATA], info)
    fit = settings.fit_settings(files[SKIN_FIT])
    poses = mesh_data.read_poses(files[SKIN], fit, len(head.skin.mean))
    return FaceNetwork(
        model=_network(files[NETWORK], info, device),
        info=info,
        how=how,
        shade=mesh_data.implicit_emotion(files[EMOTIONS], info, how),
        head=head,
        skin=skin_part(head, poses, how, fit),
        tongue=_tongue(folder, head, how),
    )


def _tongue(folder: Path, head: NetworkHead, how: Liveliness) -> FittedPart | None:
    shapes, settled = beside(folder, TONGUE), beside(folder, TONGUE_FIT)
    if shapes is None or settled is None:
        return None
    fit = settings.fit_settings(settled)
    return tongue_part(head, mesh_data.read_poses(shapes, fit, len(head.tongue.mean)), how, fit)


def _network(path: Path, info: NetworkInfo, device: str) -> OnnxModel:
    model = onnx_model.load(path, device)
    emotion = info.implicit + len(info.emotions)
    model.demand(
        "an Audio2Face-3D network",
        [
            Wanted(name="input", shapes=((None, 1, info.window),)),
            Wanted(name="emotion", shapes=((None, 1, emotion),)),
        ],
        [Wanted(name="result", shapes=((None, 1, info.result),))],
    )
    return model


def emotion_vector(network: FaceNetwork, emotion: str, strength: float) -> Floats:
    """(E + emotions,) of an emotion by its name. InputError for one that the network lacks."""
    explicit = np.array(network.info.usual, np.float32)
    if emotion != NEUTRAL:
        if emotion not in network.info.emotions:
            raise InputError(
                f"{network.info.actor or 'This network'} knows no emotion called {emotion}.",
                f"Choose one of: {', '.join((NEUTRAL, *network.info.emotions))}.",
            )
        explicit[network.info.emotions.index(emotion)] += strength
    return np.concatenate([network.shade, explicit.clip(0, 1)]).astype(np.float32)


def answers(
    network: FaceNetwork,
    samples: Samples,
    emotion: Floats,
    progress: Callable[[int, int], None] = lambda done, all_: None,
) -> Floats:
    """(T, R) of a sound (S,), FPS a second from its beginning on. InputError where the network
    gives no numbers.
    """
    count = int(np.ceil(len(samples) / RATE * FPS)) + 1
    middles = np.round(np.arange(count) * RATE / FPS).astype(int)
    window, center = network.info.window, network.info.center
    padded = np.pad(samples, (center, middles[-1] + window)) * network.how.input_strength
    rows = []
    for first in range(0, count, BATCH):
        part = np.stack([padded[at : at + window] for at in middles[first : first + BATCH]])
        felt = np.tile(emotion, (len(part), 1))
        given = network.model.run(input=part[:, None], emotion=felt[:, None])["result"]
        if given.shape != (len(part), 1, network.info.result) or not np.isfinite(given).all():
            raise InputError(f"{network.model.name} gives no numbers for this sound.", ADVICE)
        rows.append(np.asarray(given[:, 0], np.float32))
        progress(min(first + BATCH, count), count)
    return np.concatenate(rows)
