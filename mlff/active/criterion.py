"""What a frame's uncertainty is, and where it begins to matter: the published criteria of active learning, each with its levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from ase import Atoms

from mlff.active.surrogate import Surrogate
from mlff.uncertainty import BREAK, FORCE_LEVELS, SAVE, FrameDeviation, Levels
from mlff.uncertainty.calibration import group_names


class Criterion(Protocol):
    """Sorts frames into accurate, candidate and failed ones.

    unit: of its values, "" for a pure number.
    """

    unit: str

    def levels(self, history: Sequence[float]) -> Levels:
        """Before a round explores. history: largest force deviation of each frame labelled so far, once it was learnt, eV/Å, in order."""

    def stop(self, levels: Levels) -> float | None:
        """The force deviation, eV/Å, at which molecular dynamics stops; None: it is cut afterwards."""

    def uncertainty(self, frames: Sequence[Atoms], deviations: Sequence[FrameDeviation], surrogate: Surrogate) -> np.ndarray:
        """(n_frames,): one number for each."""

    def adapted(self, levels: Levels, values: np.ndarray) -> Levels:
        """After a round has explored, by which candidates are found; what has converged is counted by the levels themselves.

        Args:
            values: of all its frames, (n_frames,).
        """


@dataclass(frozen=True)
class ForceDeviation:
    """The largest force deviation of a frame, as DP-GEN: Zhang et al., Comput. Phys. Commun. 253, 107206 (2020).

    low, high: eV/Å. by_species: [low, high] of elements that have their own. virial: [low, high], eV per atom, of its largest component;
        None: not looked at. Whatever fails makes the frame fail: it is no candidate through another quantity.
    adaptive: share of the frames below `high` that are candidates at least as long as they lie above `low`: early rounds, in which
        nearly all frames would be candidates, take the most uncertain ones alone. None: every frame above `low`.
    """

    low: float = FORCE_LEVELS.low
    high: float = FORCE_LEVELS.high
    by_species: Mapping[str, Sequence[float]] = field(default_factory=dict)
    virial: Sequence[float] | None = None
    adaptive: float | None = None
    unit: str = "eV/Å"

    def __post_init__(self):
        for pair in [(self.low, self.high), *self.by_species.values(), *([self.virial] if self.virial else [])]:
            Levels(*pair)
        if self.adaptive is not None and not 0 < self.adaptive < 1:
            raise ValueError(f"adaptive is {self.adaptive}, expected a share of the frames, between 0 and 1")

    def levels(self, history: Sequence[float]) -> Levels:
        return Levels(self.low, self.high)

    def stop(self, levels: Levels) -> float | None:
        """An element with a higher level of its own would be stopped too early by one number for all."""
        return max([self.high, *(high for _, high in self.by_species.values())])

    def uncertainty(self, frames: Sequence[Atoms], deviations: Sequence[FrameDeviation], surrogate: Surrogate) -> np.ndarray:
        return np.array([self._of(frame, deviation) for frame, deviation in zip(frames, deviations, strict=True)])

    def _of(self, frame: Atoms, deviation: FrameDeviation) -> float:
        """In units of the common levels: a quantity with levels of its own counts as far as it is between them."""
        force, symbols = deviation.force.copy(), np.array(frame.get_chemical_symbols())
        for symbol, own in self.by_species.items():
            force[symbols == symbol] = self._rescaled(force[symbols == symbol], own)
        largest = float(force.max())
        if self.virial is None or deviation.virial is None:
            return largest
        return max(largest, float(self._rescaled(np.array(deviation.max_virial), self.virial)))

    def _rescaled(self, values: np.ndarray, own: Sequence[float]) -> np.ndarray:
        """Piecewise linear, 0 → 0, own low → low, own high → high."""
        low, high = own
        above = self.low + (values - low) * (self.high - self.low) / (high - low)
        return np.where(values < low, values * (self.low / low if low else 0.0), above)

    def adapted(self, levels: Levels, values: np.ndarray) -> Levels:
        below = values[values < levels.high]
        if self.adaptive is None or not len(below):
            return levels
        return Levels(max(levels.low, min(float(np.quantile(below, 1 - self.adaptive)), np.nextafter(levels.high, 0))), levels.high)


@dataclass(frozen=True)
class ExpectedError:
    """The largest calibrated error of a force component that an atom of the frame is expected to have (σ_c), eV/Å."""

    low: float
    high: float
    unit: str = "eV/Å"

    def levels(self, history: Sequence[float]) -> Levels:
        return Levels(self.low, self.high)

    def stop(self, levels: Levels) -> float | None:
        return None

    def uncertainty(self, frames: Sequence[Atoms], deviations: Sequence[FrameDeviation], surrogate: Surrogate) -> np.ndarray:
        calibration = surrogate.artefact.calibration
        if calibration is None:
            raise ValueError(
                f"{surrogate.path} is not calibrated: its validation frames held too few forces; "
                "give more of them (`split.val_every`), or choose criterion=deviation"
            )
        values = []
        for frame, deviation in zip(frames, deviations, strict=True):
            names = group_names(np.array(frame.get_chemical_symbols()), calibration.groups)
            sigma, _ = calibration.sigma(deviation.force, names, frame.info.get("temperature"))
            bounded = np.isfinite(deviation.force)  # a curve is level beyond its last point, but this lies beyond all
            values.append(float(np.where(bounded, sigma, np.inf).max()))
        return np.array(values)

    def adapted(self, levels: Levels, values: np.ndarray) -> Levels:
        return levels


@dataclass(frozen=True)
class Grade:
    """The extrapolation grade γ of the frame's most unusual atom: Novikov et al., Mach. Learn.: Sci. Technol. 2, 025002 (2021)."""

    low: float = SAVE
    high: float = BREAK
    unit: str = ""

    def levels(self, history: Sequence[float]) -> Levels:
        return Levels(self.low, self.high)

    def stop(self, levels: Levels) -> float | None:
        return None

    def uncertainty(self, frames: Sequence[Atoms], deviations: Sequence[FrameDeviation], surrogate: Surrogate) -> np.ndarray:
        return np.array([float(grades.max()) for grades in surrogate.grades(frames)])

    def adapted(self, levels: Levels, values: np.ndarray) -> Levels:
        return levels


@dataclass(frozen=True)
class OnTheFly:
    """A threshold that follows the model: each trajectory stops where it is crossed, and that frame is labelled.

    The threshold is (1 + margin) times the mean of the deviations that the last `n_history` labelled frames keep once they are learnt, as
    VASP sets its own from Bayesian errors: Jinnouchi et al., Phys. Rev. B 100, 014105 (2019); used by Miyagawa et al., J. Mater. Chem. A
    12, 11344 (2024). It never falls below `least`, so that the search ends.

    first: eV/Å, before anything is labelled. hard: times the threshold, above which the frame itself is not trusted.
    """

    first: float = 0.2
    least: float = 0.05
    margin: float = 0.5
    n_history: int = 10
    hard: float = 4.0
    unit: str = "eV/Å"

    def __post_init__(self):
        if self.hard <= 1:
            raise ValueError(f"hard is {self.hard}, expected above 1; a frame that crosses the threshold would never be labelled")

    def levels(self, history: Sequence[float]) -> Levels:
        recent = [value for value in history if np.isfinite(value)][-self.n_history :]
        low = max(self.least, (1 + self.margin) * float(np.mean(recent))) if recent else self.first
        return Levels(low, self.hard * low)

    def stop(self, levels: Levels) -> float | None:
        return levels.low

    def uncertainty(self, frames: Sequence[Atoms], deviations: Sequence[FrameDeviation], surrogate: Surrogate) -> np.ndarray:
        return np.array([deviation.max_force for deviation in deviations])

    def adapted(self, levels: Levels, values: np.ndarray) -> Levels:
        return levels
