"""Names that type checkers know of Blender's types, and that cost nothing when it runs."""

from typing import TYPE_CHECKING, Any, TypeVar

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpy.stub_internal.rna_enums import IconItems as Icon, OperatorReturnItems
    from bpy.types import Operator as OperatorMixin, Panel as PanelMixin

    OperatorResult = set[OperatorReturnItems]
    Handler = TypeVar("Handler", bound=Callable[..., object])

    def persistent(handler: Handler) -> Handler:
        """Blender's own, which has no types."""
        return handler

    class _FileHelper(OperatorMixin):
        """What both are, in an operator's own terms; the stubs' have results of None."""

        filename_ext: str
        filepath: str

    class ExportHelper(_FileHelper):
        """bpy_extras' own when it runs."""

    class ImportHelper(_FileHelper):
        """bpy_extras' own when it runs."""
else:
    from bpy.app.handlers import persistent
    from bpy_extras.io_utils import ExportHelper, ImportHelper

    # what a mixin is mixed into: Blender must not take the mixin itself for an operator or a panel
    OperatorMixin = PanelMixin = object
    Icon, OperatorResult = str, set[str]

# with what is registered: the stubs know Blender's own operators only
OPERATORS: Any = bpy.ops

__all__ = [
    "OPERATORS",
    "ExportHelper",
    "Icon",
    "ImportHelper",
    "OperatorMixin",
    "OperatorResult",
    "PanelMixin",
    "persistent",
]
