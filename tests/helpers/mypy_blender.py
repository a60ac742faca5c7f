"""For mypy: Blender's types as they are where the add-on runs. A few causes, each mended once.

fake-bpy-module calls every pointer optional that Blender's reference does not call "never None". It
gives the kinds of a thing (modifiers, sockets, strips, an object's data) one class, without what is
of a kind alone. And it knows nothing of what the add-on registers.
"""

from collections.abc import Callable

from mypy.nodes import ARG_POS, Argument, Var
from mypy.plugin import AttributeContext, ClassDefContext, Plugin
from mypy.plugins.common import add_attribute_to_class, add_method_to_class
from mypy.types import AnyType, NoneType, Type, TypeOfAny, UnionType, get_proper_type

TYPES = "bpy.types."
# what is None now and then, and must be looked at before it is used
MAY_BE_NONE = {
    *("Context.object", "Context.active_object", "Scene.camera", "Object.parent"),
}
# only its `type` says what else it has
KINDS = {
    *("Modifier", "Node", "NodeSocket", "NodeTree", "NodeTreeInterfaceSocket", "Strip"),
    *("Attribute", "Property", "Space", "ActionStrip", "BlenderRNA"),
}
# what the stubs describe wrongly: arrays as a number, lists that depend on the machine as one name,
# an object's data as any of fourteen classes (which of them, the object's type says)
ANYTHING = {
    *("Object.data", "Image.pixels", "ID.id_data", "bpy_struct.id_data", "RenderSettings.engine"),
    *("ColorManagedViewSettings.view_transform", "ColorManagedInputColorspaceSettings.name"),
}
# what the add-on and Cycles register; no type, for properties are made by calls in annotations
REGISTERED = {
    "Scene": ("splatsmith", "cycles"),
    "Object": (
        *("splatsmith_objects", "splatsmith_object", "splatsmith_granularity"),
        *("splatsmith_filters", "splatsmith_crop"),
    ),
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


def _anything(_context: AttributeContext) -> Type:
    return _any()


def _describe(context: ClassDefContext) -> None:
    """Adds what the stubs leave out of a class."""
    name = context.cls.name
    for attribute in REGISTERED.get(name, ()):
        add_attribute_to_class(context.api, context.cls, attribute, _any())
    text = context.api.named_type("builtins.str")
    argument = Argument(Var("name", text), text, None, ARG_POS)
    if name == "ID":  # custom properties: "name" in object
        truth = context.api.named_type("builtins.bool")
        add_method_to_class(context.api, context.cls, "__contains__", [argument], truth)
    if name in KINDS:
        value = Argument(Var("value", _any()), _any(), None, ARG_POS)
        add_method_to_class(context.api, context.cls, "__getattr__", [argument], _any())
        add_method_to_class(context.api, context.cls, "__setattr__", [argument, value], NoneType())


class BlenderTypes(Plugin):
    """The hooks that mypy asks."""

    def get_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        if not fullname.startswith(TYPES):
            return None
        name = fullname.removeprefix(TYPES)
        if name in ANYTHING:
            return _anything
        return None if name in MAY_BE_NONE else _never_none

    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        return _describe if fullname == f"{TYPES}bpy_struct" else None


def plugin(_version: str) -> type[Plugin]:
    """What mypy looks for."""
    return BlenderTypes
