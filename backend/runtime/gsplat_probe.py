"""Whether gsplat really draws on this machine's CUDA device; its import proves nothing."""

import functools


@functools.cache
def why_not_gsplat() -> str | None:
    """None when gsplat draws one Gaussian and its gradient on CUDA; else why it can't.

    Without a toolkit gsplat imports and fails at the first call, and with a half-installed one it
    raises from the middle of a compilation. Whatever it raises is its reason; none of it may stop
    the work.
    """
    import torch  # heavy: only once somebody asks for CUDA

    try:
        if not torch.cuda.is_available():
            return "torch sees no CUDA device"
        from gsplat import rasterization  # absent on most machines

        device = torch.device("cuda")
        means = torch.tensor([[0.0, 0.0, 2.0]], device=device, requires_grad=True)
        image, _, _ = rasterization(
            means=means,
            quats=torch.tensor([[1.0, 0, 0, 0]], device=device),
            scales=torch.full((1, 3), 0.2, device=device),
            opacities=torch.ones(1, device=device),
            colors=torch.ones(1, 3, device=device),
            viewmats=torch.eye(4, device=device)[None],
            Ks=torch.tensor([[[16.0, 0, 8], [0, 16.0, 8], [0, 0, 1]]], device=device),
            width=16,
            height=16,
            packed=False,
        )
        image.square().sum().backward()
        if not (image.max() > 0.5 and means.grad is not None and bool(means.grad.isfinite().all())):
            return "gsplat drew nothing"
    except Exception as error:  # noqa: BLE001 - a foreign compiler chain: any exception means "not usable here"
        first = str(error).splitlines()[0] if str(error) else ""
        return f"gsplat does not run: {type(error).__name__}: {first}"
    return None
