"""The registry: every verb, in the order in which the command line lists them. Standard library
only, so that the add-on can read it.
"""

from typing import Any

from .cameras import cameras_verb
from .dynamic_mesh import bones_verb, mesh_verb, register_verb
from .dynamic_mesh.still import surface_verb
from .protocol import InputError, Request
from .runtime import setup_verb
from .semantics import model_verb, segment_verb, select_verb
from .semantics.rendering import render_verb
from .splats import convert_verb, splats_verb
from .talking_head import face_verb, head_verb, shapes_verb, speech_verb, talk_verb
from .verb import Verb

MODULES = (
    cameras_verb,
    splats_verb,
    render_verb,
    convert_verb,
    segment_verb,
    select_verb,
    speech_verb,
    head_verb,
    shapes_verb,
    face_verb,
    talk_verb,
    mesh_verb,
    bones_verb,
    register_verb,
    surface_verb,
    model_verb,
    setup_verb,
)
VERBS: dict[str, Verb[Any]] = {module.VERB.name: module.VERB for module in MODULES}


def find_verb(name: object) -> Verb[Any]:
    """The verb of that name. Raises InputError, with the names that there are."""
    if not isinstance(name, str) or name not in VERBS:
        raise InputError(f"There is no verb {name!r}.", f"One of: {', '.join(VERBS)}.")
    return VERBS[name]


def read_request(text: str) -> Request[Any]:
    """A request from its JSON. Raises InputError for anything that is not one."""
    return Request.from_json(text, lambda verb, values: find_verb(verb).make_options(values))
