"""For mypy: Blender's types as they are where the add-on runs. A few causes, each mended once.

fake-bpy-module calls every pointer optional that Blender's reference does not call "never None", and
gives the kinds of a thing (modifiers, sockets, strips, an object's data) one class without what is of
a kind alone. It knows nothing of what the add-on registers either.
"""

from collections.abc import Callable

from mypy.nodes import ARG_POS, Argument, TypeInfo, Var
from mypy.plugin import AttributeContext, ClassDefContext, Plugin
from mypy.plugins.common import add_attribute_to_class, add_method_to_class
from mypy.types import AnyType, Instance, NoneType, Type, TypeOfAny, UnionType, get_proper_type

TYPES = "bpy.types."
# what is None now and then, and must be looked at before it is used
MAY_BE_NONE = {
    *("Context.object", "Context.active_object", "Context.area"),
    *("Scene.camera", "Scene.sequence_editor", "SequenceEditor.active_strip"),
    *("Object.parent", "LayerObjects.active", "Mask.parent", "Action.users"),
}
# only its `type` says what else it has
KINDS = {"Modifier", "Node", "NodeSocket", "NodeTree", "Strip", "Attribute", "Property", "Space"}
# what the add-on registers, and the module and class that describe it
SETTINGS = {
    "Scene": {"splatsmith": "properties.scene_properties.SplatsmithSettings", "cycles": ""},
    "Object": {"splatsmith_objects": "", "splatsmith_object": ""},
}


def _any() -> AnyType:
    return AnyType(TypeOfAny.special_form)


def _never_none(context: AttributeContext) -> Type:
    """The attribute's type without None."""
    kind = get_proper_type(context.default_attr_type)
    if not isinstance(kind, UnionType):
        return kind
    items = [item for item in kind.items if not isinstance(get_proper_type(item), NoneType)]
    return UnionType.make_union(items)


def _data(_context: AttributeContext) -> Type:
    """An object's data: which of the fourteen classes it is, the object's type says."""
    return _any()


def _describe(context: ClassDefContext) -> None:
    """Adds what the stubs leave out of a class."""
    name = context.cls.name
    for attribute in SETTINGS.get(name, {}):
        add_attribute_to_class(context.api, context.cls, attribute, _any())
    if name in KINDS:
        text = context.api.named_type("builtins.str")
        argument = Argument(Var("name", text), text, None, ARG_POS)
        value = Argument(Var("value", _any()), _any(), None, ARG_POS)
        add_method_to_class(context.api, context.cls, "__getattr__", [argument], _any())
        add_method_to_class(context.api, context.cls, "__setattr__", [argument, value], NoneType())


class BlenderTypes(Plugin):
    """The hooks that mypy asks."""

    def get_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        if not fullname.startswith(TYPES):
            return None
        name = fullname.removeprefix(TYPES)
        if name == "Object.data":
            return _data
        return None if name in MAY_BE_NONE else _never_none

    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        return _describe if fullname == f"{TYPES}bpy_struct" else None


def plugin(_version: str) -> type[Plugin]:
    """What mypy looks for."""
    return BlenderTypes
