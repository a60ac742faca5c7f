"""The verb `model`: what it can be told."""

from dataclasses import dataclass
from typing import Literal

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What the verb can be told."""

    name: Literal["ViT-B-32", "ViT-B-16"] = option(
        "ViT-B-32", "which CLIP model: the quick one, or the finer one for graphics cards"
    )
    agree: bool = option(False, "yes to the download and its licence, which are named without this")


def _fetches(options: ModelOptions) -> str:
    return f"the CLIP model {options.name} (about 600 MB, MIT licence) from huggingface.co"


VERB = Verb(
    name="model",
    title="Download Model",
    options=ModelOptions,
    help="fetch a CLIP model, which words need",
    description=(
        "--input is the folder to keep models in. Without --agree it only says what it would "
        "fetch. --output receives its path."
    ),
    example=(
        "python -m backend model --input ~/models --name ViT-B-32 --agree --output ~/models/record"
    ),
    run="semantics.model_job",
    reads_input=False,
    fetches=_fetches,
)
