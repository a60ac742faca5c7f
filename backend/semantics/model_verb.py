"""The verb `model`: what it can be told."""

from dataclasses import dataclass
from typing import Literal

from ..networks.registry import BY_NAME, PUBLISHED
from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What the verb can be told."""

    name: Literal[
        "DeepLabV3-MobileNetV2",
        "MobileSAM",
        "ViT-B-32",
        "ViT-B-16",
        "Depth-Anything-V2-Small",
        "Audio2Face-3D-Claire",
        "Audio2Face-3D-James",
        "Audio2Face-3D-Mark",
        "Silero-VAD",
        "wav2vec2-base-960h",
    ] = option("ViT-B-32", "which network; without --agree the verb says what it is")
    agree: bool = option(False, "yes to the download and its licence, which are named without this")


def _fetches(options: ModelOptions) -> str:
    model = BY_NAME[options.name]
    return f"{model.title} ({model.size}, {model.licence}) from huggingface.co"


VERB = Verb(
    name="model",
    title="Get a Model",
    options=ModelOptions,
    help="fetch a published network, for words, masks, segments, depth, speech or voices",
    description=(
        "--input is the folder to keep models in. Without --agree it only says what it would "
        "fetch. --output receives its path.\n"
        + "\n".join(
            f"{model.name}: {model.use} ({model.size}, {model.licence})." for model in PUBLISHED
        )
    ),
    example=(
        "python -m backend model --input ~/models --name MobileSAM --agree --output ~/models/record"
    ),
    run="semantics.model_job",
    reads_input=False,
    fetches=_fetches,
)
