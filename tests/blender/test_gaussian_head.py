"""Gaussians that ride on a head's mesh: where Blender's nodes put them, against the same formulas
in numpy.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

CM = 0.01


def grid_head(random: np.random.Generator) -> Any:
    """A bulging grid of 5 x 5 vertices with two shapes: what a head file holds."""
    from backend.formats.head_file import Head

    x, y = (g.ravel() for g in np.meshgrid(np.arange(5.0), np.arange(5.0)))
    vertices = np.stack([x, y, 4 - 0.2 * (x - 2) ** 2], 1).astype(np.float32)
    faces = np.array(
        [
            [r * 5 + c, r * 5 + c + 1, r * 5 + c + 6, r * 5 + c + 5]
            for r in range(4)
            for c in range(4)
        ],
        np.int32,
    )
    shapes = random.normal(size=(2, 25, 3)).astype(np.float16).astype(np.float32) * 0.5
    return Head(
        name="grid",
        vertices=vertices,
        faces=faces,
        names=["jawOpen", "mouthPucker"],
        shapes=shapes,
        colors=np.full((25, 3), 0.6, np.float32),
        lowest=np.zeros(2, np.float32),
    )


def gaussians_on(head: Any, random: np.random.Generator, count: int = 40, modes: int = 2) -> Any:
    from backend.formats.gaussian_head_file import GaussianHead

    faces = head.faces[random.integers(0, len(head.faces), count)]
    corners = faces[:, :3].astype(np.int32)

    def values(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (random.normal(size=shape) * scale).astype(np.float16).astype(np.float32)

    quats = values(count, 4)
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    sizes, sh = frames(head.vertices, corners)[2].astype(np.float32), values(count, 4, 3, scale=0.3)
    return GaussianHead(
        corners=corners,
        rest_sizes=sizes,
        means=values(count, 3, scale=0.2),
        quats=quats,
        scales=np.abs(values(count, 3, scale=0.1)) + np.float32(0.01),
        opacities=np.full(count, 0.75, np.float32),
        sh=sh,
        mean_shapes=values(modes, count, 3, scale=0.1),
        color_shapes=values(modes, count, 3, scale=0.1),
        latent_weights=values(modes, 2, scale=1.0),
        latent_bias=values(modes, scale=0.5),
    )


def frames(vertices: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b, c = (vertices[corners[:, k]].astype(np.float64) for k in range(3))
    along = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
    normal = np.cross(along, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    across = np.cross(along, normal)
    size = (np.linalg.norm(b - a, axis=1) + np.abs((across * (c - a)).sum(1))) / 2
    return (a + b + c) / 3, np.stack([along, normal, across], 2), size


def matrix(quats: np.ndarray) -> np.ndarray:
    w, x, y, z = quats.T
    rows = [
        1 - 2 * (y * y + z * z),
        2 * (x * y - w * z),
        2 * (x * z + w * y),
        2 * (x * y + w * z),
        1 - 2 * (x * x + z * z),
        2 * (y * z - w * x),
        2 * (x * z - w * y),
        2 * (y * z + w * x),
        1 - 2 * (x * x + y * y),
    ]
    return np.stack(rows, 1).reshape(-1, 3, 3)


def expected(head: Any, found: Any, coefficients: np.ndarray) -> dict[str, np.ndarray]:
    """Means (N, 3), covariances (N, 3, 3) and colours (N, 3), in Blender's axes and metres."""
    origins, rotations, sizes = frames(
        head.vertices + np.tensordot(coefficients, head.shapes, 1), found.corners
    )
    mixed = np.tanh(found.latent_weights @ coefficients + found.latent_bias) - np.tanh(
        found.latent_bias
    )
    grown = (sizes / found.rest_sizes)[:, None]
    local = found.means + np.tensordot(mixed, found.mean_shapes, 1)
    means = origins + np.einsum("nij,nj->ni", rotations, local) * grown
    axes = rotations @ matrix(found.quats) * (found.scales * grown)[:, None]
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]) * CM
    axes = turn @ axes
    color = found.sh[:, 0] * 0.28209479177387814 + 0.5 + np.tensordot(mixed, found.color_shapes, 1)
    return {"means": means @ turn.T, "covariances": axes @ axes.transpose(0, 2, 1), "color": color}


@pytest.fixture
def folder(bpy: Any, tmp_path: Path) -> tuple[Path, Any, Any]:
    from backend.formats import gaussian_head_file, head_file

    random = np.random.default_rng(3)
    head = grid_head(random)
    found = gaussians_on(head, random)
    head_file.write(tmp_path / head_file.NAME, head)
    gaussian_head_file.write(tmp_path / gaussian_head_file.NAME, found)
    return (
        tmp_path,
        head_file.read(tmp_path / head_file.NAME),
        gaussian_head_file.read(tmp_path / gaussian_head_file.NAME, 25, 2),
    )


def shown(bpy: Any, rooms: Any, cloud: Any) -> dict[str, np.ndarray]:
    pointclouds, data = (
        rooms("scene.splats.pointclouds"),
        cloud.evaluated_get(bpy.context.evaluated_depsgraph_get()).data,
    )
    quats, scale = (
        pointclouds.read_attribute(data, "rotation", 4),
        pointclouds.read_attribute(data, "scale", 3),
    )
    axes = matrix(quats.astype(np.float64)) * scale[:, None]
    return {
        "means": pointclouds.read_attribute(data, "position", 3),
        "covariances": axes @ axes.transpose(0, 2, 1),
        "color": pointclouds.read_attribute(data, "head_color", 3),
        "linear": pointclouds.read_attribute(data, "splat_color", 4),
        "base": pointclouds.read_attribute(data, "radiance:base", 4),
    }


@pytest.mark.parametrize("coefficients", [(0.0, 0.0), (0.8, 0.1), (0.3, 1.0)])
def test_gaussians_follow_the_shape_keys(
    bpy: Any, rooms: Any, folder: Any, coefficients: tuple[float, float]
) -> None:
    path, head, found = folder
    rooms("scene.results").import_head(bpy.context, path, "Grid")
    mesh, cloud = bpy.data.objects["Grid Head"], bpy.data.objects["Grid Head Gaussians"]
    for name, value in zip(head.names, coefficients, strict=True):
        mesh.data.shape_keys.key_blocks[name].value = value
    bpy.context.view_layer.update()
    wanted, seen = expected(head, found, np.array(coefficients)), shown(bpy, rooms, cloud)
    assert np.abs(seen["means"] - wanted["means"]).max() < 1e-5
    assert (
        np.abs(seen["covariances"] - wanted["covariances"]).max()
        < 2e-2 * np.abs(wanted["covariances"]).max()
    )
    assert np.abs(seen["color"] - wanted["color"]).max() < 5e-3
    linear = rooms("scene.splats.radiance").srgb_to_linear(
        wanted["color"].astype(np.float32).clip(0, None)
    )
    assert np.abs(seen["linear"][:, :3] - linear).max() < 1e-2
    assert np.allclose(seen["linear"][:, 3], 0.75, atol=1e-3)
    if rooms("scene.splats.native").is_native(cloud):
        rgb = seen["base"][:, :3] * 0.28209479177387814 + 0.5
        assert np.abs(rgb - wanted["color"]).max() < 5e-3, "what Blender itself draws"
        assert np.allclose(seen["base"][:, 3], 0.75, atol=1e-3)


def test_what_is_invented_fades_by_a_slider(bpy: Any, rooms: Any, folder: Any) -> None:
    """And only that; a head of an earlier version has nothing that would."""
    from dataclasses import replace

    from backend.formats import gaussian_head_file

    path, _head, found = folder
    invented = np.where(np.arange(len(found.means)) % 2, 1.0, 0.0).astype(np.float32)
    for told, factor in ((invented, 1 - invented * 0.75), (None, np.ones(len(invented)))):
        filmed = np.array([-12.0, 15.0], np.float32)
        changed = replace(found, invented=told, yaw_range=filmed)
        gaussian_head_file.write(path / gaussian_head_file.NAME, changed)
        mesh = rooms("scene.results").import_head(bpy.context, path, "Grid")
        cloud = mesh.children[0]
        whole = shown(bpy, rooms, cloud)
        owner, name = rooms("scene.faces.gaussian_head").slider(mesh)
        if name.startswith("["):
            owner[name[2:-2]] = 0.25
        else:
            setattr(owner, name, 0.25)
        cloud.update_tag()
        bpy.context.view_layer.update()
        faded = shown(bpy, rooms, cloud)
        ratio = np.trace(faded["covariances"], axis1=1, axis2=2)
        ratio = ratio / np.trace(whole["covariances"], axis1=1, axis2=2)
        np.testing.assert_allclose(np.sqrt(ratio), factor, atol=1e-3)
        np.testing.assert_allclose(faded["linear"][:, 3], whole["linear"][:, 3] * factor, atol=1e-3)
        assert list(mesh["splatsmith_filmed"]) == [-12.0, 15.0]
        said = _panel(bpy, rooms, mesh)
        assert said == ["Filmed from -12° to 15°", "Invented"]


def _panel(bpy: Any, rooms: Any, mesh: Any) -> list[str]:
    """What the panel says of a person's head."""
    said: list[str] = []

    class Layout:
        def label(self, text: str, icon: str) -> None:
            said.append(text)

        def prop(self, owner: Any, name: str, text: str, slider: bool) -> None:
            assert name.startswith("[") or hasattr(owner, name)
            said.append(text)

    mesh[rooms("scene.results").PERSON] = "folder"
    bpy.context.view_layer.objects.active = mesh
    rooms("ui.talking_panel")._whole_head(Layout(), bpy.context)
    return said


def test_shoulders_stay_while_the_head_turns(bpy: Any, rooms: Any, folder: Any) -> None:
    from dataclasses import replace

    from backend.formats import head_file

    path, head, found = folder
    head_file.write(path / head_file.NAME, replace(head, names=["neckLeft", "neckDown"]))
    mesh = rooms("scene.results").import_head(bpy.context, path, "Grid")
    keys = mesh.data.shape_keys.key_blocks
    for axis, angle, name in ((2, 0.25, "neckLeft"), (0, 0.5, "neckDown"), (2, -0.3, "")):
        mesh.delta_rotation_euler = [0, 0, 0]
        mesh.delta_rotation_euler[axis] = angle
        bpy.context.view_layer.update()
        for each in ("neckLeft", "neckDown"):
            wanted = abs(angle) / 0.5 if each == name else 0.0
            assert keys[each].value == pytest.approx(wanted, abs=1e-4), (each, axis, angle)
    assert len(found.means) == len(mesh.children[0].data.points)


def test_gaussians_follow_in_playback_and_say_that_they_are_synthetic(
    bpy: Any, rooms: Any, folder: Any
) -> None:
    path, head, found = folder
    rooms("scene.results").import_head(bpy.context, path, "Grid")
    mesh, cloud = bpy.data.objects["Grid Head"], bpy.data.objects["Grid Head Gaussians"]
    block = mesh.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.0), (11, 1.0)):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    changes = rooms("scene.viewport.splat_changes")
    bpy.context.scene.frame_set(11)
    before = changes.key(cloud)
    assert (
        np.abs(
            shown(bpy, rooms, cloud)["means"] - expected(head, found, np.array([1.0, 0.0]))["means"]
        ).max()
        < 1e-5
    )
    bpy.context.scene.frame_set(6)
    if changes.on_frame in bpy.app.handlers.frame_change_post:
        assert changes.key(cloud) != before, "the overlay must draw it anew"
    half = block.value
    assert 0.2 < half < 0.8
    assert (
        np.abs(
            shown(bpy, rooms, cloud)["means"]
            - expected(head, found, np.array([half, 0.0]))["means"]
        ).max()
        < 1e-5
    )
    assert "Synthetic" in bpy.context.scene.render.stamp_note_text
    assert bpy.context.scene.render.use_stamp_note


def test_a_head_that_does_not_belong_is_refused(bpy: Any, rooms: Any, folder: Any) -> None:
    from backend.formats import head_file
    from backend.formats.head_file import Head

    path, head, _ = folder
    head_file.write(
        path / head_file.NAME,
        Head(
            name="half",
            vertices=head.vertices[:20],
            faces=head.faces[:12],
            names=head.names,
            shapes=head.shapes[:, :20],
            colors=head.colors[:20],
            lowest=head.lowest,
        ),
    )
    count = len(bpy.data.objects)
    with pytest.raises(rooms("scene.mesh_results").InputError, match="belongs to another"):
        rooms("scene.results").import_head(bpy.context, path, "Grid")
    assert len(bpy.data.objects) == count


def test_people_keep_their_own_motion(bpy: Any, rooms: Any, folder: Any) -> None:
    """Two people in one file, and splats that are taken away are those that are seen."""
    from backend.formats import motion_file
    from backend.formats.motion_file import Curve, Motion

    path, head, found = folder
    at = np.arange(10, dtype=np.float32)
    motion_file.write(
        path / motion_file.NAME,
        Motion(24.0, 9.0, [Curve("jawOpen", "speech", at, np.float32(0.1) * at)], ""),
    )
    bpy.context.scene.splatsmith.face_targets.clear()
    results = rooms("scene.results")
    results.import_face(bpy.context, path, "Ann", 1)
    results.import_face(bpy.context, path, "Ben", 50)
    tracks = [
        bpy.data.objects[f"{name} Head"].data.shape_keys.animation_data.nla_tracks
        for name in ("Ann", "Ben")
    ]
    assert [[round(strip.frame_start) for strip in track[0].strips] for track in tracks] == [
        [1],
        [50],
    ]
    bpy.context.scene.frame_set(59)
    cloud = bpy.data.objects["Ben Head Gaussians"]
    bpy.context.view_layer.objects.active = cloud
    assert results.person(bpy.context).name == "Ben Head"
    with pytest.raises(RuntimeError, match="There is no file"):  # this folder has no footage
        bpy.ops.splatsmith.talk_video()
    assert (
        np.abs(
            rooms("scene.splats.splats").read(cloud).means
            - expected(head, found, np.array([0.9, 0.0]))["means"]
        ).max()
        < 1e-5
    )


def test_a_damaged_motion_leaves_nothing_behind(bpy: Any, rooms: Any, folder: Any) -> None:
    (folder[0] / "motion.npz").write_bytes(b"nothing")
    count = len(bpy.data.objects)
    with pytest.raises(RuntimeError, match="not a motion"):
        bpy.ops.splatsmith.import_head(directory=str(folder[0]))
    assert len(bpy.data.objects) == count
