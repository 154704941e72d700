"""What can be turned in the page: points and lines in space, as JSON for the script."""

import json
from itertools import product

import numpy as np

from mlff.report.colour_scale import coloured
from mlff.report.drawing.colours import colours_of_names
from mlff.report.look import COLOURS
from mlff.report.panels import Network, Particles, Volume

MOST_VOXELS = 6000  # of those that are shown, the fullest
MOST_HOPS = 400
MOST_SIZE, CROWDED = 4.0, 50.0  # of particles, which are smaller where there are many: the second over the root of their number


def volume_scene(panel: Volume) -> str:
    """The grid points with the largest values as dots whose size grows with the value, and the atoms that give orientation."""
    values = np.where(np.isfinite(panel.values), panel.values, 0.0)
    order = np.argsort(values, axis=None)[::-1][:MOST_VOXELS]
    order = order[values.ravel()[order] > 0]
    fractions = np.stack(np.unravel_index(order, values.shape), axis=1) / np.array(values.shape)
    chosen = values.ravel()[order]
    share = chosen / chosen.max() if len(chosen) else chosen
    groups = [_group(fractions @ panel.cell, coloured(chosen, panel.log), 0.5 + 3 * np.sqrt(share))] if len(chosen) else []
    if len(panel.positions):
        grey = np.tile(np.array([120, 130, 145, 255], np.uint8), (len(panel.positions), 1))
        groups.append(_group(panel.positions, grey, np.full(len(panel.positions), 2.5)))
    return json.dumps({"cell": _edges(panel.cell), "points": groups, "lines": []}, separators=(",", ":"))


def network_scene(panel: Network) -> str:
    """Sites as dots by their occupancy, hops as lines by how often they were made."""
    order = np.argsort(panel.counts)[::-1][:MOST_HOPS]
    lines = [
        [*_round(panel.sites[a]), *_round(panel.sites[a] + vector), round(float(weight), 3)]
        for (a, _), vector, weight in zip(
            panel.hops[order], panel.vectors[order], panel.counts[order] / max(panel.counts.max(initial=1), 1), strict=True
        )
    ]
    size = 2 + 4 * np.sqrt(np.clip(panel.occupancies, 0, 1))
    group = _group(panel.sites, coloured(np.asarray(panel.occupancies, float), False), size)
    return json.dumps({"cell": _edges(panel.cell), "points": [group], "lines": lines}, separators=(",", ":"))


def particles_scene(panel: Particles) -> str:
    """Particles as dots, lines in the colour of their kind."""
    colours = colours_of_names(panel.kinds, len(COLOURS))
    lines = [
        [*_round(a), *_round(b), 0.5, COLOURS[colours[kind]]] for (a, b), kind in zip(np.asarray(panel.lines), panel.kinds, strict=True)
    ]
    size = min(MOST_SIZE, CROWDED / np.sqrt(max(len(panel.positions), 1)))
    group = _group(panel.positions, coloured(np.asarray(panel.values, float), middle=panel.middle), np.full(len(panel.positions), size))
    return json.dumps({"cell": _edges(panel.cell), "points": [group], "lines": lines}, separators=(",", ":"))


def _group(positions: np.ndarray, colours: np.ndarray, sizes: np.ndarray) -> list[list]:
    return [[*_round(r), "#" + bytes(c[:3]).hex(), round(float(s), 1)] for r, c, s in zip(positions, colours, sizes, strict=True)]


def _edges(cell: np.ndarray) -> list[list[float]]:
    corners = list(product((0, 1), repeat=3))
    pairs = [(a, b) for a in corners for b in corners if a < b and sum(x != y for x, y in zip(a, b, strict=True)) == 1]
    return [[*_round(np.array(a) @ cell), *_round(np.array(b) @ cell)] for a, b in pairs]


def _round(r: np.ndarray) -> list[float]:
    return [round(float(x), 2) for x in r]
