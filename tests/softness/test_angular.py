"""Angular structure functions: as written in the definition, of known trimers, and the same however the structure is described."""

from itertools import permutations, product

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from softness.angular import AngularFunctions

FUNCTIONS = AngularFunctions(("Li", "S"), ((3.0, 1, 1), (2.0, -1, 4), (4.0, 1, 2)), r_max=4.0)
CELL = np.array([[9.0, 0, 0], [1.0, 8.0, 0], [-2.0, 1.0, 8.5]])
SYMBOLS = ["Li"] * 10 + ["S"] * 12 + ["P"] * 3


@pytest.fixture
def positions():
    return np.random.default_rng(0).random((len(SYMBOLS), 3)) @ CELL


def plainly(functions, positions, cell, symbols, centre) -> np.ndarray:
    """The definition, image by image."""
    found = {pair: np.zeros(len(functions.shapes)) for pair in functions.pairs}
    near = [
        (symbols[j], v)
        for j, shift in product(range(len(positions)), product(range(-2, 3), repeat=3))
        if 0 < np.linalg.norm(v := positions[j] + np.array(shift) @ cell - positions[centre]) < functions.r_max
        and symbols[j] in functions.neighbour_species
    ]
    for (x, a), (y, b) in permutations(near, 2):
        pair = (x, y) if (x, y) in found else (y, x)
        cosine = a @ b / np.sqrt(a @ a * (b @ b))
        for m, (xi, lam, zeta) in enumerate(functions.shapes):
            found[pair][m] += np.exp(-(a @ a + b @ b + (a - b) @ (a - b)) / xi**2) * (1 + lam * cosine) ** zeta
    return np.concatenate(list(found.values()))


def test_they_are_the_definition(positions):
    found = FUNCTIONS.of_frame(positions, CELL, SYMBOLS, np.array([3, 0]))
    assert found.shape == (2, len(FUNCTIONS)) == (2, 9)
    for row, centre in zip(found, (3, 0), strict=True):
        np.testing.assert_allclose(row, plainly(FUNCTIONS, positions, CELL, SYMBOLS, centre), rtol=1e-10)


def test_a_trimer_with_a_right_angle():
    positions = np.array([[5.0, 5, 5], [7, 5, 5], [5, 8, 5]])  # legs of 2 and 3 Å
    functions = AngularFunctions(("S",), ((3.0, 1, 4), (3.0, -1, 1)), r_max=4.0)
    found = functions.of_frame(positions, 20 * np.eye(3), ["Li", "S", "S"], np.array([0]))[0]
    np.testing.assert_allclose(found, 2 * np.exp(-(4 + 9 + 13) / 9))  # cos θ is 0, each order counts
    assert functions.names == ["S–S ξ3 λ+1 ζ4", "S–S ξ3 λ-1 ζ1"]


def test_the_first_shell_of_fcc():
    """12 neighbours at d: 24 ordered pairs at 60°, 12 at 90°, 24 at 120° and 6 at 180°, each twice."""
    a = 4.0
    basis = a * np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    d2 = a**2 / 2
    functions = AngularFunctions(("S",), ((3.0, 1, 2),), r_max=3.0)
    found = functions.of_frame(basis, a * np.eye(3), ["S"] * 4, np.array([0]))[0, 0]
    shells = {0.5: 48, 0.0: 24, -0.5: 48, -1.0: 12}
    assert found == pytest.approx(sum(n * np.exp(-(4 - 2 * c) * d2 / 9) * (1 + c) ** 2 for c, n in shells.items()))


def test_the_description_of_the_structure_does_not_matter(positions):
    ions = np.arange(10)
    known = FUNCTIONS.of_frame(positions, CELL, SYMBOLS, ions)
    rng = np.random.default_rng(1)
    moved = positions + [1.3, -7.0, 0.4] + rng.integers(-2, 3, positions.shape) @ CELL
    np.testing.assert_allclose(FUNCTIONS.of_frame(moved, CELL, SYMBOLS, ions), known, rtol=1e-9)
    turn = Rotation.random(random_state=2).as_matrix()
    np.testing.assert_allclose(FUNCTIONS.of_frame(positions @ turn, CELL @ turn, SYMBOLS, ions), known, rtol=1e-9)
    order = rng.permutation(len(SYMBOLS))
    back = np.argsort(order)
    np.testing.assert_allclose(FUNCTIONS.of_frame(positions[order], CELL, np.array(SYMBOLS)[order], back[ions]), known, rtol=1e-9)
    twice = np.concatenate([positions, positions + CELL[1]])
    np.testing.assert_allclose(FUNCTIONS.of_frame(twice, CELL * [[1], [2], [1]], SYMBOLS * 2, ions), known, rtol=1e-9)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"neighbour_species": ("Li", "Li")}, "expected at least one species, each once"),
        ({"neighbour_species": ("Li",), "shapes": ((3.0, 0.5, 1),)}, "λ of 1 or −1 and ζ ≥ 1"),
        ({"neighbour_species": ("Li",), "shapes": ()}, r"found shapes \(\)"),
        ({"neighbour_species": ("Li",), "r_max": 0.0}, "r_max > 0"),
    ],
)
def test_what_cannot_be_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        AngularFunctions(**words)
