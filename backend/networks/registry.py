"""Published networks that the verb `model` fetches for who agrees: what for, from where, how large,
under which licence. Standard library only.

Sizes are those that the hub shows (of Audio2Face-3D's Claire and James as their arrays' shapes
say); what really comes, and its checksum, the server says at download. EdgeSAM is not listed: its
licence (S-Lab 1.0) is for non-commercial use only. Its files work where a SAM's do.
"""

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["words", "masks", "segments", "depth", "voice", "speech", "face"]
HUB = "https://huggingface.co"  # HF_ENDPOINT names another


@dataclass(frozen=True, kw_only=True)
class PublishedModel:
    """A network on the hub. Size and licence are what the user agrees to."""

    name: str  # for the command line, and of its folder
    title: str
    purpose: Purpose
    use: str  # a sentence about it, without a full stop
    repository: str
    files: tuple[str, ...]  # by their paths there; they lie side by side here
    megabytes: float  # of a million bytes
    licence: str
    by: str

    @property
    def page(self) -> str:
        """Where people can read about it."""
        return f"{HUB}/{self.repository}"

    @property
    def size(self) -> str:
        """For people."""
        return f"{self.megabytes:.0f} MB"


# what each purpose is for, and the option that takes its folder
PURPOSES: dict[Purpose, tuple[str, str]] = {
    "segments": ("Objects by what they show, quickly", "segment --segmenter"),
    "masks": ("Objects by their outlines, and select by clicking", "segment --sam"),
    "words": ("Selecting by words", "segment --model"),
    "depth": ("Depth of single pictures, for cameras by FlowMap", "cameras --depth-model"),
    "speech": ("What is said, so that lips close exactly", "speech --sound-model"),
    "face": ("A whole face by ear, with an emotion", "speech --audio2face"),
    "voice": ("Speech told from music and noise", "speech --voice-model"),
}
_CLIP = ("open_clip_config.json", "open_clip_model.safetensors")
_FACE = (
    *("network.onnx", "network_info.json", "model_config.json", "model_data.npz"),
    *("implicit_emo_db.npz", "bs_skin.npz", "bs_skin_config.json"),
    *("bs_tongue.npz", "bs_tongue_config.json"),
)
NVIDIA = "NVIDIA Open Model License"
PUBLISHED = (
    PublishedModel(
        name="DeepLabV3-MobileNetV2",
        title="DeepLabV3 MobileNetV2",
        purpose="segments",
        use="Tells 20 kinds of things (people, animals, vehicles, furniture) from the rest",
        repository="ketiswp/google-coral-DeepLabV3-MobileNetV2-1.0-PascalVOC-fp32-onnx",
        files=("model.onnx",),
        megabytes=8.4,
        licence="Apache-2.0",
        by="Google, trained on Pascal VOC; ONNX by KETI",
    ),
    PublishedModel(
        name="MobileSAM",
        title="MobileSAM",
        purpose="masks",
        use="Outlines anything, on a click or all over a picture",
        repository="Acly/MobileSAM",
        files=("mobile_sam_image_encoder.onnx", "sam_mask_decoder_multi.onnx"),
        megabytes=44.7,
        licence="Apache-2.0 (the export: MIT)",
        by="Zhang et al., distilled from Meta's SAM; ONNX by Acly",
    ),
    PublishedModel(
        name="ViT-B-32",
        title="CLIP ViT-B/32",
        purpose="words",
        use="The quick one: right for processors",
        repository="laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        files=_CLIP,
        megabytes=605,
        licence="MIT",
        by="LAION, trained on LAION-2B",
    ),
    PublishedModel(
        name="ViT-B-16",
        title="CLIP ViT-B/16",
        purpose="words",
        use="Finer, four times the work: right for graphics cards",
        repository="laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
        files=_CLIP,
        megabytes=599,
        licence="MIT",
        by="LAION, trained on LAION-2B",
    ),
    PublishedModel(
        name="Depth-Anything-V2-Small",
        title="Depth Anything V2 Small",
        purpose="depth",
        use="How far everything in a picture is, up to scale",
        repository="onnx-community/depth-anything-v2-small",
        files=("onnx/model.onnx", "preprocessor_config.json"),
        megabytes=99.1,
        licence="Apache-2.0",
        by="Yang et al.; ONNX by the ONNX Community",
    ),
    PublishedModel(
        name="wav2vec2-base-960h",
        title="wav2vec 2.0 base",
        purpose="speech",
        use="Hears what is said in English, letter by letter",
        repository="Xenova/wav2vec2-base-960h",
        files=("onnx/model.onnx", "vocab.json"),
        megabytes=377.9,
        licence="Apache-2.0",
        by="Baevski et al., trained on LibriSpeech; ONNX by Xenova",
    ),
    PublishedModel(
        name="Audio2Face-3D-Claire",
        title="Audio2Face-3D v2.3.1, Claire",
        purpose="face",
        use="Moves the whole face as Claire would, in any of ten emotions",
        repository="nvidia/Audio2Face-3D-v2.3.1-Claire",
        files=_FACE,
        megabytes=313,
        licence=NVIDIA,
        by="NVIDIA",
    ),
    PublishedModel(
        name="Audio2Face-3D-James",
        title="Audio2Face-3D v2.3.1, James",
        purpose="face",
        use="Moves the whole face as James would, in any of ten emotions",
        repository="nvidia/Audio2Face-3D-v2.3.1-James",
        files=_FACE,
        megabytes=313,
        licence=NVIDIA,
        by="NVIDIA",
    ),
    PublishedModel(
        name="Audio2Face-3D-Mark",
        title="Audio2Face-3D v2.3, Mark",
        purpose="face",
        use="Moves the whole face as Mark would, in any of ten emotions; the smallest network",
        repository="nvidia/Audio2Face-3D-v2.3-Mark",
        files=_FACE,
        megabytes=327,
        licence=NVIDIA,
        by="NVIDIA",
    ),
    PublishedModel(
        name="Silero-VAD",
        title="Silero VAD",
        purpose="voice",
        use="Hears whether somebody speaks, in any language",
        repository="onnx-community/silero-vad",
        files=("onnx/model.onnx",),
        megabytes=2.2,
        licence="MIT",
        by="Silero Team; ONNX by the ONNX Community",
    ),
)
BY_NAME = {model.name: model for model in PUBLISHED}
