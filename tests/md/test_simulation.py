"""Whole runs: what they leave behind, killed anywhere and gone on with; replicas beside others; what is stopped."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.io import read
from safetensors.torch import load_file

from mlff.engine import Committee
from mlff.geometry.superposition import angle, centred, superposition
from mlff.md.batch import Settings
from mlff.md.csvr import CSVR
from mlff.md.guards import Bounds
from mlff.md.langevin import Langevin
from mlff.md.mtk import MTK
from mlff.md.plan import Plan
from mlff.md.protocol import Protocol, Stage
from mlff.md.recorder import Intervals
from mlff.md.relax import Relax
from mlff.md.replica import Replica
from mlff.md.simulation import Simulation
from mlff.md.watch import Silent
from mlff.trajectory import Trajectory
from mlff.units import K_B
from tests.checks import answer_of
from tests.contracts.potentials import build_committee
from tests.geometry.anions import cell_of_anions
from tests.md.toys import potential

INTERVALS = Intervals(frames=2, velocities=4, thermo=1, check=2, chunk=8)
OWN = Stage("own", duration=0.014, constrained=False)
WARM = Stage("warm", rate=1500.0, start=300.0, end=330.0, constrained=False)  # 20 steps: three of 10 K
HELD = Stage("held", duration=0.018)
NPT = Stage("npt", duration=0.012, constrained=False, ensemble="npt")
OTHERS = {
    "npt": MTK(period=50.0, box_period=100.0),
}


class Killed(Silent):
    """Dies at a step, and at no other."""

    def __init__(self, step: int):
        super().__init__()
        self.step = step

    def shows(self, step, n_replicas, rows):
        if step == self.step:
            raise KeyboardInterrupt


def anions(seed: int, name: str, mode: str = "RC", **options) -> Replica:
    return Replica(name, cell_of_anions(np.random.default_rng(seed), thermal=0.02), 300.0, mode=mode, seed=seed, **options)


def colliding(name: str = "hot") -> Replica:
    """Lithium so hot that two atoms meet within a few steps."""
    grid = np.stack(np.meshgrid(*[range(2)] * 3), -1).reshape(-1, 3) / 2
    return Replica(name, Atoms("Li8", scaled_positions=grid, cell=np.eye(3) * 5.4, pbc=True), 40000.0, seed=4)


def plan(*replicas: Replica, stages=(OWN, WARM, HELD, NPT), **options) -> Plan:
    given = {"potential": potential(), "ensemble": Langevin(friction=5.0), "settings": Settings(1.0, dtype="float64"), "others": OTHERS}
    given |= {"intervals": INTERVALS, "bounds": Bounds(contact=0.6), "reference": "averaged"}
    return Plan(replicas=replicas, protocol=Protocol(stages), **{**given, **options})


def left_behind(folder: Path) -> dict[str, np.ndarray]:
    """All that a run leaves, by where it is."""
    found = {f"checkpoint/{name}": values.numpy() for name, values in load_file(folder / "checkpoint.safetensors").items()}
    for own in sorted((folder / "replicas").iterdir()):
        trajectory = Trajectory(own / "trajectory")
        frames = list(trajectory)
        found[f"{own.name}/positions"] = np.array([atoms.positions for atoms in frames])
        found[f"{own.name}/cell"] = np.array([atoms.cell.array for atoms in frames])
        for name in ("velocities", "thermo"):
            series = trajectory.series(name)
            found[f"{own.name}/{name}/steps"] = series.steps
            found |= {f"{own.name}/{name}/{column}": values for column, values in series.values.items()}
        for extra in ("stopped.json", "stopped.extxyz"):
            if (own / extra).exists():
                found[f"{own.name}/{extra}"] = np.frombuffer((own / extra).read_bytes(), np.uint8)
    return found


def assert_identical(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Three replicas, of which the first is stopped on the way: without a kill."""
    folder = tmp_path_factory.mktemp("whole")
    endings = Simulation(plan(colliding(), anions(1, "a"), anions(2, "b", "RTVC")), folder, Silent()).run()
    assert endings["hot"] != "finished"
    assert [endings["a"], endings["b"]] == ["finished"] * 2
    return left_behind(folder), endings


@pytest.mark.parametrize("step", [1, 15, 34, 47, 60])
def test_a_run_that_was_killed_goes_on_to_the_last_bit(step, tmp_path, whole):
    """In a ramp, at its end, under constraints with averaged references, after another replica was stopped, with a moving box."""
    replicas = [colliding(), anions(1, "a"), anions(2, "b", "RTVC")]
    with pytest.raises(KeyboardInterrupt):
        Simulation(plan(*replicas), tmp_path, Killed(step)).run()
    endings = Simulation(plan(*replicas), tmp_path, Silent()).run()
    assert endings == whole[1]
    assert_identical(left_behind(tmp_path), whole[0])


def test_a_run_may_be_killed_many_times(tmp_path, whole):
    replicas = [colliding(), anions(1, "a"), anions(2, "b", "RTVC")]
    for step in (7, 35, 63):
        with pytest.raises(KeyboardInterrupt):
            Simulation(plan(*replicas), tmp_path, Killed(step)).run()
    Simulation(plan(*replicas), tmp_path, Silent()).run()
    assert_identical(left_behind(tmp_path), whole[0])


def test_shapes_are_averaged_over_the_frames_of_the_last_free_stage_alone(whole):
    assert int(whole[0]["checkpoint/kept.shape_count"]) == 6  # of 12 steps, every second


def test_a_finished_run_is_left_as_it_is(tmp_path, whole):
    given = plan(anions(1, "a"), stages=(OWN,))
    Simulation(given, tmp_path, Silent()).run()
    before = left_behind(tmp_path)
    assert Simulation(given, tmp_path, Silent()).run() == {"a": "finished"}
    assert_identical(left_behind(tmp_path), before)


def test_a_replica_does_not_feel_what_runs_beside_it_nor_what_is_stopped(tmp_path, whole):
    """Alone as in company: the same noise, and the same motion but for sums in another order."""
    for replica in (anions(1, "a"), anions(2, "b", "RTVC")):
        Simulation(plan(replica), tmp_path / replica.name, Silent()).run()
        alone = left_behind(tmp_path / replica.name)
        for name in ("positions", "cell"):
            np.testing.assert_allclose(alone[f"{replica.name}/{name}"], whole[0][f"{replica.name}/{name}"], rtol=0, atol=1e-10)


def test_what_is_stopped_leaves_its_last_frame_and_a_message(tmp_path):
    watch = Silent()
    endings = Simulation(plan(colliding(), anions(1, "a")), tmp_path, watch).run()
    own = tmp_path / "replicas" / "hot"
    words = json.loads((own / "stopped.json").read_text())
    assert endings == {"hot": words["reason"], "a": "finished"}
    assert watch.told == [f"hot was stopped at step {words['step']} ({words['stage']}): {words['reason']}"]
    last = read(own / "stopped.extxyz")
    distances = last.get_distances(words["atom"], [k for k in range(8) if k != words["atom"]], mic=True)
    assert distances.min() < 0.6 * 2 * 1.28
    steps = [atoms.info.get("step") for atoms in Trajectory(own / "trajectory")]
    assert len(steps) <= words["step"] // 2


def test_all_replicas_stopped_end_the_run(tmp_path):
    endings = Simulation(plan(colliding()), tmp_path, Silent()).run()
    assert endings["hot"] != "finished"
    assert Simulation(plan(colliding()), tmp_path, Silent()).run() == endings


def test_temperatures_and_steps_are_recorded_as_the_protocol_says(tmp_path):
    Simulation(plan(anions(1, "a"), stages=(WARM, HELD)), tmp_path, Silent()).run()
    thermo = Trajectory(tmp_path / "replicas" / "a" / "trajectory").series("thermo")
    assert thermo.steps.tolist() == list(range(1, 39))
    np.testing.assert_allclose(thermo.values["target"], np.repeat([300.0, 310, 320, 330, 300], [5, 5, 5, 5, 18]))
    # 32 atoms of which four rotations are held in the second stage: kT = 2K/n_dof with n_dof counted
    n_dof = 2 * thermo.values["kinetic_energy"] / (K_B * thermo.values["temperature"])
    np.testing.assert_allclose(n_dof, np.repeat([96, 84], [20, 18]))


@pytest.mark.parametrize(("mode", "reference"), [("RC", "current"), ("RC", "averaged"), ("TVC", "averaged")])
def test_a_constraint_that_goes_on_keeps_its_reference(mode, reference, tmp_path):
    """Also after a kill between the stages: anions do not turn, or move away, from one stage to the next."""
    stages = [OWN, *(Stage(name, duration=0.016) for name in ("one", "two", "three"))]
    replica = anions(1, "a", mode)
    with pytest.raises(KeyboardInterrupt):
        Simulation(plan(replica, stages=stages, reference=reference), tmp_path, Killed(33)).run()
    Simulation(plan(replica, stages=stages, reference=reference), tmp_path, Silent()).run()
    at = left_behind(tmp_path)["a/positions"][7:]
    atoms = np.stack([anion.atoms for anion in replica.anions])
    masses = replica.atoms.get_masses()[atoms]
    if mode == "TVC":
        centres = np.einsum("ki,fkia->fka", masses, at[:, atoms]) / masses.sum(1)[:, None]
        assert np.abs(centres - centres[0]).max() < 2e-5  # Å: rounding of the frames that are kept
        assert np.abs(at[-1] - at[0])[atoms].max() > 1e-3
        return
    first = at[0]
    if reference == "current":
        first = left_behind(tmp_path)["checkpoint/kept.anchor"]
    else:
        shapes = left_behind(tmp_path)["checkpoint/kept.shape_sums_0"]
        anchor = left_behind(tmp_path)["checkpoint/kept.anchor"]
        laid = superposition(shapes, anchor[atoms], masses)[0]
        first = anchor.copy()
        first[atoms] = centred(shapes, masses) @ laid.swapaxes(1, 2)
    for frame in at[1:]:
        assert angle(superposition(first[atoms], frame[atoms], masses)[0]).max() < 2e-5  # rad: rounding of the frames that are kept


def test_recorded_energies_and_pressures_are_those_of_the_recorded_frames(tmp_path):
    """P = (2K/V − tr σ)/3; none is recorded where a constraint, whose virial is not known, has its share."""
    Simulation(plan(anions(1, "a", "UC"), anions(2, "b"), stages=(OWN,), reference="current"), tmp_path, Silent()).run()
    trajectory = Trajectory(tmp_path / "replicas" / "a" / "trajectory")
    thermo = trajectory.series("thermo")
    for k, atoms in enumerate(trajectory):
        row = {name: values[2 * k + 1] for name, values in thermo.values.items()}  # frames are of every second step
        answer, volume = answer_of(potential())(atoms), atoms.get_volume()
        # frames are rounded to some 10⁻⁵ Å
        assert row["potential_energy"] == pytest.approx(answer.energy, abs=1e-4)
        assert row["pressure"] == pytest.approx((2 * row["kinetic_energy"] / volume - np.trace(answer.stress)) / 3, abs=1e-6)
        assert row["volume"] == pytest.approx(volume)
    assert abs(row["pressure"]) > 1e-4
    assert "pressure" not in Trajectory(tmp_path / "replicas" / "b" / "trajectory").series("thermo").values


def test_a_descent_is_not_stopped_for_its_speed(tmp_path):
    """A strained structure falls faster than its temperature allows; the dynamics that follow begin at that temperature."""
    replica = Replica("a", cell_of_anions(np.random.default_rng(1), thermal=0.25), 50.0)
    stages = [Stage("relax", duration=0.1, ensemble="relax"), Stage("md", duration=0.01)]
    given = plan(
        replica, stages=stages, others={"relax": Relax()}, reference="current", bounds=Bounds(temperature=1.0, bond=None), ensemble=CSVR()
    )
    assert Simulation(given, tmp_path, Silent()).run() == {"a": "finished"}
    thermo = Trajectory(tmp_path / "replicas" / "a" / "trajectory").series("thermo").values
    assert thermo["temperature"][:100].max() > 300  # beyond ten standard deviations of 50 K
    assert thermo["potential_energy"][99] < thermo["potential_energy"][0] - 1
    assert thermo["temperature"][100] == pytest.approx(50, rel=0.5)


def test_members_drive_replicas_of_their_own(tmp_path):
    """A replica driven by one member moves as under that member alone; the mean is another motion."""
    members = build_committee("lean", 2, size="XS")
    committee = Committee(members)
    start = [anions(1, name, "UC", driver=driver) for name, driver in (("first", 0), ("second", 1), ("mean", -1))]
    Simulation(plan(*start, potential=committee, reference="current", stages=(HELD,)), tmp_path / "all", Silent()).run()
    found = left_behind(tmp_path / "all")
    for k, name in enumerate(("first", "second")):
        given = plan(anions(1, name, "UC"), potential=members[k], reference="current", stages=(HELD,))
        Simulation(given, tmp_path / name, Silent()).run()
        alone = left_behind(tmp_path / name)
        np.testing.assert_allclose(found[f"{name}/positions"], alone[f"{name}/positions"], rtol=0, atol=1e-10)
    assert "deviation" in "".join(found)
    assert found["first/thermo/deviation"].min() > 0


def test_a_checkpoint_of_other_replicas_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Simulation(plan(anions(1, "a")), tmp_path, Killed(30)).run()
    with pytest.raises(ValueError, match=r"holds the replicas \['a'\], expected \['b'\].*folder of its own"):
        Simulation(plan(anions(1, "b")), tmp_path, Silent()).run()
    fewer = Replica("a", cell_of_anions(np.random.default_rng(1))[:-1], 300.0)
    with pytest.raises(ValueError, match=r"holds 32 atoms of \['a'\], expected 31"):
        Simulation(plan(fewer), tmp_path, Silent()).run()


def test_a_checkpoint_of_replicas_in_another_order_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Simulation(plan(anions(1, "a"), anions(2, "b")), tmp_path, Killed(30)).run()
    with pytest.raises(ValueError, match=r"holds the replicas \['a', 'b'\], expected \['b', 'a'\]"):
        Simulation(plan(anions(2, "b"), anions(1, "a")), tmp_path, Silent()).run()


def test_a_damaged_or_foreign_checkpoint_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Simulation(plan(anions(1, "a")), tmp_path, Killed(30)).run()
    path = tmp_path / "checkpoint.safetensors"
    whole = path.read_bytes()
    for damaged in (whole[:-100], b"", b"x" * 200):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"checkpoint.safetensors cannot be read .*expected a checkpoint; begin the run anew"):
            Simulation(plan(anions(1, "a")), tmp_path, Silent()).run()
    path.write_bytes(whole.replace(b"mlff-md-checkpoint-1", b"mlff-md-checkpoint-7"))
    with pytest.raises(ValueError, match=r"of format 'mlff-md-checkpoint-7', expected 'mlff-md-checkpoint-1'"):
        Simulation(plan(anions(1, "a")), tmp_path, Silent()).run()


def test_a_replica_that_never_ran_is_not_called_finished(tmp_path):
    Simulation(plan(anions(1, "a"), stages=(OWN,)), tmp_path, Silent()).run()
    with pytest.raises(ValueError, match=r"holds the replicas \['a'\], expected \['a', 'b'\]"):
        Simulation(plan(anions(1, "a"), anions(2, "b"), stages=(OWN,)), tmp_path, Silent()).run()


@pytest.mark.parametrize("ensemble", [CSVR(), Langevin()], ids=["csvr", "langevin"])
def test_streams_of_noise_follow_from_seed_and_name_alone(ensemble, tmp_path):
    """Sizes and order of the others do not matter; another seed does."""
    stage = (Stage("only", duration=0.03),)
    a, b, c = anions(1, "a", "UC"), anions(2, "b"), Replica("c", cell_of_anions(np.random.default_rng(3))[20:], 300.0)
    for name, replicas in (("abc", (a, b, c)), ("ca", (c, a)), ("a", (a,))):
        Simulation(plan(*replicas, stages=stage, ensemble=ensemble, reference="current"), tmp_path / name, Silent()).run()
    found = [left_behind(tmp_path / name)["a/positions"] for name in ("abc", "ca", "a")]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0, atol=1e-10)
    again = Replica("a", a.atoms, 300.0, seed=9)
    Simulation(plan(again, stages=stage, ensemble=ensemble, reference="current"), tmp_path / "seed", Silent()).run()
    assert np.abs(left_behind(tmp_path / "seed")["a/positions"] - found[0]).max() > 0.01


def test_nothing_but_numbers(tmp_path):
    """A run leaves no value that is not a number, but for the pressure of what has no volume."""
    Simulation(plan(anions(1, "a", "UC")), tmp_path, Silent()).run()
    for name, values in left_behind(tmp_path).items():
        if values.dtype.kind == "f" and "state.stress" not in name:
            assert np.isfinite(values).all(), name
    assert torch.get_default_dtype() == torch.float32
