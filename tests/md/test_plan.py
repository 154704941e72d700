import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms

from mlff.engine import Committee
from mlff.md.batch import Batch, Settings
from mlff.md.langevin import Langevin
from mlff.md.mtk import MTK
from mlff.md.nve import NVE
from mlff.md.plan import Plan
from mlff.md.protocol import Protocol, Stage
from mlff.md.recorder import Intervals
from mlff.md.relax import Relax
from mlff.md.replica import Replica
from tests.contracts.potentials import build_committee
from tests.geometry.anions import cell_of_anions
from tests.md.toys import begun, potential, tetrahedra

FREE, HELD = Stage("free", duration=1, constrained=False), Stage("held", duration=1)


def plan(*stages: Stage, **options) -> Plan:
    replicas = options.pop("replicas", [Replica("a", Atoms("Li", cell=[9, 9, 9], pbc=True), 300.0)])
    return Plan(potential(), replicas, Protocol(stages), Langevin(), Settings(1.0), **options)


def test_a_reference_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"reference is 'ideal', expected one of current, averaged"):
        plan(FREE, reference="ideal")


def test_ensembles_that_are_not_given_are_refused():
    with pytest.raises(ValueError, match=r"stages name the ensembles \['npt'\], expected some of \['relax'\]"):
        plan(Stage("a", duration=1, ensemble="npt"), others={"relax": Relax()})


def test_an_average_needs_something_to_average_over():
    with pytest.raises(
        ValueError, match=r"reference is 'averaged', but the first stage, held, is constrained; put one with constrained: false"
    ):
        plan(HELD, reference="averaged")
    plan(FREE, HELD, reference="averaged")


def test_an_average_needs_a_frame():
    with pytest.raises(ValueError, match=r"stage free takes 49 steps, expected 50 at least, the interval of frames"):
        plan(Stage("free", duration=0.049, constrained=False), HELD, reference="averaged")
    plan(Stage("free", duration=0.05, constrained=False), HELD, reference="averaged")


def test_velocities_are_drawn_at_the_beginning_and_after_a_descent():
    relax = Stage("relax", duration=1, ensemble="relax")
    given = plan(relax, FREE, HELD, others={"relax": Relax()})
    assert [given.draws(number) for number in range(3)] == [True, True, False]


@pytest.mark.parametrize("name", ["frames", "velocities", "thermo", "check"])
def test_intervals_that_do_not_divide_a_chunk_are_refused(name):
    with pytest.raises(ValueError, match=rf"the interval of {name} is 30 steps, expected a divisor of the chunk's 1000 steps"):
        Intervals(**{name: 30})


def test_replicas_that_make_no_sense_are_refused():
    atoms = cell_of_anions(np.random.default_rng(1))
    with pytest.raises(ValueError, match="a: temperature is 0 K, expected above 0"):
        Replica("a", atoms, 0)
    with pytest.raises(ValueError, match="constraint mode is 'RX', expected one of"):
        Replica("a", atoms, 300, mode="RX")
    with pytest.raises(ValueError, match=r"a: mode RC wants P2S7, but found \['PS4'\]; choose mode UC or other kinds"):
        Replica("a", atoms, 300, mode="RC", kinds=["P2S7"])
    with pytest.raises(ValueError, match=r"mode RC wants polyatomic anions, but found none"):
        Replica("a", Atoms("Li", cell=[9, 9, 9], pbc=True), 300, mode="RC")
    fixed = atoms.copy()
    fixed.set_constraint(FixAtoms([0]))
    with pytest.raises(ValueError, match="carries constraints of ASE's, which are not read"):
        Replica("a", fixed, 300)


def test_anions_begin_in_one_piece():
    replica = Replica("a", cell_of_anions(np.random.default_rng(1)), 300)
    for anion in replica.anions:
        at = replica.positions[anion.atoms]
        assert np.linalg.norm(at - at[0], axis=1).max() < 3
    assert np.abs(replica.positions - replica.atoms.positions).max() > 5


def test_batches_that_make_no_sense_are_refused():
    one = Replica("a", cell_of_anions(np.random.default_rng(1)), 300)
    for replicas in ([], [one, one]):
        with pytest.raises(ValueError, match="expected one at least and each name once"):
            Batch(potential(), replicas, Settings(1.0))
    with pytest.raises(ValueError, match="Na"):
        Batch(potential(), [Replica("a", Atoms("Na", cell=[9, 9, 9], pbc=True), 300)], Settings(1.0))


def test_a_replica_that_cannot_move_is_refused():
    alone = Batch(potential(), [Replica("a", Atoms("Li", cell=[9, 9, 9], pbc=True), 300)], Settings(1.0))
    with pytest.raises(ValueError, match="a: nothing of its 1 atoms can move in mode UC"):
        alone.dynamics(NVE(), [[]])
    assert alone.dynamics(Langevin(), [[]]).replicas.n_dof_counted == [3]


def refused(replica: Replica, ensemble=None, model=None) -> None:
    Plan(model or potential(), [replica], Protocol([Stage("production", 1.0)]), ensemble or NVE(), Settings(1.0))


def test_a_driver_that_is_no_member_is_refused():
    committee = Committee(build_committee("lean", 2, size="XS"))
    with pytest.raises(ValueError, match=r"found members \[2\] as drivers, expected 0 … 1"):
        refused(Replica("a", cell_of_anions(np.random.default_rng(1)), 300, driver=2), model=committee)


def test_a_moving_box_with_something_held_or_without_a_volume_is_refused():
    with pytest.raises(ValueError, match=r"a: mode RC in stage production, whose cell varies: [\s\S]*is not derived"):
        refused(Replica("a", cell_of_anions(np.random.default_rng(1)), 300, mode="RC"), MTK())
    slab = Replica("slab", Atoms("Li2", [[0, 0, 0], [3, 0, 0]], cell=[9, 9, 0], pbc=[True, True, False]), 300)
    with pytest.raises(ValueError, match="slab: pressure needs a volume, but the cell has rank 2"):
        refused(slab, MTK())


def test_a_kind_of_constraint_that_is_none_is_refused():
    with pytest.raises(ValueError, match="constraint kind is 'kabsch', expected one of eckart, angular_momentum"):
        begun(tetrahedra(np.random.default_rng(1), "RC"), Langevin(), 1.0, kind="kabsch")
