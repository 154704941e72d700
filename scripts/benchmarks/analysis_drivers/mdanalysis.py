"""MDAnalysis: unwrapping, mean squared displacements and g(r)."""

import warnings

import MDAnalysis
import numpy as np
from MDAnalysis.analysis.msd import EinsteinMSD
from MDAnalysis.analysis.rdf import InterRDF
from MDAnalysis.lib.mdamath import triclinic_box
from MDAnalysis.transformations import NoJump
from scipy.stats import linregress

from .sample import Sample, answer, g_row, largest_slip, row, timed

warnings.filterwarnings("ignore", module="MDAnalysis")
WINDOWS = ((0.1, 0.5), (0.0, 0.1), (0.5, 0.9))  # shares of the run: ours, and two others between which a user must choose


def rows_of(sample: Sample, all_of_it: bool) -> list[dict]:
    turn = np.linalg.inv(sample.cell) @ sample.upright
    n = len(sample.positions)
    ions = universe(sample, (sample.without_drift() @ turn)[:, sample.ions])

    def msd() -> EinsteinMSD:
        return EinsteinMSD(ions, select="all", msd_type="xyz", fft=True).run()

    found, ns = timed(msd, sample)
    curve = found.results.timeseries
    rows = []
    for window in WINDOWS:
        lags = np.arange(max(1, int(window[0] * n)), int(window[1] * n))
        line = linregress(lags * sample.frame_time, curve[lags])
        label = f"MDAnalysis, line from {window[0]:g} to {window[1]:g}"
        remark = "error of the regression, as its documentation does: lags taken as independent" if window == WINDOWS[0] else ""
        rows.append(row("tracer diffusivity", label, line.slope / 60, line.stderr / 60, ns if window == WINDOWS[0] else None, remark))
    if not all_of_it:
        return rows
    near = universe(sample, (sample.without_drift() @ turn)[:, sample.ions], about_origin=True)
    other = EinsteinMSD(near, select="all", msd_type="xyz", fft=True).run().results.timeseries
    for lag in sample.lags:
        rows += [
            row(f"MSD at {lag} frames", "MDAnalysis", curve[lag], None, ns, "positions kept in float32, sums in float64"),
            row(f"MSD at {lag} frames", "MDAnalysis, about the origin", other[lag], None, None, "the mean of the first frame taken off"),
        ]
    wrapped = sample.fractions @ sample.upright

    def unwrapped() -> np.ndarray:
        whole = universe(sample, wrapped[:, sample.ions])
        whole.trajectory.add_transformations(NoJump())
        return np.array([step.positions for step in whole.trajectory], float)

    places, ns = timed(unwrapped, sample, len(sample.ions))
    slip = largest_slip((places - places[0]) @ np.linalg.inv(turn), sample)
    rows.append(row("unwrapping", "MDAnalysis, NoJump", slip, None, ns, "largest error of a displacement; mobile ions alone"))
    everyone = universe(sample, wrapped)
    first, second = (everyone.atoms[np.flatnonzero(sample.symbols == symbol)] for symbol in sample.pair)

    def pairs() -> InterRDF:
        return InterRDF(first, second, nbins=round(sample.r_max / sample.width), range=(0.0, sample.r_max)).run()

    g, ns = timed(pairs, sample)
    rows.append(g_row(sample, "MDAnalysis", g.results.bins, g.results.rdf, ns, "one pair of species in this time"))
    return rows


def universe(sample: Sample, positions: np.ndarray, about_origin: bool = False) -> MDAnalysis.Universe:
    if about_origin:
        positions = positions - positions[0].mean(0)
    made = MDAnalysis.Universe.empty(positions.shape[1], trajectory=True)
    box = triclinic_box(*sample.upright)
    made.load_new(positions.astype(np.float32), order="fac", dimensions=box, dt=sample.frame_time / 1000)
    return made


if __name__ == "__main__":
    answer(rows_of, {"MDAnalysis": MDAnalysis.__version__})
