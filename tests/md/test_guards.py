"""Each guard fires on what is built to break it, names the atom, and leaves a healthy replica beside it alone."""

import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.engine import Committee
from mlff.md.batch import Batch, Settings
from mlff.md.guards import Bounds, Guards, Stop
from mlff.md.nve import NVE
from mlff.md.replica import Replica
from tests.contracts.potentials import build_committee
from tests.geometry.anions import cell_of_anions
from tests.md.toys import potential


class Stage:
    """A healthy replica and one that a test may spoil, at the beginning of a stage."""

    def __init__(self, bounds: Bounds = Bounds(), model=None, mode: str = "UC"):  # noqa: B008 - frozen
        anions = [cell_of_anions(np.random.default_rng(k), thermal=0.02) for k in (1, 2)]
        replicas = [
            Replica(name, atoms, 300.0, mode=mode, seed=k) for k, (name, atoms) in enumerate(zip(("ok", "bad"), anions, strict=True))
        ]
        self.batch = Batch(model or potential(), replicas, Settings(1.0, dtype="float64"))
        held, _ = self.batch.held(self.batch.start(), True, None)
        self.dynamics, self.target = self.batch.dynamics(NVE(), held), self.batch.target([300.0, 300.0])
        self.guards = Guards(bounds, self.batch, held)
        state = self.batch.start()
        self.state = self.batch.moving(self.dynamics, state, [True, True], self.target, draw=True)

    def change(self, **values: torch.Tensor) -> None:
        self.state = type(self.state)(**{**vars(self.state), **values})

    def at(self, atom: int, place) -> None:
        """Put an atom of the replica that is spoilt somewhere."""
        positions = self.state.positions.clone()
        positions[32 + atom] = torch.as_tensor(place)
        self.state = self.dynamics.evaluated(self.state, positions, self.state.cell, True)

    def stops(self) -> list[Stop]:
        return self.guards.stops(self.dynamics, self.state, self.target)

    def reason(self, atom: int | None) -> str:
        (stop,) = self.stops()
        assert (stop.replica, stop.atom) == (1, atom)
        return stop.reason


@pytest.mark.parametrize("mode", ["UC", "RC", "RTC"])
def test_a_healthy_replica_goes_on(mode):
    stage = Stage(mode=mode)
    assert stage.guards.forces_pass(stage.state)
    assert stage.stops() == []


@pytest.mark.parametrize(
    ("force", "words"), [(np.nan, "is not a number"), (np.inf, "is not a number"), (-300.0, "is 300 eV/Å, expected 200.0 eV/Å at most")]
)
def test_a_force_that_is_none_or_too_large(force, words):
    stage = Stage()
    forces = stage.state.forces.clone()
    forces[32 + 9] = 0
    forces[32 + 9, 1] = force
    stage.change(forces=forces)
    assert not stage.guards.forces_pass(stage.state)
    assert words in stage.reason(9)
    assert stage.reason(9).startswith("the force on atom 9 ")


def test_an_energy_that_is_none():
    stage = Stage()
    stage.change(energy=torch.tensor([1.0, np.nan], dtype=torch.float64))
    assert stage.reason(None) == "the energy is not a number"


def test_atoms_that_come_too_close_also_across_the_boundary():
    """Half the sum of covalent radii: 1.28 Å of two Li (1.28 Å each)."""
    stage = Stage()
    cell, partner = stage.state.cell[1], stage.state.positions[32 + 25]
    stage.at(21, partner + cell[0] - 2 * cell[2] + torch.tensor([0.0, 1.3, 0.0]))
    assert stage.stops() == []
    stage.at(21, partner + cell[0] - 2 * cell[2] + torch.tensor([0.0, 1.26, 0.0]))
    (stop,) = stage.stops()
    assert (stop.replica, {stop.atom}) in ((1, {21}), (1, {25}))
    assert stop.reason in ("atoms 21 and 25 are 1.26 Å apart", "atoms 25 and 21 are 1.26 Å apart")


def test_heat_that_runs_away():
    stage = Stage()
    v = stage.state.velocities.clone()
    kT = float(stage.dynamics.replicas.kT(v)[1] / stage.target.kT[1])
    for times, stopped in ((3.9, False), (4.1, True)):
        heated = v.clone()
        heated[32:] *= (times / kT) ** 0.5
        stage.change(velocities=heated)
        assert bool(stage.stops()) == stopped
    assert stage.reason(None) == "the temperature is 1230 K, the target 300 K"


def test_a_few_atoms_may_be_hot_by_chance():
    """Two atoms, three degrees of freedom: nine times the target lies within ten standard deviations, ten times does not."""
    pair = Replica("pair", Atoms("LiLi", [[0, 0, 0], [3.0, 0, 0]], cell=np.eye(3) * 20, pbc=True), 300.0)
    batch = Batch(potential(), [pair], Settings(1.0, dtype="float64"))
    dynamics, target = batch.dynamics(NVE(), [[]]), batch.target([300.0])
    guards, state = Guards(Bounds(), batch, [[]]), batch.moving(dynamics, batch.start(), [True], target, draw=True)
    kT = float(dynamics.replicas.kT(state.velocities)[0] / target.kT[0])
    for times, stopped in ((9.0, False), (9.5, True)):
        hot = type(state)(**{**vars(state), "velocities": state.velocities * (times / kT) ** 0.5})
        assert bool(guards.stops(dynamics, hot, target)) == stopped


def test_an_anion_that_breaks_unless_it_may():
    """Beyond 1.25 times the longest length at which its bond is recognised."""
    centre_to = 1.18 * 3**0.5  # Å, of the tetrahedron
    limit = float(Stage().guards._anions[1]["PS4"][2].max())
    for bond, times, stopped in ((1.25, 1.2, False), (1.25, 1.3, True), (None, 1.3, False)):
        stage = Stage(Bounds(bond=bond))
        centre = stage.state.positions[32]
        sulfur = int(stage.batch.replicas[1].anions[0].atoms[1])
        away = stage.state.positions[32 + sulfur] - centre
        assert abs(float(away.norm()) - centre_to) < 0.1
        stage.at(sulfur, centre + away / away.norm() * limit * times)
        assert bool(stage.stops()) == stopped
        if stopped:
            assert stage.reason(0) == "PS4 number 0 broke"


def test_a_constrained_anion_that_is_turned_inside_out():
    stage = Stage(Bounds(bond=None, contact=0.01), mode="RC")
    at = stage.state.positions[32:37]
    # the four S pressed into the plane through P: a rotation from the reference has no meaning there
    positions = stage.state.positions.clone()
    axis = torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64) / 3**0.5
    for k in range(5):
        d = at[k] - at[0]
        positions[32 + k] = at[0] + d - (d @ axis) * axis * 1.9
    stage.state = stage.dynamics.evaluated(stage.state, positions, stage.state.cell, True)
    assert "constrained anion number 0 was bent out of its shape" in stage.reason(0)


def test_members_that_disagree():
    members = Committee(build_committee("lean", 2, size="XS"))
    stage = Stage(model=members)
    deviation = stage.state.deviation
    assert len(deviation) == 64
    bound = float(deviation[:32].max()) * 1.01
    raised = deviation.clone()
    raised[32:] = 0
    raised[32 + 17] = 2 * bound
    for bounds, stopped in ((Bounds(deviation=bound), True), (Bounds(deviation=bound, deviation_stops=False), False), (Bounds(), False)):
        stage = Stage(bounds, members)
        stage.change(deviation=raised)
        assert bool(stage.stops()) == stopped
        if stopped:
            assert stage.reason(17).startswith("the members disagree on atom 17 by ")
