"""What things are made of: wood, stone, plaster, cloth, skin of fruit."""

import bpy

from .materials import Coating, Color, Ramp


def wood(name: str, dark: Color, light: Color) -> bpy.types.Material:
    """Planks along x: year rings, fibres and stains."""
    paint = Coating(name)
    long = paint.stretched((0.35, 2.2, 2.2))
    rings = paint.waves("RINGS", 1.4, 9.0, long)
    fibers = paint.noise(1.0, 3.0, paint.stretched((3, 55, 55)))
    stains = paint.noise(2.2, 4.0, paint.stretched((0.6, 1.2, 1.2)))
    middle: Color = tuple((a + b) / 2 for a, b in zip(dark, light, strict=True))
    color = paint.ramp(rings, [(0.0, middle), (0.55, light), (0.9, middle), (1.0, dark)])
    color = paint.shade(color, fibers, (0.3, 0.62), 0.35, 0.75)
    color = paint.mix(0.7, color, paint.ramp(stains, [(0.35, (0.45, 0.4, 0.36)), (0.6, (1,) * 3)]),
                      "MULTIPLY")  # fmt: skip
    return paint.done(color)


def stone(name: str, colors: Ramp, grain: Color) -> bpy.types.Material:
    """Clouded stone or fired clay, with specks of another color."""
    paint = Coating(name)
    clouds = paint.noise(3.2, 6.0, bend=0.6)
    specks = paint.specks(26.0)
    fine = paint.noise(60.0, 1.0)
    color = paint.ramp(clouds, colors)
    color = paint.mix(paint.ramp(specks, [(0.12, (1,) * 3), (0.22, (0,) * 3)]), color, grain)
    color = paint.shade(color, fine, (0.3, 0.7), 0.45, 0.6)
    return paint.done(color, clouds, 0.05)


def plaster(name: str, colors: Ramp) -> bpy.types.Material:
    """A limewashed wall: broad clouds, trowel strokes, grain."""
    paint = Coating(name)
    clouds = paint.noise(0.7, 6.0, bend=1.2)
    strokes = paint.noise(2.0, 4.0, paint.stretched((1.0, 1.0, 2.6)), bend=2.0)
    color = paint.ramp(clouds, colors)
    color = paint.shade(color, strokes, (0.32, 0.62), 0.42, 0.7)
    return paint.done(color)


def linen(name: str, ground: Color, stripe: Color, scale: float = 1.0) -> bpy.types.Material:
    """Woven cloth with stripes along y; coordinates are UVs in units of length."""
    paint = Coating(name, "UV")
    weft = paint.noise(1.0, 2.0, paint.stretched((95 * scale, 9 * scale, 1)))
    warp = paint.noise(1.0, 2.0, paint.stretched((9 * scale, 95 * scale, 1), 3.0))
    across = paint.math("FRACT", paint.math("MULTIPLY", paint.part("X"), 1.75))
    edges = (0.0, 0.1, 0.28, 0.34, 0.37, 0.92, 0.95)  # of bands, every other one a stripe
    bands = paint.ramp(across, [(edge, (i % 2,) * 3) for i, edge in enumerate(edges)])
    bands.node.color_ramp.interpolation = "CONSTANT"
    color = paint.mix(paint.math("MULTIPLY", bands, 0.88), ground, stripe)
    threads = paint.math("ADD", weft, warp)
    color = paint.shade(color, threads, (0.7, 1.0), 0.4, 0.8)
    return paint.done(color, threads, 0.01)


def fruit(name: str, skin: Ramp, blush: Color, speck: Color, top: float) -> bpy.types.Material:
    """Skin that changes from below to above (`top` high), with blush, streaks and specks."""
    paint = Coating(name, sheen=0.25)
    streaks = paint.noise(1.0, 3.0, paint.stretched((16, 16, 1.5)))
    patches = paint.noise(2.6, 2.0)
    level = paint.math("DIVIDE", paint.part("Z"), top)
    level = paint.math("ADD", level, paint.math("SUBTRACT", streaks, 0.5))
    color = paint.ramp(level, skin)
    color = paint.mix(paint.ramp(patches, [(0.42, (0,) * 3), (0.62, (0.9,) * 3)]), color, blush)
    color = paint.shade(color, streaks, (0.35, 0.6), 0.5, 0.5)
    specks = paint.specks(38.0)
    color = paint.mix(paint.ramp(specks, [(0.1, (0.8,) * 3), (0.24, (0,) * 3)]), color, speck)
    return paint.done(color, streaks, 0.008)


def pages(name: str) -> bpy.types.Material:
    """The edges of a book's pages: lines one above the other."""
    paint = Coating(name)
    lines = paint.noise(1.0, 2.0, paint.stretched((2, 2, 120)))
    stops: Ramp = [(0.3, (0.42, 0.34, 0.22)), (0.65, (0.86, 0.79, 0.64))]
    return paint.done(paint.ramp(lines, stops), lines, 0.01)


def cover(name: str, color: Color, gold: Color) -> bpy.types.Material:
    """Cloth of a book's cover, worn, with gilt bands."""
    paint = Coating(name)
    threads = paint.noise(70.0, 2.0)
    wear = paint.noise(4.0, 5.0)
    pale: Color = tuple(min(1.0, 2.2 * c + 0.06) for c in color)
    shade = paint.ramp(wear, [(0.35, color), (0.75, pale)])
    shade = paint.shade(shade, threads, (0.3, 0.65), 0.4, 0.7)
    along = paint.math("FRACT", paint.math("MULTIPLY", paint.part("X"), 3.1))
    bands = paint.ramp(along, [(0.0, (0,) * 3), (0.42, (1,) * 3), (0.5, (0,) * 3)])
    bands.node.color_ramp.interpolation = "CONSTANT"
    shade = paint.mix(paint.math("MULTIPLY", bands, wear), shade, gold)
    return paint.done(shade, threads, 0.005)
