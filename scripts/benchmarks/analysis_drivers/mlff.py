"""Ours."""

import numpy as np

from mlff import __version__
from mlff.analysis import Criteria, MeanSquareDisplacement, NotApplicable, PairDistributionAccumulator, System, tracer_diffusivity
from mlff.analysis.conductivity.transport import transport
from mlff.analysis.sites import HopAccumulator
from mlff.trajectory import Frames

from .sample import Sample, answer, g_row, row, timed


def rows_of(sample: Sample, all_of_it: bool) -> list[dict]:
    n = len(sample.positions)
    frames = Frames(np.arange(n), sample.positions, np.broadcast_to(sample.cell, (n, 3, 3)))
    system = System(
        tuple(sample.symbols.tolist()),
        sample.masses,
        sample.positions[0],
        sample.cell,
        sample.mobile,
        sample.frame_time,
        n_frames=n,
        temperature=sample.temperature,
        rests=sample.rests,
    )

    def displacements():
        return passed(MeanSquareDisplacement.of(system), frames)

    displacements()  # compiles what is compiled when first called
    found, ns = timed(displacements, sample)
    told, ns_transport = timed(lambda: transport(found, 1.0, sample.temperature), sample)
    tracer, haven, d = told.tracer, told.haven, told.diffusivity
    begin, end = (x / 1000 for x in tracer.window)
    window = f"line through lags of {begin:.3g} to {end:.3g} ps, error from the scatter of ions"
    short = f"of stretches of {haven.block_time / 1000:.3g} ps, vibrations included"
    ended, whole = tracer.end_point, tracer_diffusivity(found, Criteria(window=(0.1, 1.0))).fitted
    charge, ratio = haven.charge_diffusivity, haven.haven_ratio
    relative = np.hypot(tracer.fitted.error / tracer.fitted.value, ratio.error / ratio.value)
    rows = [
        row("tracer diffusivity", "ours", tracer.fitted.value, tracer.fitted.error, ns + ns_transport, window if d.known else str(d)),
        row("tracer diffusivity", "ours, line from 0.1 to 1", whole.value, whole.error, None, "lags as long as the run, for comparison"),
        row("tracer diffusivity", "ours, end of the run alone", ended.value, ended.error, None, "for comparison"),
        row("charge diffusivity", "ours", charge.value, charge.error, ns + ns_transport, short),
        row("charge diffusivity", "ours, tracer over Haven ratio", (x := tracer.fitted.value / ratio.value), x * relative),
        row("Haven ratio", "ours", ratio.value, ratio.error, ns + ns_transport, short),
        row("conductivity", "ours, Nernst–Einstein", told.conductivity.value, told.conductivity.error),
        row("conductivity", "ours, collective", told.collective.value, told.collective.error),
    ]
    if sample.rests:
        alike = np.where(sample.symbols == sample.mobile, 0.0, 1.0)
        for weights, label in ((None, "drift left in"), (alike, "framework not weighted by mass")):
            other = MeanSquareDisplacement(system.ions, sample.frame_time, weights)
            moved = tracer_diffusivity(passed(other, frames)).fitted
            rows.append(row("tracer diffusivity", f"ours, {label}", moved.value, moved.error, None, "for comparison"))
    if not all_of_it:
        return rows
    at = {round(t / sample.frame_time): (m, e) for t, m, e in zip(found.times, found.msd(), scatter(found.per_ion()), strict=True)}
    rows += [row(f"MSD at {lag} frames", "ours", *at[lag], ns) for lag in sample.lags]

    def pairs():
        return passed(PairDistributionAccumulator(sample.symbols, sample.r_max, sample.width), frames)

    g, ns = timed(pairs, sample)
    pair = tuple(sorted(sample.pair))
    rows.append(g_row(sample, "ours", g.r, g.g[pair], ns, "all pairs of species in this time"))
    return rows + hop_rows(system, frames, sample)


def hop_rows(system: System, frames: Frames, sample: Sample) -> list[dict]:
    def hops():
        return passed(HopAccumulator.of(system), frames)

    try:
        hops()
    except (NotApplicable, ValueError) as reason:
        return [row("jumps", "ours", None, remark=str(reason).split(";")[0])]
    found, ns = timed(hops, sample)
    np.save(sample.sites, found.sites.fractions)
    remark = f"{len(found.positions)} sites found in the density; {found.returns.value:.0%} straight back"
    rate, attempt, width = found.frequency, found.attempt_frequency, found.amplitude
    return [
        row("jumps", "ours", found.n_jumps, None if rate.error is None else rate.error * found.duration * found.n_ions, ns, remark),
        row("attempt frequency", "ours", attempt.value, attempt.error, ns, attempt.reason or "of displacements from the mean of each stay"),
        row("vibration amplitude", "ours", width.value, width.error, ns, width.reason or "along one axis, about the mean of each stay"),
    ]


def passed(accumulator, frames: Frames):
    accumulator.update(frames)
    return accumulator.result()


def scatter(per_ion: np.ndarray) -> np.ndarray:
    """Standard error of the mean over ions, (n_lags,)."""
    return per_ion.std(axis=1, ddof=1) / np.sqrt(per_ion.shape[1])


if __name__ == "__main__":
    answer(rows_of, {"mlff": __version__})
