"""What stands on the table, and where."""

import math

import bpy
import numpy as np

from . import shapes, surfaces
from .shapes import Profile

APPLE: Profile = [
    (0.0, 0.04), (0.05, 0.02), (0.11, 0.0), (0.2, 0.05), (0.27, 0.18), (0.285, 0.3),
    (0.25, 0.41), (0.17, 0.47), (0.09, 0.46), (0.03, 0.41), (0.0, 0.39),
]  # fmt: skip
PEAR: Profile = [
    (0.0, 0.03), (0.08, 0.0), (0.19, 0.04), (0.27, 0.17), (0.27, 0.3), (0.2, 0.43),
    (0.13, 0.54), (0.1, 0.64), (0.06, 0.7), (0.0, 0.7),
]  # fmt: skip
LEMON: Profile = [
    (0.0, 0.0), (0.04, 0.01), (0.07, 0.04), (0.15, 0.1), (0.19, 0.22), (0.15, 0.34),
    (0.07, 0.4), (0.05, 0.44), (0.0, 0.455),
]  # fmt: skip
PUMPKIN: Profile = [
    (0.0, 0.06), (0.14, 0.02), (0.33, 0.03), (0.5, 0.16), (0.54, 0.32), (0.46, 0.48),
    (0.28, 0.56), (0.12, 0.53), (0.0, 0.49),
]  # fmt: skip
VASE: Profile = [
    (0.0, 0.0), (0.28, 0.0), (0.31, 0.03), (0.44, 0.3), (0.5, 0.6), (0.45, 0.9), (0.27, 1.16),
    (0.2, 1.3), (0.21, 1.42), (0.29, 1.5), (0.3, 1.54), (0.26, 1.54), (0.18, 1.42), (0.16, 1.25),
]  # fmt: skip
BOWL: Profile = [
    (0.0, 0.0), (0.24, 0.0), (0.27, 0.03), (0.26, 0.06), (0.45, 0.16), (0.62, 0.34), (0.66, 0.42),
    (0.64, 0.43), (0.59, 0.36), (0.42, 0.2), (0.2, 0.11), (0.0, 0.1),
]  # fmt: skip
STEM: Profile = [(0.0, 0.0), (0.02, 0.0), (0.016, 0.08), (0.018, 0.15), (0.026, 0.18), (0.0, 0.18)]


class StillLife:
    """Puts things into a scene."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self.scene = scene
        self.bark = surfaces.wood("Stem", (0.05, 0.03, 0.015), (0.2, 0.13, 0.06))

    def put(
        self,
        thing: bpy.types.Object,
        at: tuple[float, float, float],
        turn: tuple[float, float, float] = (0, 0, 0),
        size: float = 1.0,
    ) -> bpy.types.Object:
        thing.location, thing.scale = at, (size,) * 3
        thing.rotation_euler = tuple(math.radians(angle) for angle in turn)
        return thing

    def fruit(
        self,
        name: str,
        profile: Profile,
        material: bpy.types.Material,
        at: tuple[float, float, float],
        turn: tuple[float, float, float] = (0, 0, 0),
        size: float = 1.0,
        stem: float = 0.0,
        ribs: tuple[int, float] = (0, 0.0),
    ) -> None:
        """A fruit whose foot stands at a place; stem: its height in the fruit, 0 for none."""
        seed = sum(map(ord, name))
        body = shapes.lathe(self.scene, name, profile, material, ribs, 0.035, seed)
        self.put(body, at, turn, size)
        if stem:
            stick = shapes.lathe(self.scene, f"{name} Stem", STEM, self.bark)
            thick = 2.6 if ribs[0] else 1.0
            stick.parent, stick.location, stick.rotation_euler = body, (0, 0, stem), (0.2, 0.1, 0)
            stick.scale = (thick, thick, 1.1)

    def table(self) -> None:
        material = surfaces.wood("Table", (0.13, 0.06, 0.025), (0.5, 0.3, 0.15))
        random = np.random.default_rng(5)
        for number in range(13):
            plank = shapes.box(self.scene, f"Plank {number}", (13, 0.93, 0.2), material, 0.015)
            drop = -0.2 - random.uniform(0, 0.006)
            self.put(plank, (random.uniform(-1, 1), (number - 6) * 0.94, drop))

    def draped_bowl(self) -> None:
        cloth = surfaces.linen("Linen", (0.72, 0.66, 0.55), (0.05, 0.11, 0.24))
        drape = shapes.cloth(self.scene, "Cloth", (2.5, 1.9), (1.1, 0.9, 0.3), cloth)
        self.put(drape, (0.1, -0.35, 0), (0, 0, 24))
        clay = [(0.3, (0.05, 0.09, 0.1)), (0.5, (0.13, 0.22, 0.23)), (0.7, (0.3, 0.38, 0.36))]
        glaze = surfaces.stone("Glaze", clay, (0.02, 0.03, 0.035))
        bowl = shapes.lathe(self.scene, "Bowl", BOWL, glaze)
        self.put(bowl, (0.1, -0.35, 0.325))

    def fruits(self) -> None:
        red = [(0.1, (0.5, 0.42, 0.08)), (0.4, (0.45, 0.05, 0.03)), (0.95, (0.5, 0.1, 0.04))]
        apple = surfaces.fruit("Apple", red, (0.62, 0.4, 0.08), (0.75, 0.6, 0.35), 0.47)
        green = [(0.1, (0.3, 0.36, 0.05)), (0.5, (0.52, 0.5, 0.1)), (1.0, (0.36, 0.3, 0.06))]
        pear = surfaces.fruit("Pear", green, (0.5, 0.22, 0.06), (0.2, 0.12, 0.04), 0.7)
        yellow = [(0.1, (0.6, 0.4, 0.03)), (0.9, (0.78, 0.55, 0.06))]
        lemon = surfaces.fruit("Lemon", yellow, (0.7, 0.58, 0.12), (0.5, 0.36, 0.04), 0.45)
        orange = [(0.0, (0.4, 0.14, 0.02)), (0.5, (0.62, 0.24, 0.04)), (1.0, (0.5, 0.16, 0.03))]
        pumpkin = surfaces.fruit("Pumpkin", orange, (0.66, 0.36, 0.1), (0.7, 0.45, 0.2), 0.56)
        self.fruit("Apple A", APPLE, apple, (-0.17, -0.3, 0.54), (8, -14, 0), 0.95, 0.36)
        self.fruit("Apple B", APPLE, apple, (0.28, -0.1, 0.54), (-20, 16, 70), 0.95, 0.36)
        self.fruit("Pear A", PEAR, pear, (0.1, -0.56, 0.53), (10, 4, 20), 0.9, 0.66)
        self.fruit("Lemon A", LEMON, lemon, (0.36, -0.4, 0.8), (80, 0, 60), 0.85)
        self.fruit("Apple C", APPLE, apple, (1.28, -0.72, 0.0), (0, 0, 120), 1.0, 0.36)
        self.fruit("Pear B", PEAR, pear, (1.5, -0.2, 0.24), (86, 0, 60), 1.0, 0.66)
        self.fruit("Lemon B", LEMON, lemon, (-0.72, -1.32, 0.17), (86, 0, -35))
        self.fruit(
            "Pumpkin", PUMPKIN, pumpkin, (-1.28, -0.42, 0), (0, 0, 10), 0.95, 0.47, (9, 0.14)
        )

    def vase(self) -> None:
        earth = [(0.3, (0.15, 0.11, 0.08)), (0.5, (0.33, 0.26, 0.19)), (0.72, (0.52, 0.43, 0.32))]
        stone = surfaces.stone("Stone", earth, (0.1, 0.08, 0.07))
        self.put(shapes.lathe(self.scene, "Vase", VASE, stone), (-0.62, 0.72, 0))

    def books(self) -> None:
        paper, height = surfaces.pages("Pages"), 0.0
        covers = (((0.28, 0.06, 0.05), 1.2, 0.24, -8), ((0.06, 0.16, 0.12), 1.05, 0.19, 9),
                  ((0.45, 0.3, 0.1), 0.9, 0.15, -24))  # fmt: skip
        for number, (color, wide, thick, turn) in enumerate(covers):
            gold = (0.6, 0.42, 0.16)
            cover = surfaces.cover(f"Cover {number}", color, gold)
            self._book(f"Book {number}", (wide, wide * 0.7, thick), cover, paper, height, turn)
            height += thick

    def _book(
        self,
        name: str,
        size: tuple[float, float, float],
        cover: bpy.types.Material,
        paper: bpy.types.Material,
        height: float,
        turn: float,
    ) -> None:
        wide, deep, thick = size
        at = bpy.data.objects.new(name, None)
        self.scene.collection.objects.link(at)
        self.put(at, (0.95, 0.72, height), (0, 0, turn))
        board = 0.025
        parts = [
            ("Pages", (wide - 0.07, deep - 0.06, thick - 2 * board), paper, (0, 0.02, board)),
            ("Back", (wide, deep, board), cover, (0, 0, 0)),
            ("Front", (wide, deep, board), cover, (0, 0, thick - board)),
            ("Spine", (wide, board, thick), cover, (0, -deep / 2, 0)),
        ]
        for part, extent, material, place in parts:
            piece = shapes.box(self.scene, f"{name} {part}", extent, material, 0.008)
            piece.parent, piece.location = at, place


def arrange(scene: bpy.types.Scene) -> None:
    """Everything on the table, and the table."""
    life = StillLife(scene)
    for part in (life.table, life.draped_bowl, life.fruits, life.vase, life.books):
        part()
