"""The shapes of thiophosphate anions as they are on average in crystals."""

import numpy as np
from ase import Atoms

P_S, P_BRIDGE, P_P = 2.05, 2.1, 2.2  # Å
BRIDGE_ANGLE = 109.0  # degrees, P–S–P of P2S7 in Li7P3S11
P_P_S_ANGLE = 105.5  # degrees, of P2S6
TETRAHEDRON = np.array([[0, 0, 1], [0, np.sqrt(8), -1], [-np.sqrt(6), -np.sqrt(2), -1], [np.sqrt(6), -np.sqrt(2), -1]])
TETRAHEDRON[1:] /= 3


def anion_shapes() -> dict[str, Atoms]:
    """Kind → P before S, centred on the mean of the positions."""
    shapes = {"PS4": _ps4(), "P2S7": _p2s7(), "P2S6": _p2s6()}
    for shape in shapes.values():
        shape.positions -= shape.positions.mean(0)
    return shapes


def _ps4() -> Atoms:
    return Atoms("PS4", [[0, 0, 0], *(P_S * TETRAHEDRON)])


def _p2s7() -> Atoms:
    """Two tetrahedra about the shared S at the origin; their other S point away from each other across the bridge."""
    half = np.radians(BRIDGE_ANGLE / 2)
    ends, centres = [], []
    for side in (1, -1):
        away = np.array([side * np.sin(half), 0, np.cos(half)])  # from the S to this P
        across = np.array([side * np.cos(half), 0, -np.sin(half)])
        frame = np.stack([np.cross(across, -away), across, -away])
        centres.append(P_BRIDGE * away)
        ends.extend(P_BRIDGE * away + P_S * TETRAHEDRON[1:] @ frame)
    return Atoms("P2S7", [*centres, [0, 0, 0], *ends])


def _p2s6() -> Atoms:
    """Staggered, as ethane is."""
    angle = np.radians(180 - P_P_S_ANGLE)
    around = 2 * np.pi / 3 * np.arange(3)
    upper = P_S * np.stack([np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), np.full(3, np.cos(angle))], 1) + [0, 0, P_P / 2]
    return Atoms("P2S6", [[0, 0, P_P / 2], [0, 0, -P_P / 2], *upper, *-upper])
