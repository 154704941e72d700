"""How far the members of a committee disagree about one frame: the model deviation of DP-GEN.

Deviations are population standard deviations over the members (ddof 0), in the unit of what they belong to: a variance, whose
unit is squared, is nowhere kept. A member that gives NaN or infinity disagrees without bound: its deviation is infinite, so that
every level is crossed.

Zhang et al., Phys. Rev. Materials 3, 023804 (2019); Zhang et al., Comput. Phys. Commun. 253, 107206 (2020).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FrameDeviation:
    """The deviations of one frame.

    force: ε_F of each atom, (n,), eV/Å. It is the length of a vector: the spread of one Cartesian component is ε_F/√3.
    energy: of each atom's energy, (n,), eV; None where the members' energies were not given.
    virial: of each component of the virial over the number of atoms, (3, 3), eV; None where there is no virial.
    """

    force: np.ndarray
    energy: np.ndarray | None = None
    virial: np.ndarray | None = None

    @property
    def max_force(self) -> float:
        return float(self.force.max())

    @property
    def min_force(self) -> float:
        return float(self.force.min())

    @property
    def mean_force(self) -> float:
        return float(self.force.mean())

    @property
    def max_virial(self) -> float:
        """Of the nine components; NaN where there is no virial."""
        return float("nan") if self.virial is None else float(self.virial.max())

    @property
    def min_virial(self) -> float:
        return float("nan") if self.virial is None else float(self.virial.min())

    @property
    def mean_virial(self) -> float:
        """‖ε_V‖/3, the root mean square over the nine components, as DeePMD-kit averages them."""
        return float("nan") if self.virial is None else float(np.linalg.norm(self.virial) / 3)


def frame_deviation(forces: np.ndarray, energies: np.ndarray | None = None, virials: np.ndarray | None = None) -> FrameDeviation:
    """All deviations of one frame.

    Args:
        forces: (n_members, n, 3), eV/Å. energies: of each atom, (n_members, n), eV. virials: of the whole frame, (n_members, 3, 3),
            eV; −V·stress, but a deviation has no sign.
    """
    forces = _members(forces, "forces", (None, 3))
    n_members, n = forces.shape[:2]
    energy = virial = None
    if energies is not None:
        energy = _spread(_members(energies, "energies", (n,), n_members)[..., None])
    if virials is not None:
        virial = _spread(_members(virials, "virials", (3, 3), n_members)[..., None]) / n
    return FrameDeviation(_spread(forces), energy, virial)


def relative_force_deviation(forces: np.ndarray, level: float) -> np.ndarray:
    """ε_F,i / (‖⟨F_i⟩‖ + level) of each atom, (n,), without unit: large forces may deviate by more.

    Args:
        forces: (n_members, n, 3), eV/Å. level: eV/Å, above 0; it keeps atoms at rest from dividing by nothing.
    """
    if not level > 0:
        raise ValueError(f"level is {level}, expected a force above 0, eV/Å; without it the deviation of an atom at rest has no bound")
    forces = _members(forces, "forces", (None, 3))
    spread = _spread(forces)
    bounded = np.isfinite(spread)
    size = np.linalg.norm(forces[:, bounded].mean(0), axis=-1)
    relative = np.full(len(spread), np.inf)
    relative[bounded] = spread[bounded] / (size + level)
    return relative


def _spread(members: np.ndarray) -> np.ndarray:
    """√⟨‖x^k − ⟨x⟩‖²⟩ over the first axis, the norm over the last; infinite where a member is not finite."""
    finite = np.isfinite(members).all(axis=(0, -1))
    spread = np.full(finite.shape, np.inf)
    chosen = members[:, finite]
    spread[finite] = np.sqrt(np.square(chosen - chosen.mean(0)).sum(-1).mean(0))
    return spread


def _members(values: np.ndarray, name: str, shape: tuple[int | None, ...], n_members: int | None = None) -> np.ndarray:
    values = np.asarray(values, np.float64)
    fits = values.ndim == len(shape) + 1 and all(want in (None, have) for want, have in zip(shape, values.shape[1:], strict=True))
    if not fits or n_members not in (None, len(values)):
        wanted = ", ".join([str(n_members or "n_members"), *("n" if size is None else str(size) for size in shape)])
        raise ValueError(f"{name} of the members have shape {values.shape}, expected ({wanted}); stack one array per member")
    if len(values) < 2:
        raise ValueError(f"found {name} of {len(values)} member, expected at least 2; one potential has no deviation, train a committee")
    return values
