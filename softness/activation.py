"""How likely a particle rearranges, by its softness and the temperature: P_R(S, T) = exp(Σ(S) − ΔE(S)/kT)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlff.units import K_B

FEWEST = 10  # rearrangements in a bin, with fewer it tells nothing
TEMPERATURES = 3  # of which a line is drawn


@dataclass(frozen=True)
class Activation:
    """edges: (n_bins + 1,), of softness; softness: (n_bins,), means in them. temperatures: (n_T,), K, ascending.

    probability, error: (n_T, n_bins), of a rearrangement, and P/√N of N of them; NaN with fewer than `FEWEST`.
    barrier, barrier_error: ΔE, (n_bins,), eV, and prefactor, prefactor_error: Σ, (n_bins,), of the unweighted line of ln P against 1/T;
        NaN with fewer than `TEMPERATURES` temperatures.
    """

    edges: np.ndarray
    softness: np.ndarray
    temperatures: np.ndarray
    probability: np.ndarray
    error: np.ndarray
    barrier: np.ndarray
    barrier_error: np.ndarray
    prefactor: np.ndarray
    prefactor_error: np.ndarray

    def at(self, softness: np.ndarray, temperature: float, k: float = K_B) -> np.ndarray:
        """P_R of the lines, between the bins by interpolation; NaN without lines."""
        known = np.isfinite(self.barrier)
        if not known.any():
            return np.full(np.shape(softness), np.nan)
        lines = self.prefactor[known] - self.barrier[known] / (k * temperature)
        return np.exp(np.interp(softness, self.softness[known], lines))


def activation(
    samples: Mapping[float, tuple[np.ndarray, np.ndarray]], n_bins: int = 8, edges: np.ndarray | None = None, k: float = K_B
) -> Activation:
    """Schoenholz et al., Nat. Phys. 12, 469 (2016).

    Args:
        samples: by temperature, K: softness of all particles, and whether each then rearranged, (n,) each.
        n_bins: of as many particles each; or edges: (n_bins + 1,).
        k: eV/K; 1 for temperatures in units of the energy.
    Raises:
        ValueError: no temperature, or no particles.
    """
    if not samples or any(not len(softness) for softness, _ in samples.values()):
        raise ValueError(f"found particles at {len(samples)} temperatures, expected some at each of one or more")
    temperatures = np.array(sorted(samples))
    pooled = np.concatenate([samples[T][0] for T in temperatures])
    edges = np.quantile(pooled, np.linspace(0, 1, n_bins + 1)) if edges is None else np.asarray(edges, float)
    bin_of = lambda softness: np.clip(np.searchsorted(edges, softness, side="right") - 1, 0, len(edges) - 2)  # noqa: E731
    n = len(edges) - 1
    hops, seen = np.zeros((len(temperatures), n)), np.zeros((len(temperatures), n))
    for row, T in enumerate(temperatures):
        softness, moved = (np.asarray(x) for x in samples[T])
        inside = (softness >= edges[0]) & (softness <= edges[-1])
        seen[row] = np.bincount(bin_of(softness[inside]), minlength=n)
        hops[row] = np.bincount(bin_of(softness[inside & moved.astype(bool)]), minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        probability = np.where(hops >= FEWEST, hops / seen, np.nan)
        error = probability / np.sqrt(hops)
        inside = pooled[(pooled >= edges[0]) & (pooled <= edges[-1])]
        means = np.bincount(bin_of(inside), inside, minlength=n) / seen.sum(0)
    lines = np.array([_line(1 / (k * temperatures), p, e) for p, e in zip(probability.T, error.T, strict=True)]).reshape(-1, 4)
    return Activation(edges, means, temperatures, probability, error, *lines.T)


def _line(x: np.ndarray, probability: np.ndarray, error: np.ndarray) -> tuple[float, float, float, float]:
    """ΔE and Σ with errors of ln P = Σ − ΔE x: unweighted, errors from those of the points."""
    known = np.isfinite(probability)
    if known.sum() < TEMPERATURES:
        return (np.nan,) * 4
    design = np.stack([-x[known], np.ones(known.sum())], axis=1)
    solve = np.linalg.pinv(design)
    (barrier, prefactor), spread = solve @ np.log(probability[known]), error[known] / probability[known]
    errors = np.sqrt(np.square(solve * spread).sum(axis=1))
    return barrier, float(errors[0]), prefactor, float(errors[1])
