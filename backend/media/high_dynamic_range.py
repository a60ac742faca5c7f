"""HLG and PQ footage as the sRGB that everything here computes in: ITU-R BT.2100's curves, paper
white kept bright, highlights rolled off instead of clipped.
"""

from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc

from ..geometry.arrays import Floats, Pixels

NAMES = {ColorTrc.ARIB_STD_B67: "HLG", ColorTrc.SMPTE2084: "PQ (HDR10)"}
KNOWN = {int(curve) for curve in NAMES}
WIDE = "BT.2020 colors"
WHITE = 203.0  # nits of a white sheet, BT.2408
HLG_PEAK, HLG_GAMMA = 1000.0, 1.2  # nits of the display that HLG is graded on, and its gamma
KNEE = 0.5  # of paper white, linear, from which highlights are compressed
SDR_GAMMA = 2.4  # BT.1886, of wide colours in standard range
LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020's primaries
TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349],
     [-0.018151, -0.100579, 1.118730]], np.float32,
)  # fmt: skip


class HlgCurve(NamedTuple):
    """BT.2100's constants."""

    a: float = 0.17883277
    b: float = 0.28466892
    c: float = 0.55991073


HLG = HlgCurve()


def range_name(frame: av.VideoFrame) -> str:
    """What of the frame's colours is not sRGB and is converted; empty for ordinary footage."""
    wide = WIDE if frame.color_primaries == ColorPrimaries.BT2020 else ""
    return NAMES.get(ColorTrc(frame.color_trc), wide) if frame.color_trc in KNOWN else wide


def _hlg(signal: Floats) -> Floats:
    """Nits of the display from HLG's signal (..., 3) in 0..1."""
    upper = (np.exp((signal - HLG.c) / HLG.a) + HLG.b) / 12
    scene = np.where(signal <= 0.5, signal**2 / 3, upper)
    luminance = np.maximum(scene @ LUMA, 1e-9)[..., None]
    return np.asarray(HLG_PEAK * luminance ** (HLG_GAMMA - 1) * scene, np.float32)


def _pq(signal: Floats) -> Floats:
    """Nits from SMPTE ST 2084's signal in 0..1."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = signal ** np.float32(1 / m2)
    return np.asarray(
        10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1), np.float32
    )


def _rolled_off(linear: Floats) -> Floats:
    """(..., 3), 1 being paper white: as it is below the knee, never above 1; hues stay."""
    top = np.maximum(linear.max(-1, keepdims=True), 1e-6)
    shown = KNEE + (1 - KNEE) * (1 - np.exp(-(top - KNEE) / (1 - KNEE)))
    return np.asarray(linear * np.where(top > KNEE, shown / top, 1.0), np.float32)


def _encoded(linear: Floats) -> Pixels:
    """sRGB in 8 bits."""
    clipped = linear.clip(0, 1)
    bent = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.asarray((bent * 255).round(), np.uint8)


def tone_mapped(frame: av.VideoFrame, width: int, height: int) -> Pixels:
    """(height, width, 3) sRGB of a frame for which `range_name` has a name."""
    deep = frame.reformat(width=width, height=height, format="rgb48le").to_ndarray()
    signal = deep.astype(np.float32) / np.float32(65535)
    match frame.color_trc:
        case ColorTrc.ARIB_STD_B67:
            light = _hlg(signal) / WHITE
        case ColorTrc.SMPTE2084:
            light = _pq(signal) / WHITE
        case _:
            return _encoded(np.asarray(signal**SDR_GAMMA @ TO_709.T, np.float32))
    wide = frame.color_primaries in (ColorPrimaries.BT2020, ColorPrimaries.UNSPECIFIED)
    narrow = light @ TO_709.T if wide else light
    return _encoded(_rolled_off(np.maximum(narrow, 0)))
