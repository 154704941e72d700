"""Anions without angular momentum, and anions that are rigid: constraints that depend on where the atoms are."""

import numpy as np
import torch
from torch import Tensor

from mlff.md.bodies import Bodies, turning

# the free rotor as five turns about its principal axes, each exact; symmetric, hence reversible and of second order
TURNS = ((0, 0.5), (1, 0.5), (2, 1.0), (1, 0.5), (0, 0.5))


class Rotationless:
    """Angular momentum about the centre of mass is held at zero, while the anion vibrates.

    The condition is on velocities alone: vibrations that trace a loop leave the anion turned.
    """

    def __init__(self, bodies: Bodies):
        self.bodies = bodies

    def allowed(self, positions: Tensor, velocities: Tensor) -> Tensor:
        bodies = self.bodies
        about = positions - bodies.centre(positions)
        resting = velocities - bodies.centre(velocities)
        outer = torch.einsum("kia,kib->kab", bodies.mass * about, about)
        inertia = torch.diag_embed(torch.einsum("kaa->k", outer).unsqueeze(1).expand(-1, 3)) - outer
        # the pseudo-inverse: a linear anion has no inertia about its axis
        rate = (torch.linalg.pinv(inertia, hermitian=True) @ bodies.angular_momentum(about, resting).unsqueeze(2)).squeeze(2)
        return bodies.drift(velocities) + resting - turning(rate, about)


class RigidBodies:
    """Vibration is held: each anion is a rigid body, free to turn.

    Its motion under no force is that of Dullweber, Leimkuhler and McLachlan (J. Chem. Phys. 107, 5840, 1997): exact turns about the
    principal axes one after the other. Orientations are read off the positions, which are put back into shape as they are moved.

    Args:
        reference: (n_bodies, n, 3), Å, about the centre of mass; no body may be flat.
    Raises:
        ValueError: a body is flat or linear.
    """

    def __init__(self, bodies: Bodies, reference: np.ndarray):
        self.bodies = bodies
        masses, device = bodies.mass.cpu().numpy(), bodies.mass.device
        spread = np.einsum("kia,kib->kab", masses * reference, reference)
        moments, axes = np.linalg.eigh(spread)
        axes[:, :, 0] *= np.linalg.det(axes)[:, None]  # a proper frame: angular momenta turn as vectors do
        if (moments[:, 0] < 1e-6 * moments[:, 2]).any():
            raise ValueError("found a flat or linear anion, which cannot turn as a rigid body here; constrain its rotation too (RVC, RTVC)")
        # inertia about an axis is what is spread along the two others
        self._inertia = torch.from_numpy(moments.sum(1, keepdims=True) - moments).to(device)
        shape = reference @ axes
        self._shape = torch.from_numpy(shape).to(device)
        self._reader = torch.from_numpy(masses * shape / moments[:, None, :]).to(device)

    def allowed(self, positions: Tensor, velocities: Tensor) -> Tensor:
        bodies = self.bodies
        about = positions - bodies.centre(positions)
        q = self._orientations(about)
        drift = bodies.drift(velocities)
        momentum = bodies.angular_momentum(about, velocities - bodies.centre(velocities))
        return drift + turning(self._rate(q, (q.mT @ momentum.unsqueeze(2)).squeeze(2)), about)

    def moved(self, positions: Tensor, velocities: Tensor, time: float) -> tuple[Tensor, Tensor]:
        """Positions and velocities (n_bodies, n, 3) after `time`, fs."""
        bodies = self.bodies
        centre, drift = bodies.centre(positions), bodies.drift(velocities)
        about = positions - centre
        q = self._orientations(about)
        momentum = (q.mT @ bodies.angular_momentum(about, velocities - bodies.centre(velocities)).unsqueeze(2)).squeeze(2)
        for axis, part in TURNS:
            turn = _turn(axis, part * time * momentum[:, axis] / self._inertia[:, axis])
            q, momentum = q @ turn, (turn.mT @ momentum.unsqueeze(2)).squeeze(2)
        about = self._shape @ q.mT
        return centre + time * drift + about, drift + turning(self._rate(q, momentum), about)

    def _orientations(self, about: Tensor) -> Tensor:
        """Q with r = Q c, (n_bodies, 3, 3), from the principal frame; one step of Newton's takes rounding off a rotation."""
        q = about.mT @ self._reader
        return q @ (1.5 * torch.eye(3, dtype=q.dtype, device=q.device) - 0.5 * q.mT @ q)

    def _rate(self, q: Tensor, momentum: Tensor) -> Tensor:
        """ω in the crystal, (n_bodies, 3), of angular momenta in the principal frame."""
        return (q @ (momentum / self._inertia).unsqueeze(2)).squeeze(2)


def _turn(axis: int, angle: Tensor) -> Tensor:
    """Rotations about one of the coordinate axes, (n, 3, 3)."""
    after, last = (axis + 1) % 3, (axis + 2) % 3
    out = torch.zeros(len(angle), 3, 3, dtype=angle.dtype, device=angle.device)
    out[:, axis, axis] = 1
    out[:, after, after] = out[:, last, last] = angle.cos()
    out[:, last, after] = angle.sin()
    out[:, after, last] = -angle.sin()
    return out
