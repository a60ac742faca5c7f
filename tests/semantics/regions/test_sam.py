"""SAM and MobileSAM from a file: real loading code on small or untrained networks that the test
makes.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.protocol import InputError
from backend.semantics.regions import sam, torchvision_shim

torchvision_shim.make_importable()
package = pytest.importorskip("segment_anything")
CPU = torch.device("cpu")
Weights = dict[str, Tensor]


def small_sam() -> nn.Module:
    """SAM with a tiny encoder for pictures of 128 pixels."""
    m = package.modeling
    encoder = m.ImageEncoderViT(
        img_size=128,
        patch_size=16,
        embed_dim=32,
        depth=3,
        num_heads=2,
        out_chans=256,
        qkv_bias=True,
        use_rel_pos=True,
        window_size=3,
        norm_layer=lambda n: nn.LayerNorm(n, eps=1e-6),
        global_attn_indexes=[1],
    )
    prompts = m.PromptEncoder(
        embed_dim=256, image_embedding_size=(8, 8), input_image_size=(128, 128), mask_in_chans=16
    )
    transformer = m.TwoWayTransformer(depth=2, embedding_dim=256, mlp_dim=2048, num_heads=8)
    decoder = m.MaskDecoder(
        num_multimask_outputs=3,
        transformer=transformer,
        transformer_dim=256,
        iou_head_depth=3,
        iou_head_hidden_dim=256,
    )
    return m.Sam(encoder, prompts, decoder, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375])


def test_a_sam_of_any_size_is_read_off_its_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = small_sam().eval()
    torch.save(model.state_dict(), tmp_path / "sam.pth")
    found = sam.load(tmp_path / "sam.pth", CPU)
    image = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        torch.testing.assert_close(
            found.predictor.model.image_encoder(image),  # type: ignore[operator]
            model.image_encoder(image),  # type: ignore[operator]
        )


def test_the_largest_sure_masks_become_regions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(small_sam().state_dict(), tmp_path / "sam.pth")
    found = sam.load(tmp_path / "sam.pth", CPU, sam.SamConfig(points=8, batch=10))
    disc = torch.tensor(np.hypot(*np.mgrid[-30:50, -40:60]) < 22)

    def predict(points: Tensor, labels: Tensor, **_options: bool) -> tuple[Tensor, Tensor, None]:
        """Sure of the disc where a point lies on it, at two sizes; else sure of the whole picture
        but unstable.
        """
        logits, overlaps = (
            torch.full((len(points), 3, 80, 100), -9.0),
            torch.full((len(points), 3), 0.2),
        )
        for i, (x, y) in enumerate((points[:, 0] * 100 / 128).tolist()):
            if disc[min(int(y), 79), min(int(x), 99)]:
                logits[i, 1], logits[i, 0, 28:32, 38:42], overlaps[i] = (
                    torch.where(disc, 9.0, -9.0),
                    9.0,
                    torch.tensor([0.9, 0.95, 0.1]),
                )
            else:
                logits[i, 2, :, ::2], overlaps[i, 2] = 0.5, 0.99
        return logits, overlaps, None

    monkeypatch.setattr(found.predictor, "predict_torch", predict)
    regions, count = found.regions(np.zeros((80, 100, 3), np.uint8))
    assert count == 1
    np.testing.assert_array_equal(regions == 0, disc.numpy())


def test_what_is_no_sam_is_refused(tmp_path: Path) -> None:
    torch.save(small_sam().state_dict(), tmp_path / "whole.pth")
    data = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "short.pth").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.pth").write_text("no weights")
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pth")
    torch.save(small_sam(), tmp_path / "code.pth")  # a whole object: loading it would run code
    for name in ("short", "text", "other", "code", "absent"):
        with pytest.raises(InputError, match=r"not a SAM|no file"):
            sam.load(tmp_path / f"{name}.pth", CPU)


def _convolved(w: Weights, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
    pad = w[f"{name}.c.weight"].shape[2] // 2
    x = nn.functional.conv2d(x, w[f"{name}.c.weight"], stride=stride, padding=pad, groups=groups)
    statistics = (
        w[f"{name}.bn.running_mean"],
        w[f"{name}.bn.running_var"],
        w[f"{name}.bn.weight"],
        w[f"{name}.bn.bias"],
    )
    return nn.functional.batch_norm(x, *statistics)


def _attended(w: Weights, name: str, x: Tensor, heads: int, window: int) -> Tensor:
    """x (B, window^2, C)"""
    c = x.shape[2]
    x = nn.functional.layer_norm(x, (c,), w[f"{name}.norm.weight"], w[f"{name}.norm.bias"])
    qkv = nn.functional.linear(x, w[f"{name}.qkv.weight"], w[f"{name}.qkv.bias"]).view(
        *x.shape[:2], heads, -1
    )
    q, k, v = qkv.transpose(1, 2).split(c // heads, 3)
    points = list(itertools.product(range(window), repeat=2))
    numbers: dict[tuple[int, int], int] = {}
    index = [
        [numbers.setdefault((abs(a - c_), abs(b - d)), len(numbers)) for c_, d in points]
        for a, b in points
    ]
    weights = (
        q @ k.transpose(2, 3) * (c // heads) ** -0.5
        + w[f"{name}.attention_biases"][:, torch.tensor(index)]
    ).softmax(3)
    return nn.functional.linear(
        (weights @ v).transpose(1, 2).flatten(2), w[f"{name}.proj.weight"], w[f"{name}.proj.bias"]
    )


def _block(w: Weights, name: str, x: Tensor, heads: int, window: int) -> Tensor:
    b, c, height, width = x.shape
    padded = nn.functional.pad(x, (0, -width % window, 0, -height % window)).permute(0, 2, 3, 1)
    rows, columns = padded.shape[1] // window, padded.shape[2] // window
    parts = (
        padded.view(b, rows, window, columns, window, c)
        .transpose(2, 3)
        .reshape(-1, window * window, c)
    )
    parts = (
        _attended(w, f"{name}.attn", parts, heads, window)
        .view(b, rows, columns, window, window, c)
        .transpose(2, 3)
    )
    x = x + parts.reshape(padded.shape)[:, :height, :width].permute(0, 3, 1, 2)
    x = _convolved(w, f"{name}.local_conv", x, groups=c).permute(0, 2, 3, 1)
    y = nn.functional.layer_norm(x, (c,), w[f"{name}.mlp.norm.weight"], w[f"{name}.mlp.norm.bias"])
    y = nn.functional.gelu(
        nn.functional.linear(y, w[f"{name}.mlp.fc1.weight"], w[f"{name}.mlp.fc1.bias"])
    )
    return (
        x + nn.functional.linear(y, w[f"{name}.mlp.fc2.weight"], w[f"{name}.mlp.fc2.bias"])
    ).permute(0, 3, 1, 2)


def mobile_reference(w: Weights, x: Tensor) -> Tensor:
    """MobileSAM's encoder up to its neck, by its own names of the weights."""
    gelu = nn.functional.gelu
    x = _convolved(w, "patch_embed.seq.2", gelu(_convolved(w, "patch_embed.seq.0", x, 2)), 2)
    for layer, (depth, heads, window) in enumerate(((2, 0, 0), (2, 4, 7), (6, 5, 14), (2, 10, 7))):
        for number in range(depth):
            name = f"layers.{layer}.blocks.{number}"
            if layer == 0:
                y = gelu(_convolved(w, f"{name}.conv1", x))
                y = gelu(_convolved(w, f"{name}.conv2", y, groups=y.shape[1]))
                x = gelu(_convolved(w, f"{name}.conv3", y) + x)
            else:
                x = _block(w, name, x, heads, window)
        if layer < 3:
            name = f"layers.{layer}.downsample"
            y = gelu(_convolved(w, f"{name}.conv1", x))
            y = gelu(_convolved(w, f"{name}.conv2", y, 1 if layer == 2 else 2, y.shape[1]))
            x = _convolved(w, f"{name}.conv3", y)
    return x


def test_mobile_sam_is_read_as_it_is_meant() -> None:
    torch.manual_seed(0)
    encoder = sam.mobile_encoder().eval()
    state = {
        k: torch.randn_like(v) * 0.05 + (1 if "var" in k or k.endswith("bn.weight") else 0)
        if v.is_floating_point()
        else v
        for k, v in encoder.state_dict().items()
    }
    encoder.load_state_dict(
        {k: v.abs() + 0.5 if "running_var" in k else v for k, v in state.items()}
    )
    own = {f"image_encoder.{k}": v for k, v in encoder.state_dict().items()}
    named = {_original(k): (k, v) for k, v in own.items()}
    assert len(named) == len(own)
    back = sam.renamed(
        {k: v for k, (_, v) in named.items()} | {"image_encoder.head.weight": torch.zeros(1)}
    )
    assert back.keys() == own.keys() and all(back[k] is v for k, v in named.values())
    weights = {k.removeprefix("image_encoder."): v for k, (_, v) in named.items()}
    picture = torch.randn(1, 3, 128, 96)
    with torch.inference_mode():
        expected = mobile_reference(weights, picture)
        found = encoder.trunk(picture)  # type: ignore[operator]
        assert encoder.neck(found).shape == (1, 256, 8, 6)  # type: ignore[operator]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def _original(name: str) -> str:
    """timm's name to MobileSAM's own, in whose files the stages' order is another."""
    name = (
        name.replace("trunk.", "")
        .replace("patch_embed.conv1.", "patch_embed.seq.0.")
        .replace("patch_embed.conv2.", "patch_embed.seq.2.")
    )
    for stage in (1, 2, 3):
        name = name.replace(f"stages.{stage}.downsample", f"layers.{stage - 1}.downsample")
    return name.replace("stages.", "layers.").replace(".conv.weight", ".c.weight")
