"""A run: replicas taken through the stages of a protocol, recorded, guarded, and able to go on after a kill to the last bit."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mlff.md.batch import Batch
from mlff.md.checkpoint import Checkpoint
from mlff.md.dynamics import Target
from mlff.md.guards import Guards, Stop
from mlff.md.plan import Plan
from mlff.md.protocol import Stage
from mlff.md.recorder import Recorder
from mlff.md.relax import Relax
from mlff.md.run_folder import RunFolder
from mlff.md.shapes import MeanShapes
from mlff.md.thermo import thermodynamics
from mlff.md.watch import Watch


class Simulation:
    """Runs a plan in a folder, and goes on with what it finds there.

    Neighbours are found anew at each checkpoint, so that what follows depends on the checkpoint alone.

    Args:
        folder: of the run, see `RunFolder`. watch: told how it goes.
    """

    def __init__(self, plan: Plan, folder: Path, watch: Watch):
        self.plan, self.folder, self.watch = plan, RunFolder(folder, plan), watch
        self.n_steps = plan.protocol.n_steps(plan.settings.timestep)

    def run(self) -> dict[str, str]:
        """Take all replicas to the end of the protocol.

        Returns:
            how each ended, by its name: "finished", or why it was stopped.
        """
        checkpoint = self.folder.checkpoint()
        if checkpoint is None or checkpoint.names:
            self._take(checkpoint)
        return {replica.name: self.folder.ending(replica) for replica in self.plan.replicas}

    def _take(self, checkpoint: Checkpoint | None) -> None:
        """All that moves to the end."""
        self._recorders: list[Recorder] = []
        try:
            self._begin(checkpoint)
            with self.watch.over(self.n_steps, self.state.step, self.plan.settings.timestep):
                while self.stage < len(self.plan.protocol.stages) and self.batch.replicas:
                    self._through(self.plan.protocol.stages[self.stage])
            for k, replica in enumerate(self.batch.replicas):
                self.folder.finish(replica, self.state.of([k], self.batch.sizes))
        finally:
            for recorder in self._recorders:
                recorder.writer.close()

    def _begin(self, checkpoint: Checkpoint | None) -> None:
        every = self.plan.replicas
        moving = [replica for replica in every if checkpoint is None or replica.name in checkpoint.names]
        self.batch = Batch(self.plan.potential, moving, self.plan.settings)
        self.mean_shapes = MeanShapes(self.batch, self.batch.start().positions) if self.plan.reference == "averaged" else None
        if checkpoint is None:
            self.stage, self.step_in_stage, self.state = 0, 0, self.batch.start()
            self._recorders = [self.folder.new_recorder(replica) for replica in moving]
            self._write()
            return
        self.stage, self.step_in_stage, self.state = checkpoint.stage, checkpoint.step_in_stage, checkpoint.state
        self.batch.noise.restore(checkpoint.noise)
        if self.mean_shapes is not None:
            self.mean_shapes.restore(checkpoint.kept)
        if self.state.step:
            self.anchor, self.began_with = checkpoint.kept["anchor"], checkpoint.kept["began_with"]
        if self.stage == len(self.plan.protocol.stages) and self.state.step < self.n_steps:  # the last stage has become longer
            self.stage -= 1
            earlier = self.plan.protocol.stages[: self.stage]
            self.step_in_stage = self.state.step - sum(stage.n_steps(self.plan.settings.timestep) for stage in earlier)
        self._recorders = [self.folder.recorder(replica, self.state.step) for replica in moving]

    def _through(self, stage: Stage) -> None:
        """The rest of a stage, from wherever it is."""
        n_steps = stage.n_steps(self.plan.settings.timestep)
        self._enter(stage, n_steps)
        every = self.plan.intervals
        while self.step_in_stage < n_steps:
            self.step_in_stage += 1
            target, thermo = self._target(stage, n_steps), self.step_in_stage % every.thermo == 0
            self.state = self._ensemble.step(self._dynamics, self.state, target, thermo)
            ends, stops = self.step_in_stage == n_steps, []
            if ends or self.step_in_stage % every.check == 0 or not self._guards.forces_pass(self.state):
                stops = self._guards.stops(self._dynamics, self.state, target)
            if stops:
                self._stop(stage, n_steps, stops)
                if not self.batch.replicas:
                    return
            self._record(stage, self._target(stage, n_steps) if stops else target)
            if ends:
                self.stage, self.step_in_stage = self.stage + 1, 0
            if ends or stops or self.step_in_stage % every.chunk == 0:
                self._write()
            if ends:
                return

    def _enter(self, stage: Stage, n_steps: int) -> None:
        """Constraints, degrees of freedom and guards of a stage; at its beginning, velocities and a bath at rest as well."""
        begins, held_before = self.step_in_stage == 0, self._held_before(stage)
        if begins:
            if not held_before:
                self.anchor = self.state.positions
            if self.mean_shapes is not None and not stage.constrained:
                self.mean_shapes.forget()
        shapes = self.mean_shapes.result() if self.mean_shapes is not None and stage.constrained else None
        self._held, obeying = self.batch.held(replace(self.state, positions=self.anchor), stage.constrained, shapes)
        self._ensemble = self.plan.ensemble_of(stage)
        self._dynamics = self.batch.dynamics(self._ensemble, self._held)
        bounds = self.plan.bounds
        if isinstance(self._ensemble, Relax):
            bounds = replace(bounds, temperature=math.inf)  # velocities of a descent are no heat
        self._guards = Guards(bounds, self.batch, self._held)
        if begins:
            target, rests = self._target(stage, n_steps), self.batch.rests(self._ensemble, self._held)
            state = self.state if held_before else replace(self.state, positions=obeying)
            state = self.batch.moving(self._dynamics, state, rests, target, self.plan.draws(self.stage))
            self.state = self._ensemble.begin(self._dynamics, state, target)
            self.began_with = self._ensemble.conserved(self._dynamics, self.state, target)

    def _held_before(self, stage: Stage) -> bool:
        """Whether the constraint of the stage before goes on: then so does its reference."""
        return self.stage > 0 and stage.constrained and self.plan.protocol.stages[self.stage - 1].constrained

    def _target(self, stage: Stage, n_steps: int) -> Target:
        step = max(self.step_in_stage - 1, 0)
        return self.batch.target([stage.temperature(replica.temperature, step, n_steps) for replica in self.batch.replicas])

    def _record(self, stage: Stage, target: Target) -> None:
        every, state, step = self.plan.intervals, self.state, self.step_in_stage
        sizes = self.batch.sizes
        if stage.record and step % every.frames == 0:
            positions, cells = state.positions.cpu().split(sizes), state.cell.cpu()
            for recorder, own, cell in zip(self._recorders, positions, cells, strict=True):
                recorder.frame(state.step, own.numpy(), cell.numpy())
        if stage.record and every.velocities is not None and step % every.velocities == 0:
            for recorder, own in zip(self._recorders, state.velocities.cpu().split(sizes), strict=True):
                recorder.velocities(state.step, own.numpy())
        if self.mean_shapes is not None and not stage.constrained and step % every.frames == 0:
            self.mean_shapes.add(state.positions)
        if step % every.thermo == 0:
            rows = thermodynamics(self._dynamics, self._ensemble, state, target, self.began_with)
            for k, recorder in enumerate(self._recorders):
                # a pressure without the constraint's share of the virial would be wrong, and one without a volume is none
                known = {name: values[k] for name, values in rows.items() if name != "pressure" or self._has_pressure(k)}
                recorder.thermo(state.step, known)
            self.watch.shows(state.step, len(self.batch.replicas), rows)

    def _has_pressure(self, k: int) -> bool:
        replica = self.batch.replicas[k]
        return replica.mode == "UC" and replica.atoms.cell.rank == 3

    def _write(self) -> None:
        """Trajectories first, then the checkpoint: what a kill in between leaves too much is cut off by the restart."""
        for recorder in self._recorders:
            recorder.write()
        kept: dict[str, Tensor] = {} if self.mean_shapes is None else self.mean_shapes.state()
        if self.state.step:
            kept |= {"anchor": self.anchor, "began_with": self.began_with}
        names = [replica.name for replica in self.batch.replicas]
        checkpoint = Checkpoint(self.stage, self.step_in_stage, names, self.state, self.batch.noise.state(), kept)
        self.folder.keep(checkpoint)
        self.batch.force_field.neighbors.forget()

    def _stop(self, stage: Stage, n_steps: int, stops: Sequence[Stop]) -> None:
        """Take replicas out of the batch, each with its last frame and the reason; the others go on."""
        state = self.state
        for stop in stops:
            replica, recorder = self.batch.replicas[stop.replica], self._recorders[stop.replica]
            recorder.write()
            recorder.writer.close()
            self.folder.leave(replica, stop, state.of([stop.replica], self.batch.sizes), stage.name)
            self.watch.stopped(replica.name, f"was stopped at step {state.step} ({stage.name}): {stop.reason}")
        gone = {stop.replica for stop in stops}
        left = [k for k in range(len(self.batch.replicas)) if k not in gone]
        self._recorders = [self._recorders[k] for k in left]
        if not left:
            self.batch.replicas = []
            self._write()
            return
        self._keep(left)
        self._enter(stage, n_steps)

    def _keep(self, which: Sequence[int]) -> None:
        sizes, noise = self.batch.sizes, self.batch.noise
        self.state = self.state.of(which, sizes)
        self.anchor = torch.cat([self.anchor.split(sizes)[k] for k in which])
        self.began_with = self.began_with[list(which)]
        noise.keep(which)
        self.batch = Batch(self.plan.potential, [self.batch.replicas[k] for k in which], self.plan.settings)
        self.batch.noise = noise
        if self.mean_shapes is not None:
            self.mean_shapes.keep(which, self.batch)
