"""A teacher by the name or folder that the user gives."""

from pathlib import Path

import torch

from . import onnx_clip, open_clip_teacher
from .teacher import Teacher


def load(model: str, device: torch.device) -> Teacher:
    """Two ONNX encoders in a folder, or what open_clip can load. InputError for anything else; the
    network is never asked.
    """
    folder = Path(model)
    if model.strip() and folder.is_dir() and onnx_clip.is_there(folder):
        return onnx_clip.load(folder, device.type)
    return open_clip_teacher.load(model, device)
