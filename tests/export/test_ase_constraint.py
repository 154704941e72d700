"""Constrained anions in ASE's dynamics and relaxations."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.constraints import FixCom
from ase.filters import FrechetCellFilter
from ase.io import Trajectory
from ase.md.andersen import Andersen
from ase.md.bussi import Bussi
from ase.md.langevin import Langevin
from ase.md.langevinbaoab import LangevinBAOAB
from ase.md.melchionna import MelchionnaNPT
from ase.md.nose_hoover_chain import MTKNPT, IsotropicMTKNPT, NoseHooverChainNVT
from ase.md.nptberendsen import NPTBerendsen
from ase.md.nvtberendsen import NVTBerendsen
from ase.md.velocitydistribution import force_temperature
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS, FIRE

from mlff.export.ase import AnionConstraint
from mlff.geometry.anion_motion import projector
from mlff.geometry.superposition import centred
from mlff.geometry.topology import find_anions
from tests.export.springs import Springs
from tests.geometry.anions import cell_of_anions

MODES = ["RC", "TC", "RTC", "RVC", "RTVC"]
REMOVED = {"RC": 12, "TC": 12, "RTC": 24, "RVC": 48, "RTVC": 60}  # of four PS4
FS = units.fs


def moving(rng, mode: str | None, temperature: float = 600.0) -> Atoms:
    """Four PS4 and twelve Li on springs, at a temperature that counts the constraint, and without a total momentum if it is conserved."""
    atoms = cell_of_anions(rng)
    atoms.calc = Springs(atoms)
    atoms.positions += rng.normal(scale=0.05, size=atoms.positions.shape)
    width = np.sqrt(atoms.get_masses() * units.kB * temperature)[:, None]
    atoms.set_momenta(width * rng.normal(size=(len(atoms), 3)))
    if mode is not None:
        atoms.set_constraint(AnionConstraint.of(atoms, mode))
    if mode in (None, "RC", "RVC"):
        masses = atoms.get_masses()[:, None]
        atoms.set_momenta(atoms.get_momenta() - masses * atoms.get_momenta().sum(0) / masses.sum())
    force_temperature(atoms, temperature)
    return atoms


def motion_taken(atoms: Atoms, vectors: np.ndarray) -> float:
    """The largest part of vectors (n_atoms, 3) along what the constraint takes away, found from a projector made here."""
    (group,) = atoms.constraints[0].held
    parts = []
    for masses, reference, members in zip(group.masses, group.reference, group.atoms, strict=True):
        P, _ = projector(masses, reference, group.motions)
        parts.append(vectors[members].ravel() - P @ vectors[members].ravel())
    return float(np.abs(parts).max())


@pytest.mark.parametrize("mode", MODES)
def test_verlet_is_the_projected_verlet_written_out(mode, rng):
    """Positions of a loop in plain numpy, with a projector of all atoms; the energy is conserved, and nothing taken away moves."""
    atoms = moving(rng, mode)
    twin, start, before = atoms.copy(), atoms.positions.copy(), atoms.get_total_energy()

    def forces(x: np.ndarray) -> np.ndarray:
        return atoms.calc.get_forces(Atoms(twin.numbers, x, cell=twin.cell, pbc=True)).ravel()

    P, m, dt = np.eye(3 * len(atoms)), np.repeat(atoms.get_masses(), 3), 1.0 * FS
    for anion in find_anions(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc):
        rows = (3 * anion.atoms[:, None] + np.arange(3)).ravel()
        geometry = atoms.positions[anion.atoms] + anion.shifts @ atoms.cell.array
        P[np.ix_(rows, rows)], _ = projector(m[rows[::3]], geometry, {"RVC": "RV", "RTVC": "RTV"}.get(mode, mode.removesuffix("C")))
    x, v = twin.positions.ravel(), twin.get_velocities().ravel()
    a = P @ (forces(x.reshape(-1, 3)) / m)
    for _ in range(200):
        v = v + dt / 2 * a
        x = x + dt * v
        a = P @ (forces(x.reshape(-1, 3)) / m)
        v = v + dt / 2 * a

    energies = []
    dynamics = VelocityVerlet(atoms, dt)
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()))
    dynamics.run(200)
    np.testing.assert_allclose(atoms.positions.ravel(), x, rtol=0, atol=1e-8)
    assert np.abs(atoms.positions - start)[atoms.numbers == 3].max() > 0.1  # Å: it went somewhere
    assert motion_taken(atoms, atoms.get_velocities()) < 1e-14  # 1e-1 of a thermal velocity in ASE's units
    assert motion_taken(atoms, atoms.positions - start) < 1e-12  # Å
    # second order in a step that is a thirtieth of a period; without the projected momenta it drifts by tenths of an eV
    assert np.ptp(energies) < 5e-3 * atoms.get_kinetic_energy()
    assert energies[0] == pytest.approx(before)
    momentum = atoms.get_momenta().sum(0)
    assert (np.abs(momentum).max() < 1e-10) == (mode in ("RC", "RVC"))


@pytest.mark.parametrize("mode", ["RC", "RTC"])
def test_anions_neither_turn_nor_move(mode, rng):
    atoms = moving(rng, mode)
    cell = atoms.cell.array
    (group,) = atoms.constraints[0].held

    def centres() -> np.ndarray:
        return (group.geometry(atoms.positions, cell) * group.masses[..., None]).sum(1) / group.masses.sum(1)[:, None]

    start, shape = centres(), centred(group.geometry(atoms.positions, cell), group.masses)
    VelocityVerlet(atoms, 1 * FS).run(2000)
    angles, determined = group.rotations(atoms.positions, cell)
    assert angles.max() < 1e-8  # rad
    assert determined.min() > 0.5
    assert np.abs(centred(group.geometry(atoms.positions, cell), group.masses) - shape).max() > 0.02  # they vibrate
    moved = np.abs(centres() - start).max()
    assert moved < 1e-11 if mode == "RTC" else moved > 0.02


def test_a_drift_of_rounding_stays_of_rounding(rng):
    """20,000 random steps: nothing has to be put back, because the departure walks by rounding alone (2e-13 Å after 1e5 steps)."""
    atoms = moving(rng, "RTC")
    start, constraint = atoms.positions.copy(), atoms.constraints[0]
    for _ in range(20_000):
        new = atoms.positions + rng.normal(scale=0.03, size=start.shape)
        constraint.adjust_positions(atoms, new)
        atoms.positions = new
    assert np.abs(atoms.positions - start).max() > 0.1
    assert motion_taken(atoms, atoms.positions - start) < 1e-11  # Å


@pytest.mark.parametrize("mode", MODES)
def test_degrees_of_freedom_and_the_temperature(mode, rng):
    atoms = moving(rng, mode)
    assert atoms.get_number_of_degrees_of_freedom() == 96 - REMOVED[mode]
    assert atoms.get_temperature() == pytest.approx(600)
    assert atoms.get_kinetic_energy() == pytest.approx(0.5 * (96 - REMOVED[mode]) * units.kB * 600)


def langevin(atoms: Atoms, rng) -> Langevin:
    return Langevin(atoms, 2 * FS, temperature_K=600, friction=0.05 / FS, fixcm=False, rng=rng)


def bussi(atoms: Atoms, rng) -> Bussi:
    return Bussi(atoms, 2 * FS, 600, 20 * FS, rng=rng)


@pytest.mark.parametrize("mode", ["RC", "RTC"])
@pytest.mark.parametrize("thermostat", [langevin, bussi])
def test_thermostats_hold_the_temperature_of_what_is_free(thermostat, mode, rng):
    """Within 5 %; to count the 12 or 24 of 96 degrees of freedom too would be 12 % or 25 % off."""
    atoms, kinetic = moving(rng, mode, temperature=500), []
    dynamics = thermostat(atoms, rng)
    dynamics.attach(lambda: kinetic.append(atoms.get_kinetic_energy()))
    dynamics.run(2500)
    assert 2 * np.mean(kinetic[300:]) / (96 - REMOVED[mode]) / units.kB == pytest.approx(600, rel=0.05)
    assert motion_taken(atoms, atoms.get_velocities()) < 1e-14


def test_the_momentum_is_counted_with_fixcom(rng):
    """Rotation constrained leaves the total momentum conserved, and FixCom goes along with it."""
    atoms = moving(rng, "RC")
    atoms.set_constraint([*atoms.constraints, FixCom()])
    assert atoms.get_number_of_degrees_of_freedom() == 96 - 12 - 3
    centre = atoms.get_center_of_mass()
    langevin(atoms, rng).run(50)
    np.testing.assert_allclose(atoms.get_center_of_mass(), centre, atol=1e-12)
    assert motion_taken(atoms, atoms.get_velocities()) < 1e-14


@pytest.mark.filterwarnings("ignore:The implementation of `fixcm=True`:FutureWarning")
def test_the_centre_of_mass_is_not_for_others_to_fix_where_anions_stand(rng):
    """With `fixcm=True` the temperature of this cell is 635 K for a target of 600 K."""
    options = {"temperature_K": 600, "friction": 0.05 / FS, "rng": rng}
    atoms = moving(rng, "RTC")
    with pytest.raises(ValueError, match=r"Langevin with fixcm=True takes the total momentum from its noise, .* set fixcm=False"):
        Langevin(atoms, 2 * FS, fixcm=True, **options).run(1)
    Langevin(moving(rng, "RC"), 2 * FS, fixcm=True, **options).run(1)
    atoms.set_constraint([*atoms.constraints, FixCom()])
    with pytest.raises(ValueError, match="FixCom moves anions whose translation is constrained; remove it"):
        Langevin(atoms, 2 * FS, fixcm=False, **options).run(1)


class WithAStepOfItsOwn(VelocityVerlet):
    def step(self):
        return super().step()


@pytest.mark.parametrize(
    "make",
    [
        lambda atoms: NoseHooverChainNVT(atoms, FS, 600, 100 * FS),
        lambda atoms: NVTBerendsen(atoms, FS, temperature_K=600, taut=100 * FS),
        lambda atoms: Andersen(atoms, FS, temperature_K=600, andersen_prob=0.1),
        lambda atoms: LangevinBAOAB(atoms, FS, temperature_K=600, T_tau=100 * FS, rng=0),
        lambda atoms: WithAStepOfItsOwn(atoms, FS),
    ],
)
def test_dynamics_that_do_not_honour_constraints_stop_before_the_first_step(make, rng):
    atoms = moving(rng, "RC")
    dynamics, before = make(atoms), atoms.positions.copy()
    name = type(dynamics).__name__
    with pytest.raises(ValueError, match=f"{name} does not honour constraints on anions.*; use VelocityVerlet, Langevin or Bussi"):
        dynamics.run(1)
    np.testing.assert_array_equal(atoms.positions, before)
    atoms.set_constraint()
    make(atoms).run(1)


@pytest.mark.parametrize("npt", [IsotropicMTKNPT, MTKNPT])
def test_barostats_of_ase_that_refuse_by_themselves(npt, rng):
    with pytest.raises(NotImplementedError, match="does not support constraints"):
        npt(moving(rng, "RC"), FS, temperature_K=600, pressure_au=0.0, tdamp=100 * FS, pdamp=1000 * FS)


def with_stress(atoms: Atoms) -> Atoms:
    atoms.calc.implemented_properties = [*Springs.implemented_properties, "stress"]
    atoms.calc.get_stress = lambda *_: np.zeros(6)
    return atoms


@pytest.mark.parametrize(
    "run",
    [
        lambda atoms: NPTBerendsen(
            atoms, FS, temperature_K=600, pressure_au=0.0, taut=100 * FS, taup=1000 * FS, compressibility_au=1.0, fixcm=False
        ).run(1),
        lambda atoms: MelchionnaNPT(atoms, FS, temperature_K=600, externalstress=0.0, ttime=25 * FS, pfactor=1.0).run(1),
        lambda atoms: LangevinBAOAB(
            atoms, FS, temperature_K=600, externalstress=0.0, T_tau=100 * FS, P_tau=1000 * FS, P_mass=1e4, rng=0
        ).run(1),
        lambda atoms: FIRE(FrechetCellFilter(atoms), logfile=None).run(steps=1),
        lambda atoms: atoms.set_cell(1.01 * atoms.cell, scale_atoms=True),
        lambda atoms: atoms.get_stress(),
    ],
)
@pytest.mark.filterwarnings("ignore:WARNING. LangevinBAOAB has not been tested with constraints")
def test_the_cell_stays_because_the_virial_is_not_derived(run, rng):
    atoms = with_stress(moving(rng, "RC"))
    atoms.cell = np.triu(atoms.cell.array)  # as Melchionna's wants it
    cell = atoms.cell.array.copy()
    with pytest.raises(ValueError, match=r"have a virial of their own, which is not derived here|does not honour constraints on anions"):
        run(atoms)
    np.testing.assert_array_equal(atoms.cell.array, cell)
    assert atoms.get_stress(apply_constraint=False).tolist() == [0.0] * 6


@pytest.mark.parametrize("optimizer", [FIRE, BFGS])
@pytest.mark.parametrize("mode", ["RC", "RTC", "RTVC"])
def test_relaxations(optimizer, mode, rng):
    """Down to where the forces are the constraint's, whatever the masses, and above the free minimum, which is 0 here."""
    atoms = moving(rng, mode)
    start, before = atoms.positions.copy(), atoms.get_potential_energy()
    assert optimizer(atoms, logfile=None).run(fmax=1e-4, steps=1000)
    assert motion_taken(atoms, atoms.positions - start) < 1e-12
    assert 1e-4 < atoms.get_potential_energy() < 0.7 * before
    assert np.abs(atoms.get_forces(apply_constraint=False)).max() > 1e-3
    constraint, random = atoms.constraints[0], rng.normal(size=start.shape)
    along = random.copy()
    constraint.adjust_forces(atoms, along)
    new = atoms.positions + along
    constraint.adjust_positions(atoms, new)
    np.testing.assert_allclose(new, atoms.positions + along, atol=1e-12)  # a step along forces is allowed as it is
    step = 1e-4 * random
    for sign in (1, -1):  # no allowed step leads down
        new = atoms.positions + sign * step
        constraint.adjust_positions(atoms, new)
        assert atoms.calc.get_potential_energy(Atoms(atoms.numbers, new, cell=atoms.cell, pbc=True)) > atoms.get_potential_energy()


def test_what_is_given_is_put_where_the_constraint_allows_it(rng):
    """Anions take on the shape that is given, and momenta lose what is taken away."""
    atoms = cell_of_anions(rng)
    momenta = rng.normal(size=atoms.positions.shape)
    atoms.set_momenta(momenta)
    shape = atoms.positions[:5] + find_anions(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)[0].shifts @ atoms.cell.array
    before = atoms.positions.copy()
    constraint = AnionConstraint.of(atoms, "RVC", shapes=dict.fromkeys(range(4), shape))
    (group,) = constraint.held
    taken_on = centred(group.geometry(atoms.positions, atoms.cell.array), group.masses)
    np.testing.assert_allclose(taken_on @ taken_on.swapaxes(-1, -2), np.tile(taken_on[0] @ taken_on[0].T, (4, 1, 1)), atol=1e-12)
    assert np.abs(atoms.positions - before).max() > 0.02
    atoms.set_constraint(constraint)
    assert motion_taken(atoms, atoms.get_velocities()) < 1e-14
    np.testing.assert_array_equal(atoms.get_momenta()[atoms.numbers == 3], momenta[atoms.numbers == 3])
    np.testing.assert_allclose(atoms.get_momenta().sum(0), momenta.sum(0), atol=1e-12)


@pytest.mark.parametrize("mode", ["VC", "TVC"])
def test_rigid_bodies_that_turn_are_refused(mode, rng):
    with pytest.raises(ValueError, match=f"constraint mode {mode} leaves rigid bodies that turn.*; take RVC or RTVC"):
        AnionConstraint.of(cell_of_anions(rng), mode)


def test_nothing_to_constrain_is_refused(rng):
    with pytest.raises(ValueError, match="constraint mode UC takes nothing away"):
        AnionConstraint.of(cell_of_anions(rng), "UC")
    with pytest.raises(ValueError, match=r"found no anions of the kinds P2S7 in Li12P4S16, which has PS4; correct `kinds`"):
        AnionConstraint.of(cell_of_anions(rng), "RC", kinds=["P2S7"])
    with pytest.raises(ValueError, match=r"found no anions in Li2, which has none of a known shape"):
        AnionConstraint.of(Atoms("Li2", [[0, 0, 0], [3, 0, 0]]), "RC")


def test_a_part_of_the_atoms_keeps_the_anions_that_are_whole(rng):
    atoms = moving(rng, "RC")
    order = rng.permutation(len(atoms))
    momenta = rng.normal(size=(len(atoms), 3))
    shuffled = atoms[order]
    assert shuffled.get_number_of_degrees_of_freedom() == 84
    both = [one.set_momenta(p) or one.get_momenta() for one, p in ((atoms.copy(), momenta), (shuffled, momenta[order]))]
    np.testing.assert_allclose(both[1], both[0][order], atol=1e-12)
    assert atoms[7:].get_number_of_degrees_of_freedom() == 3 * 25 - 2 * 3  # the second of the four is cut
    assert atoms[atoms.numbers == 3].constraints == []
    with pytest.raises(NotImplementedError, match="Repeat is not compatible"):
        atoms.repeat(2)


def test_a_trajectory_is_written_without_the_constraint(rng, tmp_path):
    atoms = moving(rng, "RC")
    with Trajectory(tmp_path / "run.traj", "w", atoms) as written:
        VelocityVerlet(atoms, FS, trajectory=written).run(3)
    with Trajectory(tmp_path / "run.traj") as trajectory:
        frames = list(trajectory)
    assert [frame.constraints for frame in frames] == [[]] * 4
    np.testing.assert_array_equal(frames[-1].positions, atoms.positions)
    with pytest.raises(AttributeError, match="AnionConstraint is not written to files; make it anew"):
        atoms.constraints[0].todict()
    assert Atoms(atoms).get_number_of_degrees_of_freedom() == 84
