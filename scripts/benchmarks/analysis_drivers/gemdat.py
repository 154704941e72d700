"""GEMDAT: diffusivity, Haven ratio, jumps and vibrations."""

import warnings
from importlib.metadata import version

import numpy as np
from gemdat import Trajectory
from pymatgen.core import Element, Structure

from .sample import Sample, answer, row, timed

warnings.filterwarnings("ignore")
RESOLUTION = 0.3  # Å, of the density in which it finds sites
RADIUS = 1.0  # Å, of a given site


def rows_of(sample: Sample, all_of_it: bool) -> list[dict]:
    def loaded(fractions: np.ndarray) -> Trajectory:
        made = Trajectory(
            species=[Element(symbol) for symbol in sample.symbols.tolist()],
            coords=fractions.copy(),
            lattice=sample.cell,
            constant_lattice=True,
            time_step=sample.frame_time * 1e-15,
            metadata={"temperature": sample.temperature},
        )
        return made.apply_drift_correction(floating_species=sample.mobile) if sample.rests else made

    everyone = loaded(sample.fractions)
    n_ions = len(sample.ions)

    def metrics(fractions: np.ndarray = sample.fractions):
        return loaded(fractions).filter(sample.mobile).metrics()

    def diffusion() -> tuple[float, float]:
        found = metrics()
        return float(found.tracer_diffusivity()) * 1e4, float(found.haven_ratio())  # m² are 10⁴ cm²

    (diffusivity, haven), ns = timed(diffusion, sample)
    times = f"D* over that of the centre of mass; by N = {n_ions} it is {haven / n_ions:.3g}, of one displacement"
    rows = [
        row("tracer diffusivity", "GEMDAT", diffusivity, None, ns, "|r(t) − r(0)|² / 6t at the end of the run alone"),
        row("charge diffusivity", "GEMDAT, of the centre of mass", diffusivity / haven, None, ns, "as it says; N times as much is D_σ"),
        row("Haven ratio", "GEMDAT", haven, None, ns, times),
        row("Haven ratio", "GEMDAT, over N", haven / n_ions, None, None, "one displacement: as scattered as χ² of three"),
        row("conductivity", "GEMDAT, Nernst–Einstein", float(metrics().tracer_conductivity(z_ion=1)) / 100, None, ns),
    ]
    if not all_of_it:
        return rows

    def squares() -> np.ndarray:
        return loaded(sample.fractions).filter(sample.mobile).mean_squared_displacement()

    msd, ns = timed(squares, sample)
    curve = np.asarray(msd).mean(axis=0)
    rows += [row(f"MSD at {lag} frames", "GEMDAT", float(curve[lag]), None, ns) for lag in sample.lags]
    return rows + vibration_rows(metrics, sample) + jump_rows(everyone, sample)


def vibration_rows(metrics, sample: Sample) -> list[dict]:
    (attempt, spread), ns = timed(lambda: [float(x) for x in metrics().attempt_frequency()], sample)
    later = float(metrics(sample.fractions[len(sample.fractions) // 2 :]).attempt_frequency()[0]) / 1e12
    width, ns_width = timed(lambda: float(metrics().vibration_amplitude()), sample)
    said = f"of the distance from the first frame's place; ± is the spread of ions; {later:.3g} from the middle of the run on"
    about = "scatter of the ways between turning points of that distance, another quantity: 2√2 times ours for one axis"
    return [
        row("attempt frequency", "GEMDAT", attempt / 1e12, spread / 1e12, ns, said),
        row("vibration amplitude", "GEMDAT", width, None, ns_width, about),
    ]


def jump_rows(everyone: Trajectory, sample: Sample) -> list[dict]:
    def own_sites() -> Structure:
        return everyone.filter(sample.mobile).to_volume(resolution=RESOLUTION).to_structure(specie=sample.mobile, background_level=0.1)

    choices = {"GEMDAT, its sites": own_sites}
    if sample.sites.exists():
        ours = np.load(sample.sites)
        choices["GEMDAT, our sites"] = lambda: Structure(sample.cell, [sample.mobile] * len(ours), ours)
    rows = []
    for label, sites_of in choices.items():
        for inner in (1.0, 0.5):

            def jumps(sites_of=sites_of, inner=inner) -> tuple[int, int]:
                sites = sites_of()
                moves = everyone.transitions_between_sites(
                    sites, sample.mobile, site_radius=RADIUS, site_inner_fraction=inner, fraction_of_overlap=1.0
                )
                return moves.jumps().n_jumps, len(sites)

            try:
                (count, n_sites), ns = timed(jumps, sample)
                rows.append(row("jumps", f"{label}, inner {inner:g}", count, None, ns, f"{n_sites} sites, radius {RADIUS:g} Å"))
            except Exception as error:  # of whatever kind, it is what this program says of these frames
                rows.append(row("jumps", f"{label}, inner {inner:g}", None, remark=f"{type(error).__name__}: {str(error)[:120]}"))
    return rows


if __name__ == "__main__":
    answer(rows_of, {"gemdat": version("gemdat")})
