"""Which pictures are matched with which: all with all while that is cheap, neighbours and a coarse
net otherwise.
"""

MAX_EXHAUSTIVE = 60
NET = 25  # pictures of the coarse net that finds loops


def image_pairs(names: list[str], ordered: bool) -> list[tuple[str, str]]:
    """Pairs of names, each once, in a fixed order. `ordered`: consecutive names are consecutive in
    time.
    """
    n = len(names)
    if n <= (MAX_EXHAUSTIVE // 2 if ordered else MAX_EXHAUSTIVE):
        return [(names[i], names[j]) for i in range(n) for j in range(i + 1, n)]
    gaps = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32) if ordered else (*range(1, 13), 16, 24, 32, 48, 64)
    near = {(i, i + gap) for gap in gaps for i in range(n - gap)}
    net = (
        sorted({round(k * (n - 1) / (NET - 1)) for k in range(NET)})
        if ordered
        else range(0, n, max(1, n // (2 * NET)))
    )
    far = {(i, j) for i in net for j in net if i < j}
    return [(names[i], names[j]) for i, j in sorted(near | far)]
