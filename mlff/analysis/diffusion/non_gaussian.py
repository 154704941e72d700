"""The non-Gaussian parameter α₂ of the mobile ions: whether some of them go far while others stay."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import stdtrit

from mlff.analysis.accumulator import Part, check_settings, load_parts, stored_parts
from mlff.analysis.diffusion.displacement_blocks import DisplacementBlocks
from mlff.analysis.diffusion.displacement_moments import DisplacementMoments
from mlff.analysis.diffusion.ion_correlation import correlation_in_time
from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.framework.lattice_frame import LatticeFrame
from mlff.analysis.statistics.jackknife import ONE_SIGMA
from mlff.analysis.statistics.merged_runs import loaded_runs, stored_runs
from mlff.analysis.statistics.multi_tau import block_length
from mlff.analysis.system import System
from mlff.trajectory import Frames
from mlff.units import PS

CLEAR = 3.0  # errors by which a peak exceeds zero; by chance, one of some forty lags would exceed two


@dataclass(frozen=True)
class NonGaussian:
    """times: (n_lags,), fs. origins: (n_lags,), how many each lag has, the least of the runs.

    alpha, error: (n_lags,), α₂ and its standard error, NaN for a single ion. msd: (n_lags,), ⟨r²⟩, Å².
    peak: the largest of those α₂ that exceed zero clearly, and peak_time: its lag, ps, uncertain by the lags that may as well be largest.
    correlation: by how much the variance exceeds that of independent ions; 1 where nothing is seen.
    """

    times: np.ndarray
    origins: np.ndarray
    alpha: np.ndarray
    error: np.ndarray
    msd: np.ndarray
    peak: Estimate
    peak_time: Estimate
    correlation: float


@dataclass(frozen=True)
class RunMoments:
    """Of one run. spacing: fs, of frames. origins: (n_lags,). second, fourth: (n_lags, n_ions), means, Å² and Å⁴.

    stretches: (n_blocks, n_ions), |Δr|² over equal stretches of the run, Å².
    """

    spacing: np.ndarray
    lags: np.ndarray
    origins: np.ndarray
    second: np.ndarray
    fourth: np.ndarray
    stretches: np.ndarray


class NonGaussianAccumulator:
    """α₂(t) = 3 ⟨r⁴⟩ / 5 ⟨r²⟩² − 1 in three dimensions (Rahman, Phys. Rev. 136, A405, 1964), r the displacement of one ion in t.

    0 for Brownian motion; 3 / 5kt for isotropic jumps at the rate k, so that it tells nothing of how ions differ before each has jumped
    a few times; the relative variance of D for ions of different diffusivities, at any t. Motion in one dimension gives 0.8, in a plane
    0.2, without any difference between ions.

    Means over ions and all origins, by the cascade of lags of `multi_tau`, in the lattice frame. The error is a jackknife over ions,
    widened where equal stretches of time scatter by more than independent ions would (an F test).

    Args:
        ions: (n,) indices. timestep: fs, of one step in `Frames.steps`.
        drift: (n_atoms,) weights of the atoms whose mean displacement is taken from the ions'; None for none.
    """

    reads = "frames"

    def __init__(self, ions: np.ndarray, timestep: float, drift: np.ndarray | None = None):
        if not timestep > 0:
            raise ValueError(f"the timestep is {timestep} fs, expected a positive one; give the time of one step")
        self.timestep = float(timestep)
        self._frame = LatticeFrame(ions, drift)
        n = len(self._frame.atoms)
        self._pending = np.zeros((block_length(n), n, 3))
        self._moments, self._stretches = DisplacementMoments(n), DisplacementBlocks(n)
        self._runs: tuple[RunMoments, ...] = ()

    @classmethod
    def of(cls, system: System) -> Self:
        """Of the mobile ions, without the framework's drift where the system rests."""
        return cls(system.ions, system.timestep, system.drift)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, a cell without volume, or another number of atoms."""
        begin = 0
        while begin < len(frames):  # whole blocks alone go through the cascade, so that chunks do not matter
            held = self._frame.seen - int(self._moments.seen)
            part = slice(begin, begin + len(self._pending) - held)
            new = self._frame.displacements(Frames(frames.steps[part], frames.positions[part], frames.cells[part]))
            self._pending[held : held + len(new)] = new
            begin += len(new)
            if held + len(new) == len(self._pending):
                self._pass_on(self._pending)

    def merge(self, other: "NonGaussianAccumulator") -> None:
        """Takes in independent runs of the same ions, whose ions count as further ones."""
        check_settings(other._settings(), self._settings())
        self._runs = (*self._runs, *other._all_runs())

    def result(self) -> NonGaussian:
        """Raises: ValueError: fewer than two frames, or runs whose frames are not equally far apart."""
        runs = self._all_runs()
        if not runs:
            raise ValueError(f"found {self._frame.seen} frames, expected at least 2; a displacement needs a second frame")
        spacings = sorted({float(run.spacing) for run in runs})
        if len(spacings) > 1:
            raise ValueError(f"found runs with frames {spacings} fs apart, expected one spacing; read them with strides that agree")
        n_lags = min(len(run.lags) for run in runs)
        second, fourth = (np.concatenate([getattr(run, name)[:n_lags] for run in runs], axis=1) for name in ("second", "fourth"))
        correlation = correlation_in_time([run.stretches for run in runs])
        alpha, error = non_gaussian_parameter(second, fourth, correlation)
        times = runs[0].lags[:n_lags] * spacings[0]
        return NonGaussian(
            times,
            np.min([run.origins[:n_lags] for run in runs], axis=0),
            alpha,
            error,
            second.mean(1),
            *_peak(times, alpha, error),
            correlation,
        )

    def state(self) -> dict[str, np.ndarray]:
        return {"pending": self._pending.copy()} | stored_parts(self._parts()) | stored_runs(self._runs) | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        self._pending = np.array(state["pending"])
        load_parts(state, self._parts())
        self._runs = loaded_runs(state, RunMoments)

    def _parts(self) -> dict[str, Part]:
        return {"frame": self._frame, "moments": self._moments, "stretches": self._stretches}

    def _settings(self) -> dict[str, np.ndarray]:
        return self._frame.settings() | {"timestep": np.array(self.timestep)}

    def _pass_on(self, u: np.ndarray) -> None:
        turn = np.linalg.solve(self._frame.cell, self._frame.mean_cell)  # from the first cell to the mean one so far
        self._stretches.update(int(self._moments.seen), u.transpose(0, 2, 1))
        self._moments.update(u, turn)

    def _all_runs(self) -> tuple[RunMoments, ...]:
        """With the frames that wait for their block, on a copy."""
        if self._frame.seen < 2:
            return self._runs
        whole = NonGaussianAccumulator(self._frame.atoms, self.timestep, self._frame.drift if len(self._frame.drift) else None)
        whole._frame.drift = self._frame.drift  # not divided by its sum once more
        whole.load(self.state())
        if waiting := self._frame.seen - int(self._moments.seen):
            whole._pass_on(whole._pending[:waiting])
        moments = whole._moments
        second, fourth = (moments.sums / moments.counts[:, None, None]).transpose(1, 0, 2)
        ends = np.einsum("tcn,cd->tdn", whole._stretches.displacements, np.linalg.solve(self._frame.cell, self._frame.mean_cell))
        spacing = np.array(self.timestep * self._frame.interval)
        return (RunMoments(spacing, moments.lags, moments.counts.copy(), second, fourth, (ends**2).sum(1)), *self._runs)


def non_gaussian_parameter(second: np.ndarray, fourth: np.ndarray, correlation: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """α₂ and its standard error, (n_lags,) each, by the jackknife over ions.

    Args:
        second, fourth: (n_lags, n_ions), ⟨r²⟩ and ⟨r⁴⟩ of each ion. The mean over ions is taken before the ratio: the mean of the ions'
            own α₂ would miss that they differ.
        correlation: by how much the variance exceeds that of independent ions.
    """
    n = second.shape[1]

    def alpha(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.divide(0.6 * b, a**2, out=np.ones_like(a), where=a > 0) - 1  # 0 where nothing moves

    found = alpha(second.mean(1), fourth.mean(1))
    if n < 2:
        return found, np.full(len(found), np.nan)
    left_out = alpha((second.sum(1, keepdims=True) - second) / (n - 1), (fourth.sum(1, keepdims=True) - fourth) / (n - 1))
    scatter = ((left_out - left_out.mean(1, keepdims=True)) ** 2).sum(1)
    student = stdtrit(max(n / correlation - 1, 1), ONE_SIGMA)
    return found, student * np.sqrt(correlation * (n - 1) / n * scatter)


def _peak(times: np.ndarray, alpha: np.ndarray, error: np.ndarray) -> tuple[Estimate, Estimate]:
    clear = alpha > CLEAR * error
    if not clear.any():
        reason = f"nowhere above {CLEAR:g} times its error" if np.isfinite(error).any() else "one ion alone has no error"
        return no_result(reason), no_result(reason, "ps")
    k = int(np.argmax(np.where(clear, alpha, -np.inf)))
    alike = times[alpha + error >= alpha[k] - error[k]]
    place = times[k] / PS
    return Estimate(float(alpha[k]), float(error[k])), Estimate(
        float(place), float(max(place - alike.min() / PS, alike.max() / PS - place)), unit="ps"
    )
