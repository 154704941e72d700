"""Where the ions are: isosurfaces, the distribution along each axis, and the ways through the cell."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.density.density import Density
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number, Volume

LEVELS = (0.045, 1e-2, 1e-3, 7e-4)  # 1/Å³, of papers/002, and one between


@describe.register
def _(result: Density, system: System) -> Description:
    ion, unit = system.mobile, result.unit
    most = float(result.density.max())
    levels = {f"{level:g} / Å³": level for level in LEVELS if level < most} or {f"{most / 10:.2g} / Å³": most / 10}
    panels = [
        Volume(f"Density, {ion}", "density, 1/Å³", result.cell, result.density, levels, result.positions, result.symbols, log=True),
        Curves("Along the axes", "coordinate, Å", "probability, 1/Å", _lines(result, result.along, result.along_error), zero=True),
        Curves(
            "Free energy along the axes",
            "coordinate, Å",
            f"free energy, {unit}",
            _lines(result, result.free_energy_along, result.free_energy_along_error),
        ),
    ]
    ways = [Curve(axis, result.path_lengths[axis], energies) for axis, energies in result.path_energies.items()]
    if ways:
        panels.append(Curves("Ways through the cell", "length of the way, Å", f"free energy, {unit}", ways, zero=True))
    remarks = [f"Counted in {result.n_frames} frames on {' × '.join(str(n) for n in result.density.shape)} points."]
    if result.smoothing:
        remarks.append(f"Smoothed by a Gaussian of {result.smoothing:g} Å; barriers and ways are those of the smoothed density.")
    remarks += [
        f"Only {visits:.0f} counts decide the barrier along {axis}; smooth the density, or run longer."
        for axis, visits in result.visits.items()
        if visits < 100
    ]
    return Description(
        "Density",
        "Where the ions are found; the barrier is the lowest free energy at which places join their own image, above the densest place, "
        "and depends on the grid.",
        panels,
        [Number(f"barrier along {axis}", barrier) for axis, barrier in result.barriers.items()],
        remarks,
    )


def _lines(result: Density, values: dict[str, np.ndarray], errors: dict[str, np.ndarray]) -> list[Curve]:
    """One curve per axis, without the places where no ion was."""
    return [Curve.where_known(axis, result.coordinate[axis], line, errors[axis]) for axis, line in values.items()]
