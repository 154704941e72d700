import numpy as np
import pytest

from mlff.analysis.elasticity import VOIGT, birch_murnaghan, hill_moduli, stiffness


def energy(volume, v0=300.0, b=0.2, slope=4.5):
    x = (v0 / volume) ** (2 / 3)
    return -7.0 + 9 * v0 * b / 16 * ((x - 1) ** 3 * slope + (x - 1) ** 2 * (6 - 4 * x))


def test_birch_murnaghan_finds_its_own_parameters():
    volumes = 300.0 * np.linspace(0.94, 1.06, 7)
    fit = birch_murnaghan(volumes, energy(volumes))
    assert fit.volume == pytest.approx(300.0, rel=1e-5)
    assert fit.bulk_modulus == pytest.approx(0.2, rel=1e-4)
    assert fit.energy == pytest.approx(-7.0)


def test_a_minimum_outside_is_refused():
    with pytest.raises(ValueError, match="lies at the end of the volumes"):
        birch_murnaghan(300 * np.linspace(0.8, 0.95, 6), energy(300 * np.linspace(0.8, 0.95, 6)))
    with pytest.raises(ValueError, match="found 3 volumes"):
        birch_murnaghan([1, 2, 3], [1, 0, 1])


def isotropic(bulk, shear):
    c = np.zeros((6, 6))
    c[:3, :3] = bulk - 2 * shear / 3
    c[:3, :3] += np.eye(3) * 2 * shear
    c[3:, 3:] = np.eye(3) * shear
    return c


def strained(c, name, size):
    """The stress of a linear solid under one engineering strain."""
    voigt = c[:, VOIGT.index(name)] * size
    xx, yy, zz, yz, xz, xy = voigt
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def test_stiffness_of_a_linear_solid_comes_back(rng):
    c = isotropic(30.0, 12.0) + 5 * np.diag(rng.uniform(size=6))
    stresses = {name: (strained(c, name, 0.01) + 0.3, strained(c, name, -0.01) + 0.3) for name in VOIGT}  # 0.3: residual stress drops out
    np.testing.assert_allclose(stiffness(stresses, 0.01), c, atol=1e-10)
    with pytest.raises(ValueError, match="no stresses for the strains xy"):
        stiffness({k: v for k, v in stresses.items() if k != "xy"}, 0.01)


def test_hill_moduli_of_an_isotropic_solid_are_its_own():
    assert hill_moduli(isotropic(30.0, 12.0)) == pytest.approx((30.0, 12.0))


def test_hill_moduli_lie_between_the_bounds():
    c = isotropic(30.0, 12.0)
    c[3, 3] = 30.0
    bulk, shear = hill_moduli(c)
    assert bulk == pytest.approx(30.0)
    voigt = (c[:3, :3].trace() - (c[0, 1] + c[0, 2] + c[1, 2]) + 3 * c[3:, 3:].trace()) / 15
    assert 12.0 < shear < voigt
