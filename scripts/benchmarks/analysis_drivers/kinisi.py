"""kinisi: diffusivity and conductivity by a Bayesian regression with the covariance of the lags."""

import warnings

import kinisi
import numpy as np
import scipp as sc
from ase import Atoms
from kinisi.analyze import ConductivityAnalyzer, DiffusionAnalyzer

from .sample import Sample, answer, row, timed

warnings.filterwarnings("ignore")
N_LAGS = 50  # the regression takes the cube of it


def rows_of(sample: Sample, all_of_it: bool) -> list[dict]:
    symbols, n = sample.symbols.tolist(), len(sample.positions)
    frames = [Atoms(symbols, scaled_positions=fractions, cell=sample.cell, pbc=True) for fractions in sample.fractions]
    spacing = max(1, n // N_LAGS)
    lags = np.unique(np.concatenate([sample.lags, np.arange(spacing, n, spacing)]))
    words = {
        "trajectory": frames,
        "specie": sample.mobile,
        "time_step": sc.scalar(sample.frame_time, unit="fs"),
        "step_skip": sc.scalar(1, unit=sc.units.dimensionless),
        "dt": sc.array(dims=["time interval"], values=lags * sample.frame_time, unit="fs"),
        "progress": False,
    }
    begin = sc.scalar(0.1 * n * sample.frame_time, unit="fs")
    random = np.random.RandomState(1)

    def tracer() -> DiffusionAnalyzer:
        found = DiffusionAnalyzer.from_ase(**words)
        found.diffusion(begin, progress=False, random_state=random)
        return found

    def conducting() -> ConductivityAnalyzer:
        found = ConductivityAnalyzer.from_ase(**words, ionic_charge=sc.scalar(1.0, unit="e"))
        found.conductivity(begin, sc.scalar(sample.temperature, unit="K"), progress=False, random_state=random)
        return found

    (single, ns), (together, ns_together) = timed(tracer, sample), timed(conducting, sample)
    diffusivity, error = float(np.mean(single.D.values)), float(np.std(single.D.values, ddof=1))
    sigma, sigma_error = (float(f(together.sigma.values)) / 1000 for f in (np.mean, np.std))
    unit = sample.conductivity(1.0)
    charge = sigma / unit
    rows = [
        row("tracer diffusivity", "kinisi", diffusivity, error, ns, f"lags from a tenth of the run to its end, {len(lags)} of them"),
        row("charge diffusivity", "kinisi", charge, sigma_error / unit, ns_together, "from its conductivity"),
        row("Haven ratio", "kinisi", diffusivity / charge, None, ns + ns_together, "of its diffusivity and conductivity"),
        row("conductivity", "kinisi, collective", sigma, sigma_error, ns_together),
    ]
    if all_of_it:
        for lag in sample.lags:
            at = int(np.flatnonzero(lags == lag)[0])
            remark = "the first frame counts twice: one displacement is too short by a frame"
            value, variance = single.msd.values[at], single.msd.variances[at]
            rows.append(row(f"MSD at {lag} frames", "kinisi", float(value), float(np.sqrt(variance)), ns, remark))
    return rows


if __name__ == "__main__":
    answer(rows_of, {"kinisi": kinisi.__version__})
