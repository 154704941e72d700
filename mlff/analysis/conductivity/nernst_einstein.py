"""Conductivity from the diffusivity of the ions, each by itself or all together."""

from dataclasses import dataclass

import numpy as np

from mlff.analysis.diffusion.msd import Displacements
from mlff.analysis.estimate import Estimate, no_result
from mlff.units import CM2_PER_S, K_B, S_PER_CM


def nernst_einstein(diffusivity: Estimate, n_ions: int, charge: float, volume: float, temperature: float) -> Estimate:
    """σ = N q² D / (V k_B T) in S/cm, with the error or the bound of D; as if the ions moved independently of each other.

    Args:
        diffusivity: cm²/s. n_ions: N, mobile ions in the cell. charge: q, e. volume: V of the cell, Å³. temperature: K.
    Raises:
        ValueError: a number that cannot be one.
    """
    if not (n_ions > 0 and volume > 0 and temperature > 0):
        raise ValueError(f"found {n_ions} ions in {volume} Å³ at {temperature} K, expected positive numbers; give those of the simulation")
    return diffusivity.times(n_ions * charge**2 * CM2_PER_S / (volume * K_B * temperature) / S_PER_CM, "S/cm")


@dataclass(frozen=True)
class Haven:
    """haven_ratio: D*/D_σ. charge_diffusivity: D_σ, cm²/s. tracer: D* of the same stretches of time, cm²/s, each block_time long, fs."""

    haven_ratio: Estimate
    charge_diffusivity: Estimate
    tracer: Estimate
    block_time: float


def haven_ratio(displacements: Displacements) -> Haven:
    """H_R = D*/D_σ with D_σ = ⟨|Σ_i Δr_i|²⟩ / (6 N t): 1 for independent ions at any N, 1/N if all move as one.

    Both from the displacements over the same equal stretches of time (16 to 32 per run), which the vibrations enter alike; errors by
    leaving out one stretch after the other. All ions are one sample of D_σ, so it is never better known than the number of stretches
    allows: ± 25 % from one run. The conductivity is that of Nernst and Einstein over H_R. Where the total momentum is conserved and the
    drift of all atoms is removed, the rest of the cell moves against the ions: remove that of the framework.

    Raises:
        ValueError: fewer than 8 stretches of time in all.
    """
    single, together, time = [], [], min(run.block_time for run in displacements.runs)
    for run in displacements.runs:
        few = max(1, round(time / run.block_time))
        blocks = run.blocks[: len(run.blocks) // few * few].reshape(-1, few, *run.blocks.shape[1:]).sum(1)
        scale = 6 * few * run.block_time * CM2_PER_S
        single.append((blocks**2).sum(1).mean(1) / scale)
        together.append((blocks.sum(2) ** 2).sum(1) / (blocks.shape[2] * scale))
    tracer, charge = np.concatenate(single), np.concatenate(together)
    n = len(tracer)
    if n < 8:
        raise ValueError(f"found {n} stretches of time, expected at least 8 for an error of the Haven ratio; give a longer run")
    estimates = [Estimate(float(x.mean()), float(x.std(ddof=1) / np.sqrt(n)), unit="cm²/s") for x in (tracer, charge)]
    if not charge.mean() > 0:
        return Haven(no_result("the ions as a whole did not move"), estimates[1], estimates[0], time)
    without = (tracer.sum() - tracer) / (charge.sum() - charge)
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    return Haven(Estimate(float(tracer.mean() / charge.mean()), error), estimates[1], estimates[0], time)
