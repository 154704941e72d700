"""Glasses: exact numbers of units, of the right shapes, at the density asked for, and fast enough for 8,000 atoms."""

import time

import numpy as np
import pytest

from mlff.geometry import classify
from mlff.structure import structure
from mlff.structure.builder import check_built
from mlff.structure.glass import glass
from mlff.structure.presets import presets
from mlff.structure.push_off import Crowded, pushed_off
from mlff.structure.thiophosphates import anion_shapes
from mlff.units import G_PER_CM3

GLASSES = [name for name, preset in presets().items() if preset["builder"] == "glass.glass" and "Chen et al." in preset["used_in"]]
# share of P in P2S6, per cent → S of each Li, as published
S_PER_LI = {"25": 1.6047, "20": 1.6163, "15": 1.6279, "10": 1.6395, "5": 1.6512}


def found_in(atoms):
    return classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)


@pytest.mark.parametrize("name", GLASSES)
def test_the_published_glasses_give_back_their_counts(name):
    began = time.process_time()
    atoms = structure(name, seed=1)
    assert time.process_time() - began < 60  # s
    units = presets()[name]["parameters"]["units"]
    found = found_in(atoms)
    assert found.counts() == dict(sorted(units.items()))
    assert found.unclassified() == 0
    counts = atoms.symbols.formula.count()
    assert 2 * units["P2S6"] / counts["P"] == pytest.approx(int(name.split("_")[2]) / 100)
    assert units["PS4"] / counts["P"] == pytest.approx(0.15)
    assert counts["S"] / counts["Li"] == pytest.approx(S_PER_LI[name.split("_")[2]], abs=5e-5)
    check_built(atoms, name)
    assert atoms.info["charge"] == 0
    assert atoms.get_masses().sum() / atoms.get_volume() / G_PER_CM3 == pytest.approx(1.95)


def test_there_are_five_glasses_and_a_small_one():
    assert len(GLASSES) == 6
    assert len(structure("LiPS_glass_25_264")) == 264
    assert [presets()[f"LiPS_glass_{share}"]["formula"] for share in S_PER_LI] == [
        f"Li2580P1200S{count}" for count in (4140, 4170, 4200, 4230, 4260)
    ]


def test_the_shapes_have_the_lengths_and_angles_of_the_units():
    shapes = anion_shapes()
    for kind, shape in shapes.items():
        assert found_in(shape).counts() == {kind: 1}
        distances = shape.get_all_distances()
        between_s = distances[np.ix_(shape.numbers == 16, shape.numbers == 16)]
        assert between_s[between_s > 0].min() > 3.3  # Å, the edge of a tetrahedron
    assert shapes["PS4"].get_angle(1, 0, 2) == pytest.approx(109.47, abs=0.01)
    bridged = shapes["P2S7"]
    assert bridged.get_angle(0, 2, 1) == pytest.approx(109.0)
    assert [bridged.get_distance(0, 2), bridged.get_distance(1, 2), bridged.get_distance(0, 3)] == pytest.approx([2.1, 2.1, 2.05])
    paired = shapes["P2S6"]
    assert paired.get_distance(0, 1) == pytest.approx(2.2)
    assert paired.get_angle(0, 1, 5) == pytest.approx(105.5)
    # the S of one P as seen from the other: 3.4 to 3.8 Å in the published glasses
    assert paired.get_distance(0, 5) == pytest.approx(3.38, abs=0.01)


def test_orientations_are_even():
    """The mean of cos² to any axis of a body's own axis is a third."""
    atoms = glass({"P2S6": 300}, rng=np.random.default_rng(5))
    axes = []
    for anion in found_in(atoms).anions:
        places = atoms.positions[anion.atoms[:2]] + anion.shifts[:2] @ atoms.cell.array
        axes.append((places[1] - places[0]) / np.linalg.norm(places[1] - places[0]))
    # 0.3 / √300 = 0.017 is one standard deviation of the mean of cos²
    np.testing.assert_allclose(np.mean(np.square(axes), axis=0), 1 / 3, atol=0.06)


def test_jammed_anions_are_drawn_again(monkeypatch):
    """A start for which there is no room costs one draw; the seed still decides all."""
    calls = []

    def jammed_once(bodies, *arguments):
        calls.append(bodies)
        if len(calls) == 1:
            raise Crowded("no room")
        return pushed_off(bodies, *arguments)

    monkeypatch.setattr("mlff.structure.glass.pushed_off", jammed_once)
    atoms = glass({"PS4": 4, "P2S7": 1}, rng=np.random.default_rng(3))
    assert len(calls) == 2
    assert abs(calls[0].positions - calls[1].positions).max() > 1
    assert found_in(atoms).counts() == {"P2S7": 1, "PS4": 4}


def test_a_seed_decides_the_structure():
    units = {"PS4": 3, "P2S7": 2}
    one, same, other = (glass(units, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert abs(one.positions - other.positions).max() > 1


def test_any_ion_and_any_numbers():
    atoms = glass({"PS4": 4}, density=1.6, ion="Na", rng=np.random.default_rng(0))
    assert atoms.symbols.formula.count() == {"Na": 12, "P": 4, "S": 16}
    assert atoms.info["units"] == {"PS4": 4}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": {"PS3": 4}}, r"found units {'PS3': 4}, expected whole numbers of PS4, P2S7, P2S6"),
        ({"units": {"PS4": 0}}, "expected whole numbers of PS4"),
        ({"units": {"PS4": 1.5}}, "expected whole numbers of PS4"),
        ({"units": {"PS4": 4}, "ion": "Mg"}, "found ion 'Mg', expected one of charge \\+1: Li, Na, K, Ag"),
        ({"units": {"PS4": 8}, "density": 4.0}, r"found \d+ pairs of atoms too near each other, .*; give more room \(a lower density"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments, message, monkeypatch):
    monkeypatch.setattr("mlff.structure.glass.DRAWS", 2)  # each takes seconds to fail
    with pytest.raises(ValueError, match=message):
        glass(**arguments, rng=np.random.default_rng(0))


def test_ions_and_anions_begin_as_far_apart_as_in_crystals_where_there_is_room():
    """Nearer ions lie in clumps, whose energy breaks anions as it is set free; nearer anions join."""
    atoms = glass({"PS4": 2, "P2S7": 3, "P2S6": 1}, rng=np.random.default_rng(3))
    symbols, distances = np.array(atoms.get_chemical_symbols()), atoms.get_all_distances(mic=True)
    own = np.arange(len(atoms))  # of lithium, each by itself
    for k, anion in enumerate(classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc).anions):
        own[anion.atoms] = -1 - k
    distances[own[:, None] == own] = np.inf
    for one, other, least in (("Li", "Li", 3.0), ("Li", "P", 2.9), ("Li", "S", 2.35), ("P", "S", 3.7), ("S", "S", 3.3), ("P", "P", 4.4)):
        assert distances[np.ix_(symbols == one, symbols == other)].min() >= least


def test_ions_are_nearer_where_there_is_no_room():
    atoms = glass({"PS4": 8}, density=2.35, rng=np.random.default_rng(0))
    distances = atoms.get_all_distances(mic=True)[np.ix_(atoms.numbers == 3, atoms.numbers == 3)]
    assert 2.1 < distances[~np.eye(len(distances), dtype=bool)].min() < 3.0
