"""The bulk conductivity of a crystal with site disorder, from those of its configurations."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mlff.analysis.estimate import Estimate, no_result
from mlff.units import K_B

CRYSTALLINITY_80 = 0.20  # σ80 / σ100 in all three rows of Table 2 of papers 003, to the digits printed

Mean = Callable[[np.ndarray, np.ndarray], float]  # of values and of weights that add up to 1


def boltzmann_weights(
    energies: Mapping[str, float], temperature: float, degeneracies: Mapping[str, float] | None = None
) -> dict[str, float]:
    """g exp(−E/k_B T) / Σ g exp(−E/k_B T).

    Args:
        energies: eV, of each configuration as a whole, from any zero. Energies per atom must be multiplied by the number of atoms that
            change together: with those of a table in meV per atom as they stand, all configurations would weigh the same.
        temperature: K, at which the disorder froze in, often that of the synthesis. degeneracies: g; None: 1 each.
    """
    if not (energies and temperature > 0):
        raise ValueError(f"found {len(energies)} energies and {temperature} K, expected at least one energy and a positive temperature")
    lowest = min(energies.values())
    weights = {name: _of(degeneracies, name) * np.exp(-(e - lowest) / (K_B * temperature)) for name, e in energies.items()}
    total = sum(weights.values())
    return {name: float(weight / total) for name, weight in weights.items()}


def uniform_weights(names: Sequence[str]) -> dict[str, float]:
    """1/n each."""
    return {name: 1 / len(names) for name in names}


def arithmetic_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Σ w σ: configurations side by side, each a way through the crystal (the upper bound of Wiener)."""
    return float(weights @ values)


def harmonic_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """1 / Σ w/σ: one behind the other, so that the slowest decides (the lower bound of Wiener)."""
    with np.errstate(divide="ignore"):
        return float(1 / (weights[weights > 0] @ (1 / values[weights > 0])))


def disorder_average(conductivity: Mapping[str, Estimate], weights: Mapping[str, float], mean: Mean = arithmetic_mean) -> Estimate:
    """σ_bulk from the conductivities of configurations, by any weights and any mean that grows with each of its values.

    Papers 003 give σ_bulk in Table 1 by a recipe of "thermodynamic and kinetic contributions" that only its supplement tells; which
    weights and which mean were taken is for the reader of a number to be told. Where a configuration has bounds, so has the mean: with
    all values at their 95 % limits, 0 below where there is none.

    Args:
        conductivity: one unit, by configuration. weights: of the same configurations; they are scaled to add up to 1.
    """
    if set(conductivity) != set(weights) or len({sigma.unit for sigma in conductivity.values()}) != 1:
        raise ValueError(
            f"found conductivities of {sorted(conductivity)} and weights of {sorted(weights)}, expected the same names and one unit"
        )
    share = np.array([weights[name] for name in conductivity], float)
    if not ((share >= 0).all() and share.sum() > 0):
        raise ValueError(f"found weights {share.tolist()}, expected none below 0 and some above; give populations")
    share, estimates = share / share.sum(), list(conductivity.values())
    unit = estimates[0].unit
    if all(sigma.known for sigma, w in zip(estimates, share, strict=True) if w > 0):
        used = share > 0
        values, share = np.array([s.value for s, u in zip(estimates, used, strict=True) if u]), share[used]
        errors = np.array([s.error for s, u in zip(estimates, used, strict=True) if u])
        slopes = np.array([_slope(mean, values, share, k) for k in range(len(values))])
        return Estimate(mean(values, share), float(np.linalg.norm(slopes * errors)), unit=unit)
    low = mean(np.array([max(0.0, sigma.limits[0]) for sigma in estimates]), share)
    ends = np.array([sigma.limits[1] if w > 0 else 0.0 for sigma, w in zip(estimates, share, strict=True)])
    high = mean(ends, share)
    unknown = ", ".join(name for name, sigma in conductivity.items() if not sigma.known)
    reason = f"no value of {unknown}"
    if not (low > 0 or np.isfinite(high)):
        return no_result(reason, unit)
    return Estimate(None, lower=low if low > 0 else None, upper=high if np.isfinite(high) else None, unit=unit, reason=reason)


def of_80_percent_crystallinity(conductivity: Estimate) -> Estimate:
    """σ80 = 0.20 × σ100 (papers 003, Table 2): a sample that is crystalline by 80 %, from the crystal. The factor is the ratio of the
    table's columns; the paper derives it in its supplement."""
    return conductivity.times(CRYSTALLINITY_80, conductivity.unit)


def _of(degeneracies: Mapping[str, float] | None, name: str) -> float:
    if degeneracies is None:
        return 1.0
    if not degeneracies.get(name, 0) > 0:
        raise ValueError(
            f"found no positive degeneracy of {name}, expected one for each configuration; count its symmetry-equivalent copies"
        )
    return float(degeneracies[name])


def _slope(mean: Mean, values: np.ndarray, weights: np.ndarray, k: int) -> float:
    """∂mean/∂σ_k by central differences; of means of the values themselves they are exact to about 1e-9."""
    step = 1e-5 * abs(values[k]) or 1e-12
    up, down = values.copy(), values.copy()
    up[k] += step
    down[k] -= step
    return (mean(up, weights) - mean(down, weights)) / (2 * step)
