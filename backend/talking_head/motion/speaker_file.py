"""A speaker's own decoder on disk: its weights, its coefficients' names and how large it is."""

import json
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ...formats.gate import check_file
from ...formats.json_file import parse_json
from ...formats.limits import MOST_MODEL
from ...formats.safetensors_header import sort_header
from ...protocol import InputError
from ..speech.viseme_encoder import check_sizes
from .motion_translator import MATCHING, MotionTranslator, MotionTranslatorConfig

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
    check_file(path, MOST_MODEL)
    try:
        with safe_open(path, "pt") as file:
            meta = file.metadata() or {}
            names, config = (
                [str(name) for name in parse_json(meta["names"], path.name)],
                parse_json(meta["config"], path.name),
            )
            dilations = tuple(config.pop("dilations"))
            check_sizes({k: v for k, v in config.items() if k != "dropout"}, dilations)
            model = MotionTranslator(MotionTranslatorConfig(**config, dilations=dilations))
            told = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            start = model.state_dict()  # speakers of before were not matched
            model.load_state_dict({name: start[name] for name in MATCHING} | told)
    except (
        OSError,
        InputError,
        SafetensorError,
        KeyError,
        AttributeError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:
        raise InputError(
            f"{path.name} is not a speaker.", "Choose the speaker.safetensors that Face left."
        ) from error
    if len(names) != model.config.coefficients:
        raise InputError(f"{path.name} is damaged.", "Run Face again.")
    return model.eval(), names
