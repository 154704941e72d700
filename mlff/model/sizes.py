"""The sizes that models come in (spec: XS for speed, S the default, L for accuracy)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """n_radial and channels per l; n_product channels in each product; the readout's hidden widths; n_hop scalars."""

    n_radial: tuple[int, ...]
    channels: tuple[int, ...]
    n_product: int
    hidden: tuple[int, ...]
    n_hop: int = 0


LEAN = {
    "XS": Size((8, 6, 5), (16, 8, 4), 4, (32,)),
    "S": Size((8, 6, 5, 3), (32, 16, 8, 4), 8, (64, 64)),
    "M": Size((8, 6, 5, 3), (48, 32, 16, 8), 16, (96, 96)),
    "L": Size((10, 8, 6, 4), (96, 64, 48, 32), 32, (128, 128)),
}
LEAN2 = {
    "XS": Size((8, 6, 5), (16, 8, 8), 8, (48, 48), n_hop=4),
    "S": Size((8, 6, 5, 3), (32, 16, 16, 16), 16, (96, 96), n_hop=8),
    "M": Size((8, 6, 5, 3), (48, 32, 32, 32), 32, (128, 128), n_hop=12),
    "L": Size((10, 8, 6, 4), (96, 64, 64, 64), 64, (192, 192), n_hop=16),
}


def size_of(table: dict[str, Size], name: str) -> Size:
    if name not in table:
        raise ValueError(f"size is {name!r}, expected one of {list(table)}; correct `model.options.size`")
    return table[name]
