"""True errors of forces, by element."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

ALL = "all"


def force_errors(frames: Sequence[Atoms], predicted: Sequence[np.ndarray]) -> dict[str, dict[str, float]]:
    """MAE and RMSE per Cartesian component, eV/Å, of each element and of all: {"Li": {"mae": …, "rmse": …, "n": …}, …, "all": …}.

    Args:
        frames: with REF_forces. predicted: (n_atoms, 3) for each, eV/Å.
    Returns:
        nothing where there is no frame.
    """
    if not frames:
        return {}
    errors = np.concatenate([own - frame.arrays["REF_forces"] for frame, own in zip(frames, predicted, strict=True)])
    symbols = np.concatenate([frame.get_chemical_symbols() for frame in frames])
    groups = {symbol: errors[symbols == symbol] for symbol in sorted(set(symbols.tolist()))} | {ALL: errors}
    return {
        name: {"mae": float(np.abs(own).mean()), "rmse": float(np.sqrt(np.square(own).mean())), "n": int(own.size)}
        for name, own in groups.items()
    }
