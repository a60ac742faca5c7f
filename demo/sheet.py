"""The contact sheet that `make demo` ends with. Runs under the compute environment's Python.

python demo/sheet.py FOLDER sheet.png   # FOLDER as demo/views.py and demo/native.py leave it
"""

import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
KNOWN = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")  # formats
COLUMNS, GAP, LINE = 3, 12, 26
GROUND, INK = (24, 24, 26), (205, 205, 205)
SHOWN = [  # a file, its number the place in demo/views.py, and what is written under it
    ("photo.png", "Photo that training never saw"),
    ("splats/0001.png", "The splats, from there"),
    ("native.png", "Drawn by Blender 5.3 itself (Cycles)"),
    ("splats/0002.png", "From beyond the camera's path"),
    ("splats/0003.png", "From above"),
    ("objects/0001.png", "Objects that were found"),
]


def _render(folder: Path, name: str) -> None:
    """The splats of NAME.ply from every place, to the folder NAME."""
    command = [sys.executable, "-m", "backend", "render", "--input", str(folder / f"{name}.ply")]
    command += ["--capture", str(folder / "cameras"), "--output", str(folder / name)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)


def _on_ground(path: Path, size: tuple[int, int]) -> Image.Image:
    image = Image.open(path, formats=KNOWN).convert("RGBA")
    under = Image.new("RGBA", image.size, (*GROUND, 255))
    return Image.alpha_composite(under, image).convert("RGB").resize(size)


def compose(folder: Path, path: Path) -> None:
    """The pictures that are there, side by side, each with a line of text under it."""
    found = [(folder / name, text) for name, text in SHOWN if (folder / name).is_file()]
    width, height = Image.open(found[0][0], formats=KNOWN).size
    rows = -(-len(found) // COLUMNS)
    across, down = width + GAP, height + LINE + GAP
    sheet = Image.new("RGB", (COLUMNS * across + GAP, rows * down + GAP), GROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for number, (name, text) in enumerate(found):
        x, y = GAP + number % COLUMNS * across, GAP + number // COLUMNS * down
        sheet.paste(_on_ground(name, (width, height)), (x, y))
        draw.text((x + 2, y + height + 5), text, INK, font)
    sheet.save(path)


def main(folder: Path, path: Path) -> None:
    photo = Path((folder / "photo.txt").read_text(encoding="utf-8"))
    Image.open(photo, formats=KNOWN).save(folder / "photo.png")
    for name in ("splats", "objects"):
        _render(folder, name)
    compose(folder, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
