import dataclasses

import pytest
import torch

from mlff.data.dataset import collate, graph_of
from mlff.graph import Prediction
from mlff.train.loss import Loss
from tests.checks import frame_of
from tests.contracts.potentials import REFERENCE, crystal

UNITS = {"force_unit": 2.0, "stress_unit": 0.01, "energy_unit": 0.1}


@pytest.fixture
def graph(rng):
    frame = frame_of(crystal(rng))
    labelled = dataclasses.replace(frame, energy=-3.0, forces=rng.normal(size=(12, 3)), stress=rng.normal(size=(3, 3)) * 0.01)
    bare = dataclasses.replace(frame_of(crystal(rng, 5)), energy=-1.0)
    return collate([graph_of(f, tuple(REFERENCE), 4.0) for f in (labelled, bare)])


def prediction(graph, energy=0.0, forces=0.0, stress=0.0):
    known = torch.nan_to_num
    return Prediction(known(graph.energy) + energy, torch.zeros(17), known(graph.forces) + forces, known(graph.stress) + stress)


def test_closed_form(graph):
    loss = Loss(tuple(REFERENCE), **UNITS, energy=3.0, forces=2.0, stress=0.5, delta=0.1)
    # energies: 0.006 eV over 12 atoms and 5 atoms, in units of 0.1 eV/atom, quadratic: e²/2δ
    total, parts = loss(prediction(graph, energy=0.006), graph)
    e = torch.tensor([0.006 / 12, 0.006 / 5]) / 0.1
    torch.testing.assert_close(float(parts["energy"]), float(3.0 * (e**2 / 0.2).mean()))
    assert parts["forces"] == 0
    assert parts["stress"] == 0
    # forces: 1 eV/Å is 0.5 units, linear: |e| − δ/2; the frame without forces does not count
    _, parts = loss(prediction(graph, forces=1.0), graph)
    assert float(parts["forces"]) == pytest.approx(2.0 * (0.5 - 0.05))
    _, parts = loss(prediction(graph, stress=0.01), graph)
    assert float(parts["stress"]) == pytest.approx(0.5 * (1 - 0.05))
    assert float(total) == pytest.approx(3.0 * float((e**2 / 0.2).mean()))


def test_missing_labels_never_count(graph):
    """Predictions where a label is missing may be anything."""
    loss = Loss(tuple(REFERENCE), **UNITS)
    wild = prediction(graph)
    wild.forces[12:] = 1e6
    wild.stress[1] = 1e6
    assert float(loss(wild, graph)[0]) == 0.0


def test_stage_two_and_species_weights(graph):
    plain, heavy = Loss(tuple(REFERENCE), **UNITS), Loss(tuple(REFERENCE), **UNITS, force_weights={"Li": 3.0})
    off = prediction(graph, energy=0.01, forces=1.0)
    one, ten = plain(off, graph)[1], plain(off, graph, energy_factor=10.0)[1]
    assert float(ten["energy"]) == pytest.approx(10 * float(one["energy"]))
    assert float(ten["forces"]) == float(one["forces"])
    lithium = float((graph.species[:12] == 0).double().mean())
    assert float(heavy(off, graph)[1]["forces"]) == pytest.approx(float(one["forces"]) * (1 + 2 * lithium))


def test_conditional_huber_weighs_large_forces_less(graph):
    even, conditional = Loss(tuple(REFERENCE), **UNITS), Loss(tuple(REFERENCE), **UNITS, conditional=True)
    off = prediction(graph, forces=1.0)
    assert float(conditional(off, graph)[1]["forces"]) < float(even(off, graph)[1]["forces"])
    small = prediction(graph, forces=1e-4)  # deep in the parabola nothing changes
    assert float(conditional(small, graph)[1]["forces"]) == pytest.approx(float(even(small, graph)[1]["forces"]))


def test_unknown_species_is_named():
    with pytest.raises(ValueError, match=r"force_weights names \['Cl'\]"):
        Loss(("Li", "S"), **UNITS, force_weights={"Cl": 2.0})
