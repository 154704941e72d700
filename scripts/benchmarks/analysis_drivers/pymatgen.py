"""pymatgen with pymatgen-analysis-diffusion: diffusivities, conductivities and the Haven ratio, with each of its smoothings."""

import warnings
from importlib.metadata import version

from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer
from pymatgen.core import Structure

from .sample import Sample, answer, largest_slip, row, timed

warnings.filterwarnings("ignore")


def rows_of(sample: Sample, all_of_it: bool) -> list[dict]:
    symbols = sample.symbols.tolist()
    structures = [Structure(sample.cell, symbols, fractions) for fractions in sample.fractions]
    n = len(structures)

    def analyzer(smoothed: str | None) -> DiffusionAnalyzer:
        return DiffusionAnalyzer.from_structures(
            structures, sample.mobile, sample.temperature, sample.frame_time, 1, smoothed=smoothed, avg_nsteps=n // 2
        )

    first, ns = timed(lambda: analyzer("max"), sample)
    rows = []
    for name, found in (("max", first), ("constant", analyzer("constant")), ("none", analyzer(None))):
        label, cost = f"pymatgen, {name}", ns if name == "max" else None
        lags = f"unweighted by their correlation, lags to {found.dt[-1] / 1000:.3g} ps of {n * sample.frame_time / 1000:.3g}"
        rows += [
            row("tracer diffusivity", label, found.diffusivity, found.diffusivity_std_dev, cost, lags),
            row("charge diffusivity", label, found.chg_diffusivity, found.chg_diffusivity_std_dev, cost),
            row("Haven ratio", label, found.haven_ratio, None, cost),
        ]
        if name == "max":
            rows += [
                row("conductivity", f"{label}, Nernst–Einstein", found.conductivity / 1000, found.conductivity_std_dev / 1000, cost),
                row("conductivity", f"{label}, collective", found.chg_conductivity / 1000, found.chg_conductivity_std_dev / 1000, cost),
            ]
    if not all_of_it:
        return rows
    for lag in sample.lags:
        at = [k for k, t in enumerate(first.dt) if abs(t - lag * sample.frame_time) < 0.5 * sample.frame_time]
        least = f"nothing below {first.dt[0] / 1000:.3g} ps, and 200 lags"
        rows.append(row(f"MSD at {lag} frames", "pymatgen, max", float(first.msd[at[0]]) if at else None, None, ns, "" if at else least))
    slip = largest_slip(first.disp[first.indices].transpose(1, 0, 2), sample)
    rows.append(row("unwrapping", "pymatgen, from_structures", slip, None, None, "largest error of a displacement"))
    return rows


if __name__ == "__main__":
    answer(rows_of, {name: version(name) for name in ("pymatgen", "pymatgen-analysis-diffusion")})
