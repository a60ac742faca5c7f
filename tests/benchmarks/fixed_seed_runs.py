"""What `fixed_seed` runs: every verb, small, on the CPU, with a seed. Later runs take up what
earlier ones left; `{inputs}` and `{results}` stand for the two folders.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One command. Its result lies in `{results}/NAME`; `environment` is for this run alone."""

    name: str
    verb: str
    source: str
    options: str = ""
    seed: int = 7
    environment: tuple[tuple[str, str], ...] = ()


WALK, ROOM, FACE = "{inputs}/walk.mkv", "{inputs}/room/splats.ply", "{results}/face"
SEGMENT = "--preset fast --capture {inputs}/room/capture --views 6 --side 192"
SPLATS = "--preset fast --steps 240 --max-splats 3000 --max-pixels 20000"
MESH = "--preset fast --steps 300 --side 56"
TORCH = (("SPLATSMITH_KERNELS", "none"),)

RUNS = (
    Run("cameras", "cameras", WALK, "--preset fast"),
    Run("cameras-photos", "cameras", "{inputs}/photos", "--preset fast --solver global --no-depth"),
    Run("cameras-flowmap", "cameras", "{inputs}/photos", "--preset fast --solver flowmap"),
    Run("cameras-poses", "cameras", WALK, "--preset fast --poses {inputs}/poses.json"),
    Run("cameras-transforms", "cameras", "{inputs}/room/capture", "--preset fast"),
    Run("cameras-colmap", "cameras", "{results}/cameras/sparse/0", "--preset fast"),
    Run("splats", "splats", "{results}/cameras", SPLATS),
    Run("splats-corrected", "splats", "{results}/cameras-poses",
        f"{SPLATS} --refine-cameras --exposure --antialiased --holdout 3 --sh-degree 1"),
    Run("splats-torch", "splats", "{results}/cameras",
        "--preset fast --steps 12 --max-splats 500 --max-pixels 5000", 7, TORCH),
    Run("render", "render", "{results}/splats/splats.ply",
        "--capture {results}/cameras --video 12"),
    Run("convert", "convert", "{results}/splats/splats.ply", "--to splats.sog"),
    Run("render-white", "render", "{results}/splats-corrected/splats.ply",
        "--capture {results}/cameras --background white --scale 0.5 --antialiased"),
    Run("segment", "segment", "{results}/splats/splats.ply",
        "--preset fast --capture {results}/cameras --views 8 --side 160"),
    Run("segment-labels", "segment", ROOM, f"{SEGMENT} --regions {{inputs}}/room/regions"),
    Run("segment-words", "segment", ROOM, f"{SEGMENT} --model {{inputs}}/clip"),
    Run("select", "select", "{results}/segment-labels", "--objects 0,2"),
    Run("select-rest", "select", "{results}/segment", "--objects 1 --rest --no-plain"),
    Run("select-words", "select", "{results}/segment-words",
        "--prompt lamp,light;rug;bed --threshold 0.05"),
    Run("head", "head", "small"),
    Run("head-varied", "head", "small", "--variety 1.5"),
    Run("shapes", "shapes", "{inputs}/character.npz"),
    Run("speech", "speech", "{inputs}/line.wav", "--transcript {inputs}/line.txt --fps 29.97"),
    Run("speech-heard", "speech", "{inputs}/line.wav", "--smoothing 0.1 --lead 40 --jaw 1.2"),
    Run("face", "face", "{inputs}/face.mp4", "--preset fast --tracker {tracker} --gaussians 500"),
    Run("speech-speaker", "speech", "{inputs}/line.wav",
        f"--speaker {FACE}/speaker.safetensors --transcript {{inputs}}/line.txt"),
    Run("talk", "talk", FACE),
    Run("talk-plain", "talk", FACE,
        "--motion {results}/speech-speaker/motion.npz --background plain --size 96"),
    Run("mesh", "mesh", "{inputs}/blob", f"{MESH} --faces 800 --texture 64"),
    Run("mesh-masks", "mesh", "{inputs}/blob_plain",
        f"{MESH} --masks {{inputs}}/blob_masks --faces 500 --texture 64 --holdout 5"),
    Run("mesh-free", "mesh", "{inputs}/blob", "--mode free --preset fast --steps 150 --side 56"),
    Run("bones", "bones", "{results}/mesh/mesh.npz", "--bones 8"),
    Run("register", "register", "{results}/mesh-free/mesh_frames.npz", "--faces 800"),
    Run("surface", "surface", "{results}/splats/splats.ply",
        "--preset fast --capture {results}/cameras --detail 64 --views 12 --texture 128"),
    Run("model", "model", "{results}/model/models", "--agree", 7, (("HF_ENDPOINT", "{hub}"),)),
)  # fmt: skip
NOT_RUN = {"setup": "not run: it needs the network, and what it leaves are other people's packages"}

# The words service answers the same prompts as `select`, line by line.
QUESTIONS = (
    {"id": 1, "folder": "{results}/segment-words", "prompt": "lamp, light; rug -floor"},
    {"id": 2, "folder": "{results}/segment-words", "prompt": "bed; table; cabinet"},
    {"id": 3, "folder": "{results}/segment-words", "prompt": " ;"},
)

# Run as `python -c` in the checkout: the kernels' image and gradients, forward and backward.
RASTERIZER = """
import hashlib, json, torch
from backend.gaussians import kernels
from backend.gaussians.options import Drawables, RasterOptions, RasterView

native, found = kernels.Kernels.load(), {}
assert native is not None, "the CPU kernels are not installed"
random = torch.Generator().manual_seed(7)
def rand(*shape): return torch.rand(*shape, generator=random)
def randn(*shape): return torch.randn(*shape, generator=random)
for mode in ("classic", "antialiased"):
    for degree in (None, 3):
        n, viewmat = 4000, torch.eye(4)
        viewmat[:3, 3] = torch.tensor([-0.1, 0.05, 3.0])
        arrays = {
            "means": rand(n, 3) * 2 - 1, "quats": randn(n, 4),
            "scales": (randn(n, 3) * 0.6 - 3.2).exp(),
            "opacities": rand(n).clamp(0.02, 0.995),
            "colors": rand(n, 3) if degree is None else randn(n, 16, 3) * 0.3,
        }
        arrays = {k: v.requires_grad_(True) for k, v in arrays.items()}
        viewmat.requires_grad_(True)
        K = torch.tensor([[150.0, 0, 93.7], [0, 152.0, 60.4], [0, 0, 1]])
        background = torch.tensor([0.2, 0.5, 0.9])
        view = RasterView(
            viewmat=viewmat, K=K, width=190, height=121, sh_degree=degree, background=background
        )
        options = RasterOptions(rasterize_mode=mode)
        drawn = kernels.rasterize_view(native, Drawables(**arrays), view, True, options)
        image, alpha = drawn[:2]
        ((image * randn(*image.shape)).sum() + (alpha * randn(*alpha.shape)).sum()).backward()
        named = dict(zip(("image", "alpha", "means2d", "radii", "depths"), drawn))
        named |= {f"gradient of {k}": v.grad for k, v in (*arrays.items(), ("viewmat", viewmat))}
        for name, tensor in named.items():
            data = tensor.detach().contiguous().numpy().tobytes()
            found[f"{mode}, degree {degree}: {name}"] = hashlib.sha256(data).hexdigest()
print(json.dumps({"variant": native.library.variant, "hashes": found}))
"""
