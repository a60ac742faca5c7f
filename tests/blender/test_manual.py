"""Every operator is in a menu, where F3 finds it; every panel has its page of the manual."""

from typing import Any

import pytest

from .conftest import ROOT

DRAWN = {"render_splats"}  # twice, by name, as a still and as an animation


def test_every_operator_is_in_a_menu(bpy: Any, rooms: Any) -> None:
    menus = rooms("operators.menus")
    groups = [*menus.ENTRIES, *(group for each in menus.SUBMENUS.values() for group in each)]
    listed = [name for group in groups for name in group]
    names = [cls.bl_idname.partition(".")[2] for cls in rooms("operators").CLASSES]
    assert sorted([*listed, *menus.CHOICES, *DRAWN]) == sorted(names)


def test_choices_are_of_their_operators(bpy: Any, rooms: Any) -> None:
    for name, choice in rooms("operators.menus").CHOICES.items():
        properties = getattr(bpy.ops.splatsmith, name).get_rna_type().properties
        assert properties[choice].type == "ENUM"
        assert not properties[choice].is_enum_flag


def test_every_page_is_a_panels(bpy: Any, rooms: Any) -> None:
    pages = {getattr(panel, "help_page", "") for panel in rooms("ui").CLASSES} - {""}
    assert sorted({*pages, "0-compute"}) == list(rooms("operators.manual").PAGES)
    assert all((ROOT / "docs" / "panels" / f"{page}.md").is_file() for page in pages)


def test_help_is_read_in_blender_while_there_is_no_website(bpy: Any) -> None:
    assert bpy.ops.splatsmith.help(page="2-cameras") == {"FINISHED"}
    text = bpy.data.texts["Splatsmith Help"].as_string()
    assert text.startswith("# 2 Cameras\n")
    assert "![" not in text
    bpy.ops.splatsmith.help(page="1-source")
    assert bpy.data.texts["Splatsmith Help"].as_string().startswith("# 1 Source")


def test_help_goes_to_the_website(bpy: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = rooms("operators.manual")
    monkeypatch.setattr(pages, "website", lambda: "https://splats.example/manual")
    prefix, rows = pages.manual_map()
    assert prefix == "https://splats.example/manual/panels/"
    assert {row[1].partition(".")[0] for row in rows} == set(pages.PAGES)
    names = [cls.bl_idname.partition(".")[2] for cls in rooms("operators").CLASSES]
    for pattern, _ in rows[:-1]:
        start = pattern.removeprefix("bpy.ops.splatsmith.").rstrip("*")
        assert any(name.startswith(start) for name in names), pattern
