"""Loads the add-on from this checkout into the `bpy` module: for the demo and the tests."""

import os
import shutil
import tempfile
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
MODULE = "bl_ext.dev.splatsmith"


def load_addon(compute_python: str = "", user_folder: Path | None = None) -> ModuleType:
    """bpy with the add-on enabled, isolated from the user's own Blender settings.

    The checkout is shown to Blender as a local extension repository, through a link, since the
    folder's name must be the add-on's id.
    """
    user = user_folder or Path(tempfile.mkdtemp(prefix="splatsmith-blender-"))
    os.environ["BLENDER_USER_RESOURCES"] = str(user)
    repository = user / "dev"
    repository.mkdir(parents=True, exist_ok=True)
    link = repository / "splatsmith"
    if not link.exists():
        try:
            link.symlink_to(ROOT, target_is_directory=True)
        except OSError:  # Windows without the right to make links
            shutil.copytree(ROOT, link, ignore=shutil.ignore_patterns(".*", "out", "__pycache__"))
    import bpy  # first: it makes addon_utils importable

    import addon_utils  # isort: skip

    bpy.context.preferences.extensions.repos.new(
        name="dev", module="dev", custom_directory=str(repository), source="USER"
    )
    if addon_utils.enable(MODULE, default_set=True) is None:
        raise SystemExit("The add-on could not be enabled.")
    if compute_python:
        bpy.context.preferences.addons[MODULE].preferences.python = compute_python
        bpy.ops.splatsmith.compute_check()
    return bpy
