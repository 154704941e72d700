"""What a run tells while it goes: a progress bar with speed, temperature, pressure and drift, and what was stopped."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from tqdm import tqdm

from mlff.units import EV_PER_A3_TO_GPA, TO_MILLI

SECONDS_PER_DAY, FS_PER_NS = 86400, 1e6


class Watch(Protocol):
    """Is told how a run goes."""

    def over(self, n_steps: int, done: int, timestep: float) -> contextlib.AbstractContextManager:
        """Around a run of `n_steps` of `timestep` (fs), some of them done before."""

    def shows(self, step: int, n_replicas: int, rows: Mapping[str, Sequence[float]]) -> None:
        """Thermodynamics of the replicas at a step: see `Simulation`."""

    def stopped(self, name: str, message: str) -> None:
        """A replica was taken out, and why."""


class Silent:
    """Tells nothing but what was stopped, which it keeps in `told`."""

    def __init__(self):
        self.told: list[str] = []

    @contextlib.contextmanager
    def over(self, n_steps: int, done: int, timestep: float) -> Iterator[None]:
        yield

    def shows(self, step: int, n_replicas: int, rows: Mapping[str, Sequence[float]]) -> None:
        pass

    def stopped(self, name: str, message: str) -> None:
        self.told.append(f"{name} {message}")


class ProgressBar:
    """A bar with the time left; means over replicas, and the largest drift and deviation of them."""

    @contextlib.contextmanager
    def over(self, n_steps: int, done: int, timestep: float) -> Iterator[None]:
        self._began, self._done, self._timestep = time.perf_counter(), done, timestep
        with tqdm(total=n_steps, initial=done, unit="step", dynamic_ncols=True, smoothing=0.05, mininterval=1.0) as self._bar:
            yield

    def shows(self, step: int, n_replicas: int, rows: Mapping[str, Sequence[float]]) -> None:
        self._bar.update(step - self._bar.n)
        per_day = (step - self._done) * self._timestep / FS_PER_NS / max(time.perf_counter() - self._began, 1e-9) * SECONDS_PER_DAY
        words = [f"{n_replicas} × {per_day:.3g} ns/day", f"{np.mean(rows['temperature']):.0f} K"]
        pressure = np.array(rows["pressure"])
        if np.isfinite(pressure).any():
            words.append(f"{np.nanmean(pressure) * EV_PER_A3_TO_GPA:.2f} GPa")
        words.append(f"drift {np.max(np.abs(rows['drift'])) * TO_MILLI:.2g} meV/atom")
        if "deviation" in rows:
            words.append(f"deviation {np.max(rows['deviation']):.3f} eV/Å")
        self._bar.set_postfix_str(", ".join(words), refresh=False)

    def stopped(self, name: str, message: str) -> None:
        self._bar.write(f"{name} {message}")
