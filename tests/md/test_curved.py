import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from mlff.md.bodies import Bodies
from mlff.md.curved import RigidBodies
from tests.geometry.anions import MASSES, TETRAHEDRON


def asymmetric(rng) -> tuple[RigidBodies, torch.Tensor, torch.Tensor, np.ndarray]:
    """Two bodies with three moments of inertia each, turning and drifting: bodies, positions, velocities and angular velocities."""
    shape = TETRAHEDRON * [1.0, 1.3, 0.7] + rng.normal(scale=0.1, size=(2, 5, 3))
    masses = np.tile(MASSES, (2, 1))
    c = shape - (masses[..., None] * shape).sum(1, keepdims=True) / masses.sum(1)[:, None, None]
    rate, drift = rng.normal(scale=0.02, size=(2, 3)), rng.normal(scale=0.01, size=(2, 1, 3))
    bodies = Bodies(np.arange(10).reshape(2, 5), masses, np.array([False, True]), torch.device("cpu"))
    drift[1] = 0
    velocities = drift + np.cross(rate[:, None], c)
    return RigidBodies(bodies, c), torch.from_numpy(c + [1.0, 2, 3]), torch.from_numpy(velocities), rate


def exact(c: np.ndarray, rate: np.ndarray, time: float) -> np.ndarray:
    """Of a free body: Ṙ = ω × R with L constant, integrated to rounding."""
    spread = np.einsum("i,ia,ib->ab", MASSES, c, c)
    inertia = np.trace(spread) * np.eye(3) - spread
    momentum = inertia @ rate

    def slope(_, flat):
        r = flat.reshape(3, 3)
        omega = r @ np.linalg.solve(inertia, r.T @ momentum)
        return np.cross(omega, r.T).T.ravel()

    found = solve_ivp(slope, (0, time), np.eye(3).ravel(), method="DOP853", rtol=1e-12, atol=1e-13)
    return c @ found.y[:, -1].reshape(3, 3).T


def test_a_free_top_turns_as_euler_says_to_second_order(rng):
    rigid, start, velocities, rates = asymmetric(rng)
    errors = []
    for n_steps in (50, 100, 200):
        r, v = start, velocities
        for _ in range(n_steps):
            r, v = rigid.moved(r, v, 200.0 / n_steps)
        about = (r - rigid.bodies.centre(r)).numpy()
        expected = [exact((own - rigid.bodies.centre(start)[k]).numpy(), rates[k], 200.0) for k, own in enumerate(start)]
        errors.append(np.abs(about - expected).max())
    assert errors[0] < 0.05
    assert 3.5 < errors[0] / errors[1] < 4.5
    assert 3.5 < errors[1] / errors[2] < 4.5


def test_a_free_top_keeps_momenta_and_its_shape_exactly(rng):
    rigid, start, velocities, _ = asymmetric(rng)
    bodies = rigid.bodies

    def momenta(r, v):
        return bodies.angular_momentum(r - bodies.centre(r), v - bodies.centre(v))

    r, v = start, velocities
    for _ in range(200):
        r, v = rigid.moved(r, v, 2.0)
    torch.testing.assert_close(momenta(r, v), momenta(start, velocities), atol=1e-10, rtol=0)
    torch.testing.assert_close(bodies.centre(r) - bodies.centre(start), 400 * bodies.drift(velocities), atol=1e-10, rtol=0)
    for own, first in zip(r, start, strict=True):
        torch.testing.assert_close(torch.cdist(own, own), torch.cdist(first, first), atol=1e-10, rtol=0)
    torch.testing.assert_close(rigid.allowed(r, v), v, atol=1e-12, rtol=0)


def test_a_kick_gives_a_body_its_force_and_its_torque(rng):
    rigid, start, _, _ = asymmetric(rng)
    bodies = rigid.bodies
    push = torch.from_numpy(rng.normal(size=start.shape))
    allowed, about = rigid.allowed(start, push), start - bodies.centre(start)
    torch.testing.assert_close(bodies.angular_momentum(about, allowed), bodies.angular_momentum(about, push), atol=1e-10, rtol=0)
    torch.testing.assert_close(bodies.centre(allowed)[0], bodies.centre(push)[0])
    assert bodies.centre(allowed)[1].abs().max() < 1e-12  # whose centre is fixed


@pytest.mark.parametrize("shape", [np.diag([1.0, 1.0, 0]), np.diag([1.0, 0, 0])], ids=["flat", "linear"])
def test_bodies_that_are_flat_or_linear_are_refused(shape):
    flat = (TETRAHEDRON @ shape)[None]
    c = flat - (MASSES[:, None] * flat).sum(1, keepdims=True) / MASSES.sum()
    bodies = Bodies(np.arange(5)[None], MASSES[None], np.array([False]), torch.device("cpu"))
    with pytest.raises(ValueError, match=r"flat or linear anion.*constrain its rotation too"):
        RigidBodies(bodies, c)
