"""Rings of the anions' atoms beside softness: whether medium-range order says more (papers 004, figures S4 and S5)."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from mlff.analysis import Estimate
from mlff.report.panels import Curve, Curves, Description, Number
from softness.correlation import trend
from softness.rings import near_rings, rings
from softness.study.findings import Findings
from softness.study.reading import Sampled

FRAMES = 3  # of each trajectory


def ring_description(test: Sequence[Sampled], found: Sequence[Findings], species: Sequence[str], r_max: float) -> Description:
    """Of some structures of each trajectory. species: of the atoms in rings; r_max: Å, of their edges. Raises: as `rings`."""
    births, deaths, sizes, softness, near, filled, who = [], [], [], [], [], [], []
    pairs = [(each, finding) for each, finding in zip(test, found, strict=True)]
    for number, (each, finding) in enumerate(tqdm(pairs, unit="trajectory", desc="rings", disable=None)):
        for k in np.unique(np.linspace(0, each.n_windows - 1, FRAMES).astype(int)):
            positions, cell = each.structures[k]
            of_frame = rings(positions, cell, each.system.symbols, species, r_max)
            size, death = near_rings(of_frame, positions, cell, each.system.ions)
            births.append(of_frame.births)
            deaths.append(of_frame.deaths)
            sizes.append(of_frame.sizes)
            softness.append(finding.softness[k])
            near.append(size)
            filled.append(death)
            who.append(number * len(each.system.symbols) + each.system.ions)
    size, death, soft, ions = (np.concatenate(parts) for parts in (sizes, deaths, softness, who))
    dead = np.isfinite(death)
    panels = [
        Curves("Births and deaths", "birth, Å", "death, Å", [Curve("rings", np.concatenate(births)[dead], death[dead], style="points")]),
        Curves("Ring sizes", "atoms", "share of rings, %", [_shares(size)], zero=True),
    ]
    numbers = [Number("rings in a structure", Estimate(len(size) / len(sizes), float(np.std([len(x) for x in sizes]))))]
    for name, parts in (("size of the rings near an ion", near), ("death of the rings near an ion", filled)):
        if (found_trend := trend(soft, np.concatenate(parts), ions)) is not None and found_trend.pearson.known:
            numbers.append(Number(f"correlation of softness with the {name}", found_trend.pearson))
            unit = "atoms" if "size" in name else "Å"
            curve = Curve.where_known("ions", found_trend.x, found_trend.y, found_trend.error)
            panels.append(Curves(f"{name[0].upper()}{name[1:]}", "softness", unit, [curve]))
    return Description(
        "Rings",
        f"Cycles of {', '.join(species)} by persistent homology: born where their longest edge comes in, dead where triangles have filled "
        f"them, nearest images, edges below {r_max:g} Å; cycles that close round the cell alone are left out.",
        panels,
        numbers,
    )


def _shares(sizes: np.ndarray) -> Curve:
    counts = np.bincount(sizes)
    found = np.arange(3, len(counts))
    return Curve("rings", found.astype(float), 100 * counts[3:] / max(1, len(sizes)), style="steps")
