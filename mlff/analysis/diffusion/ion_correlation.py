"""Whether ions move together: by how much their mean scatters in time beyond that of independent ones."""

from collections.abc import Sequence

import numpy as np
from scipy.special import fdtri

CHANCE = 0.95  # of a test: what happens by chance in fewer than one case of twenty counts as seen


def correlation_in_time(runs: Sequence[np.ndarray]) -> float:
    """Variance of the ions' mean between stretches of time over that of independent ions; 1 where chance explains it (an F test).

    runs: of each (n_stretches, n_ions), such as squares of displacements.
    """
    runs = [run for run in runs if len(run) > 1 and run.shape[1] > 1]
    if not runs:
        return 1.0
    freedom = sum(len(run) - 1 for run in runs)
    between = sum(((run.mean(1) - run.mean()) ** 2).sum() for run in runs) / freedom
    within = np.mean([run.var(axis=1, ddof=1).mean() / run.shape[1] for run in runs])
    seen = within > 0 and between / within > fdtri(freedom, sum(run.size for run in runs), CHANCE)
    return float(max(1.0, between / within)) if seen else 1.0
