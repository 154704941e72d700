"""freud: mean squared displacements and g(r)."""

import freud
import numpy as np

from .sample import Sample, answer, g_row, row, timed


def rows_of(sample: Sample, all_of_it: bool) -> list[dict]:
    if not all_of_it:
        return []
    freud.parallel.set_num_threads(1)
    box = freud.box.Box.from_matrix(sample.upright.T)
    ions = turned(sample, sample.without_drift())[:, sample.ions]

    def msd(positions: np.ndarray) -> np.ndarray:
        return freud.msd.MSD(mode="window").compute(positions).msd

    found, ns = timed(lambda: msd(ions), sample)
    near = msd(ions - ions[0].mean(0))
    moved = msd(ions + 1000.0 / np.sqrt(3))
    kept = f"squares of positions in {freud.util._convert_array(ions).dtype}"
    rows = []
    for lag in sample.lags:
        rows += [
            row(f"MSD at {lag} frames", "freud", found[lag], None, ns, kept),
            row(f"MSD at {lag} frames", "freud, about the origin", near[lag], None, None, "the mean of the first frame taken off"),
            row(f"MSD at {lag} frames", "freud, moved by 1000 Å", moved[lag], None, None, "further from the origin"),
        ]
    points = sample.fractions @ sample.upright - sample.upright.sum(0) / 2
    first, second = (points[:, sample.symbols == symbol] for symbol in sample.pair)

    def pairs() -> freud.density.RDF:
        rdf = freud.density.RDF(bins=round(sample.r_max / sample.width), r_max=sample.r_max)
        for one, other in zip(first, second, strict=True):
            rdf.compute((box, one), query_points=other, reset=False)
        return rdf

    g, ns = timed(pairs, sample)
    rows.append(g_row(sample, "freud", g.bin_centers, g.rdf, ns, "one pair of species in this time"))
    return rows


def turned(sample: Sample, positions: np.ndarray) -> np.ndarray:
    return positions @ np.linalg.inv(sample.cell) @ sample.upright


if __name__ == "__main__":
    answer(rows_of, {"freud": freud.__version__})
