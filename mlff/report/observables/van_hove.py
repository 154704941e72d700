"""Where an ion, and where the others are some time later."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.diffusion.van_hove import VanHove
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number, known_error
from mlff.units import PS

FAR = 0.01  # share of ions beyond the last bin that is told


@describe.register
def _(result: VanHove, system: System) -> Description:
    names = [f"{time / PS:.3g} ps" for time in result.times]
    sphere, r = 4 * np.pi * result.r**2, f"r of {system.mobile}, Å"
    later = [k for k, time in enumerate(result.times) if time > 0]  # at lag 0 the self part is all at r = 0

    def curves(values: np.ndarray, errors: np.ndarray, which: list[int]) -> list[Curve]:
        return [Curve(names[k], result.r, values[k], known_error(errors[k])) for k in which]

    everything = list(range(len(names)))
    panels = []
    if later:
        shell = curves(sphere * result.self_part, sphere * result.self_error, later)
        panels.append(Curves("van Hove, self", r, "4πr²G_s, Å⁻¹", shell, zero=True, caption="Its area is the share of ions within r."))
    relative = curves(result.relative, result.relative_error, everything)
    panels.append(Curves("van Hove, distinct", r, "G_d/ρ", relative, zero=True, levels={"no order": 1.0}))
    if later:
        panels.append(Curves("G_s", r, "G_s, Å⁻³", curves(result.self_part, result.self_error, later), log_y=True))
    raw = curves(result.distinct, result.distinct_error, everything)
    panels.append(Curves("G_d", r, "G_d, Å⁻³", raw, zero=True, levels={"density": result.density}))
    numbers = [Number(f"stayed within {result.near:g} Å, {names[k]}", result.stayed[k]) for k in later]
    numbers += [Number(f"replaced within {result.near:g} Å, {names[k]}", result.replaced[k]) for k in later]
    remarks = [f"{n} origins for {name}." for n, name in zip(result.origins, names, strict=True)]
    remarks += [
        f"{share:.1%} of the ions went farther than {result.edges[-1]:g} Å in {name}; they are not in the curves."
        for share, name in zip(result.beyond, names, strict=True)
        if share > FAR
    ]
    return Description(
        "van Hove",
        "The self part is how far an ion has gone: peaks are sites, a broad hump is a liquid. The distinct part begins as g(r); a peak "
        "that grows at r = 0 is another ion in the place of the first.",
        panels,
        numbers,
        remarks,
    )
