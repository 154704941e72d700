"""Vibrational density of states, band centre and diffusivities of each species, from velocities in one pass."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from mlff.analysis.accumulator import check_settings, load_parts, stored_parts
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.even_steps import count_steps, joined_gap
from mlff.analysis.system import NotApplicable, System
from mlff.analysis.vibrations.velocity_autocorrelation import correlation, relative_correlation
from mlff.analysis.vibrations.vibrational_density import Autocorrelations, Vibrations, vibrations
from mlff.trajectory import Series
from mlff.units import PER_CM, PS

STIFFEST = 4000.0  # cm⁻¹ × √amu: bonds to hydrogen reach 3,700 cm⁻¹, and heavier atoms vibrate slower by the root of their mass


class VibrationsAccumulator:
    """D_s(ν) ∝ m_s F{Σ_{i in s} ⟨v_i(0)·v_i(t)⟩}: Miyagawa et al., J. Mater. Chem. A 12, 11344 (2024), eq. 2; band centre by eq. 3.

    Where the system rests, velocities are those from the centre of mass, and diffusivities are in the frame of the framework, as those
    from displacements are. Both integrate ⟨v(0)·v(t)⟩ up to the longest lag alone, and know nothing of an ion that comes back later.
    Velocities at the end that do not fill a block of that length are left out.

    Args:
        species: symbol of each atom. masses: (n_atoms,), amu.
        timestep: fs, of one step in `Series.steps`.
        n_lags: of the autocorrelation beyond zero, in velocities.
        smoothing: cm⁻¹, window of the filter. finest: cm⁻¹, of the grid.
        drift: (n_atoms,) weights of the atoms in whose frame diffusivities are; None where the system does not rest.
    """

    reads = "velocities"

    def __init__(
        self,
        species: Sequence[str],
        masses: np.ndarray,
        timestep: float,
        n_lags: int,
        smoothing: float = 15.0,
        finest: float = 1.0,
        drift: np.ndarray | None = None,
    ):
        if not (timestep > 0 and n_lags >= 2 and smoothing >= 0 and finest > 0):
            raise ValueError(
                f"found a timestep of {timestep} fs, {n_lags} lags, smoothing over {smoothing} and a grid of {finest} cm⁻¹; "
                "expected at least two lags, no negative smoothing, and all else positive"
            )
        self.symbols = sorted(set(species))
        self.kind = np.array([self.symbols.index(s) for s in species])
        self.masses = np.asarray(masses, float)
        self.timestep, self.n_lags, self.smoothing, self.finest = float(timestep), int(n_lags), float(smoothing), float(finest)
        self.drift = np.zeros(0) if drift is None else np.asarray(drift, float)
        self._members = [np.flatnonzero(self.kind == k) for k in range(len(self.symbols))]
        self._blocks = Blocks((2, len(self.symbols), self.n_lags + 1))
        self._pending = np.zeros((2 * self.n_lags, len(self.kind), 3), np.float32)  # as precise as trajectories keep velocities
        self._held = np.zeros((), np.int64)
        self._clock = np.zeros(3, np.int64)

    @classmethod
    def of(cls, system: System, longest: float = 4.0, smoothing: float = 15.0, finest: float = 1.0, highest: float | None = None) -> Self:
        """Of all species.

        Args:
            longest: ps, of the lags; a quarter of the run where that is shorter.
            highest: cm⁻¹, a wavenumber that the velocities must resolve; None: what bonds of the lightest atom may reach.
        Raises:
            NotApplicable: velocities are not stored, or too far apart.
        """
        if system.velocity_interval is None:
            raise NotApplicable("found no velocities, expected them every few fs; let the simulation store them")
        spacing = system.timestep * system.velocity_interval
        lightest = int(np.argmin(system.masses))
        wanted = STIFFEST / np.sqrt(system.masses[lightest]) if highest is None else highest
        nyquist = 0.5 / (spacing * PER_CM)
        if nyquist < wanted:
            raise NotApplicable(
                f"velocities lie {spacing:g} fs apart and resolve up to {nyquist:.0f} cm⁻¹, expected {wanted:.0f} cm⁻¹, which bonds of "
                f"{system.symbols[lightest]} may reach: faster vibrations would look slow; store velocities at least every "
                f"{0.5 / (wanted * PER_CM):.2g} fs, or give `highest` (cm⁻¹) if nothing vibrates faster"
            )
        n_lags = round(longest * PS / spacing)
        if system.n_frames:
            n_lags = min(n_lags, system.n_frames * system.interval // system.velocity_interval // 4)
        return cls(system.symbols, system.masses, system.timestep, max(n_lags, 2), smoothing, finest, system.drift)

    def update(self, velocities: Series) -> None:
        """Raises: ValueError: velocities of another number of atoms, or not evenly spaced."""
        values = velocities.values["velocities"]
        if values.shape[1:] != (len(self.kind), 3):
            raise ValueError(f"found velocities of shape {values.shape[1:]} each, expected {(len(self.kind), 3)}; give those of one run")
        count_steps(self._clock, velocities.steps, "velocities")
        begin = 0
        while begin < len(values):  # whole blocks alone are correlated, so that chunks do not matter
            held = int(self._held)
            new = values[begin : begin + len(self._pending) - held]
            self._pending[held : held + len(new)] = new
            self._held, begin = self._held + len(new), begin + len(new)
            if self._held == len(self._pending):
                self._blocks.add(self._correlations())
                self._pending[: self.n_lags] = self._pending[self.n_lags :]
                self._held = self._held - self.n_lags

    def merge(self, other: "VibrationsAccumulator") -> None:
        """Takes in independent runs of the same atoms.

        Raises:
            ValueError: the other has other settings, or velocities at another distance in time.
        """
        check_settings(other._settings(), self._settings())
        self._clock[2] = joined_gap(int(self._clock[2]), int(other._clock[2]), "velocities")
        self._blocks.merge(other._blocks)

    def result(self) -> Vibrations:
        """Raises: ValueError: too few velocities."""
        if not self._blocks.n:
            raise ValueError(
                f"found {self._clock[0]} velocities, expected at least {2 * self.n_lags}, twice the longest lag; "
                "give a longer run or a smaller `longest`"
            )
        masses = np.array([self.masses[members].mean() for members in self._members])
        known = Autocorrelations(np.bincount(self.kind), masses, self.timestep * float(self._clock[2]), self.finest)
        return vibrations(self._blocks, self.symbols, known, self.smoothing)

    def state(self) -> dict[str, np.ndarray]:
        own = {name: np.array(getattr(self, f"_{name}")) for name in ("pending", "held", "clock")}
        return stored_parts({"blocks": self._blocks}) | own | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        load_parts(state, {"blocks": self._blocks})
        self._pending, self._held, self._clock = (np.array(state[name]) for name in ("pending", "held", "clock"))

    def _settings(self) -> dict[str, np.ndarray]:
        named = {name: np.array(getattr(self, name)) for name in ("masses", "timestep", "n_lags", "smoothing", "finest", "drift")}
        return {"species": np.array([self.symbols[k] for k in self.kind])} | named

    def _correlations(self) -> np.ndarray:
        """Of the block that is full, (2, n_species, n_lags + 1), Å²/fs²: from the centre of mass, and from the framework."""
        block = self._pending
        found = np.empty((2, len(self.symbols), self.n_lags + 1))
        frames = [_mean(block, weights) for weights in (self.masses, self.drift)] if len(self.drift) else []
        for k, members in enumerate(self._members):
            velocities = block[:, members]
            found[:, k] = own = correlation(velocities)
            for row, frame in enumerate(frames):
                found[row, k] = relative_correlation(own, velocities, frame)
        return found


def _mean(velocities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n_frames, 3), weighted over the atoms."""
    return np.array([weights @ frame for frame in velocities]) / weights.sum()
