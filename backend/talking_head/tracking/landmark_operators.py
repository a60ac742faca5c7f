"""The three operators by which the face mesh network looks closer at lips and eyes: where they lie,
their features, and back.

From the description of them in mediapipe's `util/tflite/operations`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def landmarks_to_transform(
    landmarks: Tensor,
    *,
    subset_idxs: list[int],
    left_rotation_idx: int,
    right_rotation_idx: int,
    target_rotation_radians: float,
    output_width: int,
    output_height: int,
    scale_x: float,
    scale_y: float,
) -> Tensor:
    """(1, 4, 4): from a small upright window to the upright box around a subset of landmarks (1, 3
    N), pixels.
    """
    points = landmarks.reshape(-1, 3)[:, :2]
    along = points[right_rotation_idx] - points[left_rotation_idx]
    angle = torch.atan2(along[1], along[0]) - target_rotation_radians
    cos, sin = torch.cos(angle), torch.sin(angle)
    rotation = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
    upright = points[torch.tensor(subset_idxs)] @ rotation
    low, high = upright.amin(0), upright.amax(0)
    size = torch.tensor([output_width, output_height], dtype=points.dtype)
    linear = rotation * ((high - low) * torch.tensor([scale_x, scale_y]) / size)
    matrix = torch.eye(4)
    matrix[:2, :2] = linear
    matrix[:2, 3] = rotation @ ((low + high) / 2) - linear @ (size / 2)
    return matrix[None]


def sample_through(
    features: Tensor, matrix: Tensor, *, output_width: int, output_height: int
) -> Tensor:
    """The window (1, C, output_height, output_width) of features (1, C, H, W); centres of pixels at
    halves, zero outside.
    """
    height, width = features.shape[2:]
    rows, columns = torch.meshgrid(
        torch.arange(output_height) + 0.5, torch.arange(output_width) + 0.5, indexing="ij"
    )
    linear, shift = matrix.reshape(4, 4)[:2, :2], matrix.reshape(4, 4)[:2, 3]
    at = torch.stack([columns, rows], -1) @ linear.T + shift - 0.5
    limit = torch.tensor([width - 1.0, height - 1.0])
    inside = ((at >= 0) & (at <= limit)).all(-1)
    return F.grid_sample(features, (at / limit * 2 - 1)[None], align_corners=True) * inside


def transform_landmarks(landmarks: Tensor, matrix: Tensor) -> Tensor:
    """Points (..., 2 or more) of the window in the picture; what follows x and y stays."""
    linear, shift = matrix.reshape(4, 4)[:2, :2], matrix.reshape(4, 4)[:2, 3]
    return torch.cat([landmarks[..., :2] @ linear.T + shift, landmarks[..., 2:]], -1)
