import pytest
import torch

from mlff.artefact.build import build_potential
from mlff.model import Lean2, Potential
from tests.contracts.potentials import describe


def test_missing_reference_energy_is_named():
    with pytest.raises(ValueError, match=r"also has \['S'\]; give an E0 for each species"):
        Potential(Lean2(("Li", "S")), {"Li": 1.0})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "lean3"}, "architecture is 'lean3', expected one of"),
        ({"options": {"rmax": 5.0}}, "lean2 has no option rmax; it has r_max"),
        ({"options": {"size": "XXL"}}, "size is 'XXL', expected one of"),
        ({"species": ["Li", "Xx"]}, "expected different element symbols"),
        ({"species": ["Li", "Li"]}, "expected different element symbols"),
    ],
)
def test_bad_descriptions_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build_potential(describe("lean2") | change)


def test_default_sizes():
    """The sizes that the documentation states, for three species: about 30,000 and 85,000 weights."""
    count = {name: sum(p.numel() for p in build_potential(describe(name, ("Li", "P", "S"))).parameters()) for name in ("lean", "lean2")}
    assert 25_000 < count["lean"] < 40_000
    assert 75_000 < count["lean2"] < 95_000


def test_e0_keeps_its_digits_through_dtypes():
    potential = Potential(Lean2(("S",)), {"S": -10827.123456789})
    assert float(potential.float().double().E0) == -10827.123456789
    assert potential.float().dtype == torch.float32
