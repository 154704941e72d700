"""Whether files continue each other: steps that go on, one timestep, and no jump where one ends and the next begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MARGIN = 1.25  # a step across a joint is one more draw from the same distribution, and may by chance be the largest of all


class Steps:
    """Ascending steps, over files that go on counting, count anew, or do not count."""

    def __init__(self):
        self.last: int | None = None  # as it is stored
        self._own: int | None = None  # the same, as the file counts
        self._begin: int | None = None
        self._offset, self.interval = 0, 1  # interval: of the last two frames of one file

    def is_joint(self, own: int | None, new_file: bool) -> bool:
        """Whether a frame, which is not the first, begins a new file, or a run that was restarted inside one."""
        return self.last is not None and (new_file or (own is not None and self._own is not None and own <= self._own))

    def within(self, own: int | None) -> int:
        """The step of the next frame."""
        if self.last is None:
            self._begin = own
        else:
            self.interval = 1 if own is None or self._own is None else own - self._own
        return self._take(own, 0 if self.last is None else self.last + 1)

    def across(self, own: int | None, repeats: bool, where: str) -> int | None:
        """The step of the first frame after a joint; None where it is the last frame again.

        Args:
            repeats: whether its positions are those of the last frame.
        Raises:
            ValueError: the step is one that was passed already.
        """
        if own is None or self._own is None:
            self._own = own
            return None if repeats else self._take(own, self.last + 1)
        if own == self._own and repeats:
            return None
        if own <= min(self._own, self._begin):  # a run that counts anew
            self._offset = self.last - own + (0 if repeats else self.interval)
            self._own = own
            return None if repeats else self._take(own, 0)
        if own <= self._own:
            found = "the same step with other positions" if own == self._own else f"after step {self._own}"
            raise ValueError(
                f"{where}: found step {own} {found}, expected later steps: the run was restarted from an earlier step; remove what "
                f"was written from step {own} on before the restart"
            )
        return self._take(own, 0)

    def _take(self, own: int | None, counted: int) -> int:
        self._own, self.last = own, counted if own is None else own + self._offset
        return self.last


class Clock:
    """The timestep that steps and times tell, the better the longer they are."""

    def __init__(self, given: float | None):
        self.given = given
        self._first: tuple[int, float] | None = None  # of the frames since the last joint
        self._last: tuple[int, float] | None = None
        self._span, self._told = 0, None

    def anew(self) -> None:
        """The next frame begins a file, whose times may have another origin."""
        self._first = self._last = None

    def take(self, step: int, time: float | None, where: str) -> None:
        """The next frame.

        Raises:
            ValueError: neither a time nor a timestep; times that do not go on with the steps; or another timestep than the one given.
        """
        if time is None:
            if self.given is None:
                raise ValueError(f"{where}: found no time in this file, expected a timestep; give timestep=… in fs from step to step")
            return
        if self._first is None:
            self._first = self._last = (step, time)
            return
        passed, steps = time - self._last[1], step - self._last[0]
        resolution = 2e-3 + 2.5e-7 * abs(time)  # fs: three decimals in CP2K's files, float32 in XTC
        if self._told is None:
            self._check_first(passed / steps, resolution / steps, where)
        elif abs(passed - steps * self._told) > 0.01 * steps * self._told + resolution:
            raise ValueError(
                f"{where}: found {passed:.6g} fs after {steps} steps, expected {steps * self._told:.6g} as before; the timestep "
                "changed: import the parts as trajectories of their own"
            )
        self._last = (step, time)
        if step - self._first[0] >= self._span:
            self._span = step - self._first[0]
            self._told = (time - self._first[1]) / self._span

    def timestep(self, path: str) -> float:
        """fs; six digits of what the file tells.

        Raises:
            ValueError: the file tells none.
        """
        if self.given is not None:
            return float(self.given)
        if self._told is None:
            raise ValueError(f"{path}: found one frame, whose time tells no timestep; give timestep=… in fs from step to step")
        return float(f"{self._told:.6g}")

    def _check_first(self, found: float, resolution: float, where: str) -> None:
        if found <= 0:
            raise ValueError(f"{where}: found times that do not ascend, expected later ones; write the file again, or cut it here")
        if self.given is not None and abs(found - self.given) > 0.05 * self.given + resolution:
            raise ValueError(
                f"{where}: found {found:.6g} fs from step to step in the file, but timestep={self.given:g}; leave timestep out"
            )


@dataclass(frozen=True)
class Joint:
    """Where two files meet. where: path and frame. steps, usual_steps: from the frame before, and from frame to frame within the file."""

    where: str
    steps: int
    usual_steps: int
    moved: np.ndarray


class Jumps:
    """The steps of the atoms across joints beside those within files, which are the measure of what is a jump."""

    def __init__(self, symbols: list[str]):
        self.symbols = symbols
        self._largest = self._mean = 0.0
        self._joints: list[Joint] = []

    def take(self, moved: np.ndarray) -> None:
        """Displacements from frame to frame within a file, (n_frames, n_atoms), Å."""
        if len(moved):
            self._largest = max(self._largest, float(moved.max()))
            self._mean = max(self._mean, float(_rms(moved).max()))

    def take_joint(self, joint: Joint) -> None:
        self._joints.append(joint)

    def check(self) -> None:
        """Compare all joints; where each file is a single frame there is nothing to compare with.

        Raises:
            ValueError: an atom, or the mean of all, moves farther across a joint than it does anywhere within a file.
        """
        if not self._largest:
            return
        for joint in self._joints:
            farthest, mean = float(joint.moved.max()), float(_rms(joint.moved))
            if farthest > MARGIN * self._largest or mean > MARGIN * self._mean:
                atom = int(joint.moved.argmax())
                raise ValueError(
                    f"{joint.where}: found a jump of {farthest:.3g} Å by atom {atom} ({self.symbols[atom]}), {mean:.3g} Å in the mean of "
                    f"all, {joint.steps} steps after the frame before; expected at most {self._largest:.3g} and {self._mean:.3g} Å, the "
                    f"largest from frame to frame within the files (every {joint.usual_steps} steps); give the files in order, add the one "
                    "that is missing between them, or import them as trajectories of their own"
                )


def _rms(moved: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(moved).mean(axis=-1))
