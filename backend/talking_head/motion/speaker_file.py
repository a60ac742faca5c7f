"""A speaker's own decoder on disk: its weights, its coefficients' names and how large it is."""

import json
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ...formats.safetensors_header import sort_header
from ...protocol import InputError
from .motion_translator import MotionTranslator, MotionTranslatorConfig

NAME = "speaker.safetensors"


def save_speaker(model: MotionTranslator, names: list[str], path: Path) -> None:
    """Writes the decoder with its configuration as safetensors, marked as synthetic."""
    meta = {
        "config": json.dumps(asdict(model.config)),
        "names": json.dumps(names),
        "note": "Synthetic motion; made with Splatsmith.",
    }
    save_file(
        {name: values.contiguous() for name, values in model.state_dict().items()}, path, meta
    )
    sort_header(path)


def load_speaker(path: Path) -> tuple[MotionTranslator, list[str]]:
    """The decoder, ready to use, and the names of its coefficients. InputError for anything
    else.
    """
    try:
        with safe_open(path, "pt") as file:
            meta = file.metadata() or {}
            names, config = (
                [str(name) for name in json.loads(meta["names"])],
                json.loads(meta["config"]),
            )
            model = MotionTranslator(
                MotionTranslatorConfig(**{**config, "dilations": tuple(config["dilations"])})
            )
            model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path.name} is not a speaker.", "Choose the speaker.safetensors that Face left."
        ) from error
    if len(names) != model.config.coefficients:
        raise InputError(f"{path.name} is damaged.", "Run Face again.")
    return model.eval(), names
