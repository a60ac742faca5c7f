"""*Get a Model*: every published network with what it is for, its size and its licence; and where
a fetched one goes.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from backend.networks.registry import PUBLISHED, PURPOSES
from backend.protocol import Request
from backend.semantics.model_verb import ModelOptions


class Column:
    """Keeps what is written into it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.offered: list[str] = []

    def label(self, text: str, icon: str = "") -> None:
        self.texts.append(text)

    def prop_enum(self, _data: object, _name: str, value: str) -> None:
        self.offered.append(value)

    def separator(self) -> None:
        pass


def test_all_models_are_offered_with_size_and_licence(bpy: Any, rooms: Any) -> None:
    offered = bpy.ops.splatsmith.get_model.get_rna_type().properties["name"].enum_items
    assert [item.identifier for item in offered] == [model.name for model in PUBLISHED]
    for item, model in zip(offered, PUBLISHED, strict=True):
        assert model.size in item.name and model.licence in item.description
        assert PURPOSES[model.purpose][0] in item.description


def test_the_question_says_what_is_agreed_to(bpy: Any, rooms: Any) -> None:
    draw = rooms("operators.get_model").draw_models
    for model in PUBLISHED:
        column = Column()
        draw(column, SimpleNamespace(name=model.name))
        text = "\n".join(column.texts)
        assert sorted(column.offered) == sorted(m.name for m in PUBLISHED)
        for part in (model.size, model.licence, model.use, model.by, model.page):
            assert part in text
        assert all(purpose in text for purpose, _ in PURPOSES.values())


def test_a_fetched_model_goes_where_it_is_used(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    settings = bpy.context.scene.splatsmith
    assert set(rooms("scene.importers").MODEL_USES) == set(PURPOSES)
    for model, name in (
        ("MobileSAM", "sam"),
        ("DeepLabV3-MobileNetV2", "segmenter"),
        ("ViT-B-32", "clip_model"),
        ("Depth-Anything-V2-Small", "depth_model"),
        ("Audio2Face-3D-Claire", "audio2face"),
    ):
        purpose = next(m.purpose for m in PUBLISHED if m.name == model)
        folder = tmp_path / model
        folder.mkdir()
        record = {"model": str(folder), "name": model, "purpose": purpose}
        (folder / "model.json").write_text(json.dumps(record))
        request = Request(verb="model", input=str(tmp_path), options=ModelOptions())
        line = rooms("scene.importers").import_result(bpy.context, request, folder)
        assert line and getattr(settings, name) == str(folder)


def test_emotions_are_the_published_ones(bpy: Any) -> None:
    """Under the names by which the networks know them."""
    settings = bpy.context.scene.splatsmith
    offered = [item.identifier for item in settings.bl_rna.properties["emotion"].enum_items]
    assert offered == [
        "neutral",
        "amazement",
        "anger",
        "cheekiness",
        "disgust",
        "fear",
        "grief",
        "joy",
        "outofbreath",
        "pain",
        "sadness",
    ]
