"""Diffusion and numbers of ions slab by slab."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.diffusion.slabs import DIRECTIONS, Slabs
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number
from mlff.units import PS

WORDS = {"all": "all directions", "along": "along the axis", "in_plane": "in the plane"}
STAY = 0.5  # of the ions at the longest lag, below which a region's MSD is a mixture with that of its neighbours


@describe.register
def _(result: Slabs, system: System) -> Description:
    lags, times = result.lags / PS, result.times / PS
    panels = [
        Curves("D by slab", "position, Å", "D, cm²/s", _profile(result), zero=True),
        Curves(
            f"MSD by slab, {WORDS['all']}",
            "lag, ps",
            "MSD, Å²",
            [Curve.where_known(region, lags, result.msd[region, "all"], result.msd_error[region, "all"]) for region in result.regions],
            zero=True,
        ),
        Curves(
            f"MSD of those that stay, {WORDS['in_plane']}",
            "lag, ps",
            "MSD, Å²",
            [
                Curve.where_known(region, lags, result.msd_staying[region, "in_plane"], result.msd_staying_error[region, "in_plane"])
                for region in result.regions
            ],
            zero=True,
        ),
        Curves(
            "Share that stays",
            "lag, ps",
            "share",
            [Curve.where_known(name, lags, share) for name, share in result.staying.items()],
            zero=True,
        ),
        Curves(
            f"{system.mobile} by slab",
            "time, ps",
            "ions",
            [Curve(region, times, result.numbers[:, k]) for k, region in enumerate(result.regions)],
            zero=True,
        ),
    ]
    numbers = [
        Number(f"D {WORDS[direction]}, {region}", result.diffusivity[region, direction])
        for region in result.regions
        for direction in DIRECTIONS
    ]
    numbers += [Number(f"D {WORDS['in_plane']} of those that stay, {region}", d) for region, d in result.diffusivity_staying.items()]
    leaving = [region for region, share in result.staying.items() if share[-1] < STAY]
    remarks = [f"{result.origins} time origins; slabs across {result.axis}, whose period is {result.height:.4g} Å."]
    if leaving:
        remarks.append(
            f"Fewer than half of the ions stay in {', '.join(leaving)} until {lags[-1]:.3g} ps: their D by origin is mixed with that of "
            "the neighbours; shorten the lags, or trust those that stay."
        )
    return Description(
        "Slabs",
        "Ions count for the slab in which they were at the time origin. They leave it: only lags short against that tell of the slab.",
        panels,
        numbers,
        remarks,
    )


def _profile(result: Slabs) -> list[Curve]:
    """D in the middle of each slab, and, for all directions, what it is below where there is no value."""
    ends = np.append(result.edges[1:], result.edges[0] + 1)
    middle = ((result.edges + ends) / 2 % 1) * result.height
    curves = []
    for direction in DIRECTIONS:
        found = [(x, result.diffusivity[result.regions[k], direction]) for x, k in zip(middle, result.region_of, strict=True)]
        found.sort(key=lambda place: place[0])
        known = [(x, d.value, d.error) for x, d in found if d.known]
        curves.append(Curve(WORDS[direction], *np.array(known, float).reshape(-1, 3).T, style="points"))
        bounds = [(x, d.upper) for x, d in found if not d.known and d.upper is not None]
        if bounds and direction == "all":
            curves.append(Curve("upper bound", *np.array(bounds).T, style="bounds"))
    return curves
