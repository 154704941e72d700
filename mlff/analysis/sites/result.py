"""What is told of sites and jumps, from runs that are over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.sites.balance import DetailedBalance, detailed_balance
from mlff.analysis.sites.residence import ResidenceTimes, residence_times
from mlff.analysis.sites.sites import Sites
from mlff.analysis.sites.strings import StringSizes, string_sizes
from mlff.analysis.sites.tally import DEPARTED, MULTIPLE, OCCUPIED, Run
from mlff.analysis.sites.vibration import amplitude, attempt_frequency, vibration
from mlff.analysis.statistics.event_rate import NONE_SEEN, event_rate
from mlff.analysis.statistics.jackknife import ONE_SIGMA, estimate
from mlff.analysis.system import System
from mlff.units import CM2_PER_S, K_B, PS

OFTEN = 10  # jumps of an ion, until its net way is that of many


@dataclass(frozen=True)
class SiteType:
    """Of all sites of one label. occupancy: ions on one. residence_time: ps. frequency: of jumps from it, by one ion, 1/ps.

    attempt_frequency: THz. amplitude: Å. activation: eV.
    """

    n_sites: int
    occupancy: Estimate
    residence_time: Estimate
    frequency: Estimate
    attempt_frequency: Estimate
    amplitude: Estimate
    activation: Estimate


@dataclass(frozen=True)
class Hops:
    """n_ions: of all runs. duration: ps, of all runs together. frame_time: ps. found: whether the sites were found, not given.

    sites: n of them. positions: (n, 3), Å, in cell, (3, 3), the mean one.
    occupancies, occupancy_errors: (n,), mean number of ions; NaN where the run is too short for blocks.
    multiple: share of site-frames with more than one ion, of all sites. multiples: (n,), of each.
    unplaced: share of ion-frames before the ion was at any site. outside: share in no core: much of it tells of missing sites.
    hops: (m, 2) int64, from and to. shifts: (m, 3) int64, cells from image to image. vectors: (m, 3), Å. counts: (m,) int64.
    rates: (m,), 1/ps, of an ion on the site where the hop begins.
    n_jumps: all. returns: share that goes straight back to where the ion came from.
    jumps_of_ions: (n_ions,) int64.
    frequency: Γ = jumps / (ions × time), 1/ps.
    residence_time: time on sites / jumps, ps, in which stays that the run cuts are counted rightly; residence: its distribution.
    balance: of the flows n_ij and n_ji.
    jump_diffusivity: Σ a² / (6 N t), cm²/s. jump_tensor: (3, 3), Σ a_α a_β / (2 N t), cm²/s.
    correlation_factor: Σ |R|² / Σ a², with R the way of each ion from its first site to its last: no vibration in it. That with a tracer
        diffusivity from a fit is `correlation_factor`.
    attempt_frequency: ν, THz. amplitude: Å, standard deviation along one axis. attempt_frequencies, amplitudes: (n,), by site, NaN
        where nothing is known.
    activation: −kT ln(Γ/ν), eV, a free energy: of all jumps from a site together.
    types: by label. strings: sizes of cooperative strings.
    events: (k, 3) int64, frame, from and to, of the first of all jumps; who: (k,) str, the ion, "Li7" for the seventh.
    """

    n_ions: int
    n_frames: int
    duration: float
    frame_time: float
    found: bool
    sites: Sites
    cell: np.ndarray
    positions: np.ndarray
    occupancies: np.ndarray
    occupancy_errors: np.ndarray
    multiple: Estimate
    multiples: np.ndarray
    unplaced: float
    outside: float
    hops: np.ndarray
    shifts: np.ndarray
    vectors: np.ndarray
    counts: np.ndarray
    rates: np.ndarray
    n_jumps: int
    returns: Estimate
    jumps_of_ions: np.ndarray
    frequency: Estimate
    residence_time: Estimate
    residence: ResidenceTimes
    balance: DetailedBalance
    jump_diffusivity: Estimate
    jump_tensor: np.ndarray
    correlation_factor: Estimate
    attempt_frequency: Estimate
    amplitude: Estimate
    attempt_frequencies: np.ndarray
    amplitudes: np.ndarray
    activation: Estimate
    types: dict[str, SiteType]
    strings: StringSizes
    events: np.ndarray
    who: np.ndarray

    def transition_matrix(self) -> np.ndarray:
        """P_ij = n_ij / Σ_j n_ij, (n, n): where an ion goes that leaves i; rows of zeros where none left."""
        n = len(self.sites)
        flows = np.zeros((n, n))
        np.add.at(flows, (self.hops[:, 0], self.hops[:, 1]), self.counts)
        return flows / np.maximum(flows.sum(1, keepdims=True), 1)


def correlation_factor(tracer: Estimate, jump: Estimate) -> Estimate:
    """f = D* / D_jump of two diffusivities in one unit, bounds included."""
    if not (jump.known and jump.value > 0):
        return no_result("no jump diffusivity")
    if tracer.known:
        f = tracer.value / jump.value
        return Estimate(f, float(np.hypot(tracer.error, f * jump.error) / jump.value))
    if tracer.upper is None:
        return no_result(tracer.reason)
    return Estimate(None, upper=tracer.upper / max(jump.limits[0], 1e-300), reason=tracer.reason)


def activation_free_energy(frequency: Estimate, attempt: Estimate, temperature: float | None) -> Estimate:
    """ΔF = −kT ln(Γ/ν), eV, of a jump frequency (1/ps) and an attempt frequency (THz), at a temperature in K; a bound from a bound."""
    if temperature is None:
        return no_result("the temperature is not known", "eV")
    if not attempt.known:
        return no_result(attempt.reason, "eV")
    kT = K_B * temperature
    if frequency.known:
        relative = np.hypot(frequency.error / frequency.value, attempt.error / attempt.value)
        return Estimate(float(-kT * np.log(frequency.value / attempt.value)), float(kT * relative), unit="eV")
    if frequency.upper is None:
        return no_result(frequency.reason, "eV")
    if not attempt.limits[0] > 0:
        return no_result("the attempt frequency is too uncertain", "eV")
    return Estimate(None, lower=float(-kT * np.log(frequency.upper / attempt.limits[0])), unit="eV", reason=frequency.reason)


def hops_of(runs: Sequence[Run], places: Sequence[np.ndarray], found: bool, system: System) -> Hops:
    """Of runs on the same sites; places: which of the first run's sites each of the run's own is, (n,) int64."""
    first = runs[0]
    n, n_ions = len(first.fractions), sum(len(run.jumps) for run in runs)
    dt = float(first.frame_time) / PS
    frames = np.array([int(run.n_frames) for run in runs])
    ion_frames = sum(int(run.n_frames) * len(run.jumps) for run in runs)
    cell = sum(k * run.cell for k, run in zip(frames, runs, strict=True)) / frames.sum()
    of_sites, of_site = np.zeros((3, n), np.int64), np.zeros((n, 4))
    for run, place in zip(runs, places, strict=True):
        of_sites[:, place] += run.of_sites
        of_site[place] += run.of_site
    occupied, multiple, _ = of_sites
    hops, shifts, counts = _hops(runs, places)
    vectors = (first.fractions[hops[:, 1]] + shifts - first.fractions[hops[:, 0]]) @ cell
    n_jumps, time = int(counts.sum()), ion_frames * dt
    scatter = _scatter(runs, places, np.ones(n, bool), DEPARTED)
    frequency = _rate(n_jumps, time, scatter, "no ion jumped")
    of_ion = np.concatenate([run.of_ion for run in runs])
    width, attempt = vibration(of_ion, dt)
    squares = np.square(vectors).sum(1)
    labels = list(dict.fromkeys(first.labels.tolist()))
    numbers = np.concatenate([run.events for run in runs])
    return Hops(
        n_ions=n_ions,
        n_frames=int(frames.sum()),
        duration=float(frames.sum() * dt),
        frame_time=dt,
        found=found,
        sites=first.sites,
        cell=cell,
        positions=first.fractions @ cell,
        occupancies=occupied / frames.sum(),
        occupancy_errors=_errors(runs, places, OCCUPIED) / frames.sum(),
        multiple=_multiple(runs, places, of_sites),
        multiples=multiple / frames.sum(),
        unplaced=float(1 - occupied.sum() / ion_frames),
        outside=float(1 - sum(int(run.inside) for run in runs) / ion_frames),
        hops=hops,
        shifts=shifts,
        vectors=vectors,
        counts=counts,
        rates=counts / np.maximum(occupied[hops[:, 0]] * dt, 1e-300),
        n_jumps=n_jumps,
        returns=_share(sum(int(run.returns) for run in runs), n_jumps, "no ion jumped"),
        jumps_of_ions=np.concatenate([run.jumps for run in runs]),
        frequency=frequency,
        residence_time=_residence(_rate(n_jumps, occupied.sum() * dt, scatter, "no ion jumped")),
        residence=residence_times(sum(run.complete for run in runs), sum(run.censored for run in runs), dt),
        balance=detailed_balance(hops, shifts, counts),
        jump_diffusivity=_jump_diffusivity(counts, squares, time, frequency),
        jump_tensor=np.einsum("k,ka,kb->ab", counts.astype(float), vectors, vectors) / (2 * time * PS * CM2_PER_S),
        correlation_factor=_net_correlation(np.concatenate([run.net for run in runs]) @ cell, counts, squares),
        attempt_frequency=attempt,
        amplitude=width,
        attempt_frequencies=attempt_frequency(of_site, dt),
        amplitudes=amplitude(of_site),
        activation=activation_free_energy(frequency, attempt, system.temperature),
        types={label: _type(runs, places, first.labels == label, of_sites, of_site, dt, system.temperature) for label in labels},
        strings=string_sizes(_strings(runs), float(first.window) * dt),
        events=numbers[:, [0, 2, 3]],
        who=np.array([f"{system.mobile}{ion + 1}" for ion in numbers[:, 1].tolist()], dtype=str),
    )


def _hops(runs: Sequence[Run], places: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From and to, cells between the images, and how often, sorted."""
    flows: dict[tuple[int, ...], int] = {}
    base = runs[0].fractions
    for run, place in zip(runs, places, strict=True):
        # a site just inside the cell of one run may lie just outside that of another
        over = np.round(run.fractions - base[place]).astype(np.int64)
        for (i, j, *shift), count in zip(run.hops.tolist(), run.counts.tolist(), strict=True):
            hop = (int(place[i]), int(place[j]), *(np.array(shift) + over[j] - over[i]).tolist())
            flows[hop] = flows.get(hop, 0) + count
    table = np.array(sorted(flows), np.int64).reshape(-1, 5)
    return table[:, :2], table[:, 2:], np.array([flows[hop] for hop in sorted(flows)], np.int64)


def _error_of_sum(sums: np.ndarray, run: Run) -> np.ndarray:
    """Standard error (…) of a sum over all frames of the run, from sums over blocks of it, (n_blocks, …); NaN with fewer than two.

    Blocks are joined by twos down to four, and the largest error is taken: those shorter than a stay know too little of each other's
    scatter. Few blocks tell it badly: the error is widened to hold 68 % (Student's t).
    """
    span, error = int(run.blocks_length) * int(run.group), np.full(sums.shape[1:], np.nan)
    while (n := len(sums)) > 1:
        found = stdtrit(n - 1, ONE_SIGMA) * sums.std(axis=0, ddof=1) * int(run.n_frames) / (span * np.sqrt(n))
        error = np.fmax(error, found)
        if n < 8:
            break
        sums, span = sums[: n // 2 * 2].reshape(-1, 2, *sums.shape[1:]).sum(1), 2 * span
    return error


def _errors(runs: Sequence[Run], places: Sequence[np.ndarray], row: int) -> np.ndarray:
    """Of what is summed over all runs at each site, (n_sites,), in the order of the first run's."""
    squares = np.zeros(len(places[0]))
    for run, place in zip(runs, places, strict=True):
        squares[place] += np.square(_error_of_sum(run.blocks_sums[:, row], run))
    return np.sqrt(squares)


def _scatter(runs: Sequence[Run], places: Sequence[np.ndarray], chosen: np.ndarray, row: int) -> float:
    """Of what is summed over all runs and the chosen sites; NaN where a run is too short."""
    errors = [_error_of_sum(run.blocks_sums[:, row][:, chosen[place]].sum(1), run) for run, place in zip(runs, places, strict=True)]
    return float(np.sqrt(np.square(errors).sum()))


def _rate(number: int, time: float, scatter: float, reason: str) -> Estimate:
    """number / time (ps), with the larger of the errors of independent events and of blocks (NaN: none); a bound where there is none."""
    if not time > 0:
        return no_result("no ion was there", "1/ps")
    return event_rate(number, time, reason, (float(np.nan_to_num(scatter)) / time,))


def _residence(rate: Estimate) -> Estimate:
    """1 / rate, ps."""
    if rate.known:
        return Estimate(1 / rate.value, rate.error / rate.value**2, unit="ps")
    return no_result(rate.reason, "ps") if rate.upper is None else Estimate(None, lower=1 / rate.upper, unit="ps", reason=rate.reason)


def _share(part: int, whole: int, reason: str) -> Estimate:
    """Of independent events; one more of either kind stands for what was not seen."""
    if not whole:
        return no_result(reason)
    p = (part + 0.5) / (whole + 1)
    return Estimate(part / whole, float(np.sqrt(p * (1 - p) / whole)))


def _jump_diffusivity(counts: np.ndarray, squares: np.ndarray, time: float, frequency: Estimate) -> Estimate:
    """Σ a² / 6Nt, cm²/s; the error is that of the number of jumps, and of their lengths."""
    if not counts.sum():
        return no_result(frequency.reason, "cm²/s")
    scale = 6 * time * PS * CM2_PER_S
    widened = frequency.error * time / np.sqrt(counts.sum())  # of blocks over that of independent jumps
    return Estimate(float(counts @ squares / scale), float(widened * np.sqrt(counts @ squares**2) / scale), unit="cm²/s")


def _net_correlation(net: np.ndarray, counts: np.ndarray, squares: np.ndarray) -> Estimate:
    n_jumps, n = int(counts.sum()), len(net)
    if n_jumps < OFTEN * n:
        return no_result(f"an ion made {n_jumps / n:.2g} jumps, expected at least {OFTEN}")
    ways = np.square(net).sum(1)
    if not ways.any():  # one ion away from home by one jump is what may have been missed
        return Estimate(None, upper=float(NONE_SEEN * squares.min() / (counts @ squares)), reason="every ion is back where it was")
    f = float(ways.sum() / (counts @ squares))
    relative = np.sqrt(2 / 3) if n < 2 else ways.std(ddof=1) / np.sqrt(n) / ways.mean()
    return Estimate(f, float(f * np.hypot(relative, 1 / np.sqrt(n_jumps))))


def _multiple(runs: Sequence[Run], places: Sequence[np.ndarray], of_sites: np.ndarray) -> Estimate:
    n, frames = of_sites.shape[1], sum(int(run.n_frames) for run in runs)
    error = _scatter(runs, places, np.ones(n, bool), MULTIPLE)
    return estimate(of_sites[MULTIPLE].sum() / (n * frames), error / (n * frames))


def _strings(runs: Sequence[Run]) -> np.ndarray:
    total = np.zeros((2, max(run.strings.shape[1] for run in runs)), np.int64)
    for run in runs:
        total[:, : run.strings.shape[1]] += run.strings
    return total


def _type(runs, places, chosen, of_sites, of_site, dt, temperature) -> SiteType:
    frames, (occupied, _, departed) = sum(int(run.n_frames) for run in runs), of_sites[:, chosen].sum(1)
    rate = _rate(int(departed), float(occupied) * dt, _scatter(runs, places, chosen, DEPARTED), "no ion left")
    width, attempt = vibration(of_site[chosen], dt)
    n = int(chosen.sum())
    error = _scatter(runs, places, chosen, OCCUPIED) / (n * frames)
    return SiteType(
        n,
        estimate(occupied / (n * frames), error),
        _residence(rate),
        rate,
        attempt,
        width,
        activation_free_energy(rate, attempt, temperature),
    )
