"""Names that type checkers know of Blender's types, and that cost nothing when it runs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Operator as OperatorMixin, Panel as PanelMixin

    OperatorResult = set[OperatorReturnItems]

    class _FileHelper(OperatorMixin):
        """What both are, in an operator's own terms; the stubs' have results of None."""

        filename_ext: str
        filepath: str

    class ExportHelper(_FileHelper):
        """bpy_extras' own when it runs."""

    class ImportHelper(_FileHelper):
        """bpy_extras' own when it runs."""
else:
    from bpy_extras.io_utils import ExportHelper, ImportHelper

    # what a mixin is mixed into: Blender must not take the mixin itself for an operator or a panel
    OperatorMixin = PanelMixin = object
    OperatorResult = set[str]

__all__ = ["ExportHelper", "ImportHelper", "OperatorMixin", "OperatorResult", "PanelMixin"]
