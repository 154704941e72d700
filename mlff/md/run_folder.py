"""What a run keeps on disk: a checkpoint, a trajectory for each replica, and the last frame of each that was stopped."""

import json
import shutil
from pathlib import Path

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from mlff.md.checkpoint import Checkpoint, expect_replicas, read_checkpoint, write_checkpoint
from mlff.md.guards import Stop
from mlff.md.plan import Plan
from mlff.md.recorder import Recorder
from mlff.md.replica import Replica
from mlff.md.state import State
from mlff.trajectory import Trajectory, TrajectoryWriter
from mlff.units import AMU

CHECKPOINT, REPLICAS, TRAJECTORY = "checkpoint.safetensors", "replicas", "trajectory"
STOPPED, STOPPED_FRAME, FINAL_FRAME = "stopped.json", "stopped.extxyz", "final.extxyz"
UNITS = {"length": "Å", "time": "fs", "energy": "eV", "pressure": "eV/Å³", "temperature": "K", "velocity": "Å/fs", "deviation": "eV/Å"}


class RunFolder:
    """The folder of a run; each replica has one in `replicas/`."""

    def __init__(self, path: Path, plan: Plan):
        self.path, self.plan = Path(path), plan

    def checkpoint(self) -> Checkpoint | None:
        """Where the run goes on; None where it begins.

        Raises:
            ValueError: it cannot be read, or is of other replicas.
        """
        path = self.path / CHECKPOINT
        if not path.exists():
            return None
        checkpoint = read_checkpoint(path, self.plan.settings.device)
        stopped = [replica.name for replica in self.plan.replicas if self._stopped(replica).exists()]
        expect_replicas(path, checkpoint, {replica.name: len(replica.atoms) for replica in self.plan.replicas}, stopped)
        return checkpoint

    def keep(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint."""
        write_checkpoint(self.path / CHECKPOINT, checkpoint)

    def new_recorder(self, replica: Replica) -> Recorder:
        """Of a trajectory that begins.

        Raises:
            ValueError: frames are there, but no checkpoint to go on from.
        """
        path = self._of(replica) / TRAJECTORY
        if path.exists() and len(Trajectory(path)) == 0:
            shutil.rmtree(path)  # of a run that was killed before its first checkpoint
        path.parent.mkdir(parents=True, exist_ok=True)
        atoms = replica.atoms.copy()
        atoms.positions = replica.positions
        return Recorder(TrajectoryWriter.create(path, atoms, {**self.plan.about, **self._words_on(replica)}))

    def recorder(self, replica: Replica, step: int) -> Recorder:
        """Of a trajectory that goes on from a step; what was said of a stop after that step is not so yet."""
        self._stopped(replica).unlink(missing_ok=True)
        return Recorder(TrajectoryWriter.open(self._of(replica) / TRAJECTORY, step))

    def leave(self, replica: Replica, stop: Stop, state: State, stage: str) -> None:
        """Write the frame of a replica that is stopped, and why; `state` is of it alone."""
        self._write_frame(replica, state, STOPPED_FRAME, stage=stage, reason=stop.reason)
        words = {"step": state.step, "stage": stage, "reason": stop.reason, "atom": stop.atom}
        self._stopped(replica).write_text(json.dumps(words, indent=2) + "\n")

    def finish(self, replica: Replica, state: State) -> None:
        """Write the frame that a replica ends with; `state` is of it alone."""
        self._write_frame(replica, state, FINAL_FRAME)

    def ending(self, replica: Replica) -> str:
        """ "finished", or why it was stopped."""
        stopped = self._stopped(replica)
        return json.loads(stopped.read_text())["reason"] if stopped.exists() else "finished"

    def _write_frame(self, replica: Replica, state: State, name: str, **info: str) -> None:
        """Positions, velocities and the potential energy in a file that ASE reads."""
        atoms = replica.atoms.copy()
        atoms.info = {"step": state.step, "time_fs": state.step * self.plan.settings.timestep, **info}
        atoms.set_cell(state.cell[0].cpu().numpy())
        atoms.positions = state.positions.cpu().numpy()
        atoms.set_velocities(state.velocities.cpu().numpy() * np.sqrt(AMU))  # ASE's time is that of eV, Å and amu
        atoms.calc = SinglePointCalculator(atoms, energy=float(state.energy[0]))
        write(self._of(replica) / name, atoms, format="extxyz")

    def _stopped(self, replica: Replica) -> Path:
        return self._of(replica) / STOPPED

    def _of(self, replica: Replica) -> Path:
        return self.path / REPLICAS / replica.name

    def _words_on(self, replica: Replica) -> dict[str, object]:
        timestep, first, stages = self.plan.settings.timestep, 0, []
        for stage in self.plan.protocol.stages:
            last = first + stage.n_steps(timestep)
            ensemble = self.plan.ensemble_of(stage)
            stages.append(
                {
                    "name": stage.name,
                    "first_step": first + 1,
                    "last_step": last,
                    "ensemble": type(ensemble).__name__,
                    "conserves_momentum": ensemble.conserves_momentum,
                    "recorded": stage.record,
                }
            )
            first = last
        own = {name: getattr(replica, name) for name in ("name", "structure", "temperature", "pressure", "mode", "seed", "driver")}
        kinds = None if replica.kinds is None else list(replica.kinds)
        return {**own, "kinds": kinds, "timestep": timestep, "stages": stages, "units": UNITS}
