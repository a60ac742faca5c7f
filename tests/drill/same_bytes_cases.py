"""What `same_bytes` runs: every verb, as small as it does all that it can do. {NAME} is the folder
of an input (same_bytes_inputs.py), or what an earlier case has left.
"""

from dataclasses import dataclass

from helpers.places import DATA

TRACKER = DATA / "weights" / "mediapipe_face"


@dataclass(frozen=True)
class Case:
    """One command. `quick` ones are tests; the others are for `make drill` alone."""

    name: str
    verb: str
    source: str
    options: str = ""
    quick: bool = True

    @property
    def needs_tracker(self) -> bool:
        """Whether it can run only where the face tracker's networks are."""
        return "{tracker}" in self.options


SOLVE = "--preset fast --no-depth"
TRAIN = "--preset fast --steps 60 --max-splats 800 --max-pixels 3000"
SEGMENT = "--preset fast --capture {room}/capture --views 4 --side 96"
MESH = "--preset fast --steps 60 --side 32 --faces 300 --texture 32"

CASES = (
    Case("cameras", "cameras", "{steps}/walk.mp4", "--preset fast"),
    Case("cameras-12", "cameras", "{walk}/walk.mp4", "--preset fast", quick=False),
    Case("cameras-colmap", "cameras", "{walk}/walk.mp4", f"{SOLVE} --solver incremental",
         quick=False),
    Case("cameras-global", "cameras", "{walk}/walk.mp4", f"{SOLVE} --solver global", quick=False),
    Case("cameras-flowmap", "cameras", "{walk}/walk.mp4", f"{SOLVE} --solver flowmap",
         quick=False),
    Case("cameras-given", "cameras", "{capture}", SOLVE),
    Case("splats", "splats", "{capture}", TRAIN),
    Case("splats-corrected", "splats", "{capture}",
         f"{TRAIN} --refine-cameras --exposure --antialiased --holdout 3", quick=False),
    Case("render", "render", "{splats}/splats.ply", "--capture {capture} --video 12"),
    Case("convert", "convert", "{splats}/splats.ply", "--to splats.sog"),
    Case("segment", "segment", "{room}/splats.ply", SEGMENT),
    Case("segment-labels", "segment", "{room}/splats.ply", f"{SEGMENT} --regions {{room}}/regions",
         quick=False),
    Case("select", "select", "{segment}", "--objects 0"),
    Case("speech", "speech", "{line}/line.wav", "--transcript {line}/line.txt --fps 29.97"),
    Case("speech-heard", "speech", "{line}/line.wav", "--smoothing 0.1", quick=False),
    Case("head", "head", "small", "--variety 1.5"),
    Case("shapes", "shapes", "{person}/character.npz"),
    Case("face", "face", "{glance}/face.mp4",
         "--preset fast --tracker {tracker} --gaussians 0 --no-teach"),
    Case("face-learned", "face", "{film}/face.mp4",
         "--preset fast --tracker {tracker} --gaussians 300", quick=False),
    Case("talk", "talk", "{bust}", "--background plain --size 64"),
    Case("mesh", "mesh", "{blob}/blob", MESH),
    Case("mesh-free", "mesh", "{blob}/blob", "--mode free --preset fast --steps 40 --side 32",
         quick=False),
    Case("bones", "bones", "{mesh}/mesh.npz", "--bones 6"),
    Case("register", "register", "{mesh-free}/mesh_frames.npz", "--faces 300", quick=False),
    Case("surface", "surface", "{splats}/splats.ply",
         "--preset fast --detail 32 --views 8 --texture 64 --faces 500 --closed"),
    Case("model", "model", "{output}/models", "--agree"),
)  # fmt: skip
BY_NAME = {case.name: case for case in CASES}
NOT_RUN = {"setup": "needs the network, and what it leaves are other people's packages"}
