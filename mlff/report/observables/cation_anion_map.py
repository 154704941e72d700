"""Cations around the ligands of anions."""

from mlff.analysis import System
from mlff.analysis.anions.cation_anion_map import CationAnionMap
from mlff.report.observables.describe import describe
from mlff.report.panels import Description, HeatMap, Number


@describe.register
def _(result: CationAnionMap, system: System) -> Description:
    panels, numbers = [], []
    for kind, found in result.kinds.items():
        ion = system.mobile
        pair, angle = f"{ion}–{found.ligands}", f"{found.centres}–{found.ligands}–{ion}"
        axes = (f"{pair}, Å", f"{angle}, °")
        edges = (result.r_edges, result.angle_edges)
        panels.append(HeatMap(f"{ion} around {kind}", *axes, "density, 1/(Å °)", *edges, found.density.T))
        caption = "over a gas of as many cations without order, which is 1 everywhere"
        panels.append(HeatMap(f"{ion} around {kind}, relative", *axes, "relative density", *edges, found.relative.T, caption=caption))
        r, phi = found.most_frequent
        numbers += [
            Number(f"most frequent {pair}, {kind}", r),
            Number(f"most frequent {angle}, {kind}", phi),
            Number(f"mean {angle}, {kind}", found.angle),
            Number(f"{ion} within {result.r_edges[-1]:g} Å of {found.ligands}, {kind}", found.neighbours),
        ]
    return Description(
        "Cations around anions",
        "Where cations stand seen from a ligand: its distance, and the angle to the bond of the ligand. The density counts occurrences, of "
        "which a gas without order has most at large distances and right angles; the relative density is free of that.",
        panels,
        numbers,
        [f"Counted in {result.n_frames} frames. A most frequent value is the middle of its bin, ± half the bin."],
    )
