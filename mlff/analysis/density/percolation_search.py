"""Search on the periodic grid: union-find that knows lattice vectors, and the path of least resistance around the cell."""

from heapq import heappop, heappush

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def first_windings(order, shape):
    """After how many grid points, taken in this order, a loop winds around the cell along each axis: the place in `order`, −1 for never.

    Each point knows its parent in the tree of its cluster and the lattice vector from the parent's image to its own; two points of one
    cluster that are joined a second time close a loop, whose winding is the sum of the vectors around it (Newman and Ziff, Phys. Rev. E
    64, 016706, 2001, after Machta et al., Phys. Rev. E 54, 1332, 1996).

    order: (n,) int64, flat indices. shape: (3,) int64.
    """
    n = shape[0] * shape[1] * shape[2]
    parent, size = np.full(n, -1), np.ones(n, np.int32)
    image = np.zeros((n, 3), np.int16)
    found, step, winding = np.full(3, -1), np.zeros(3, np.int64), np.zeros(3, np.int64)
    for t in range(len(order)):
        one = order[t]
        parent[one] = one
        for direction in range(6):
            other = _neighbour(one, direction, shape, step)
            if parent[other] < 0:
                continue
            root, far = _root(one, parent, image), _root(other, parent, image)
            for c in range(3):
                winding[c] = image[one, c] + step[c] - image[other, c]  # a root's own image is 0
            if root != far:
                if size[root] < size[far]:
                    parent[root] = far
                    size[far] += size[root]
                    for c in range(3):
                        image[root, c] = -winding[c]
                else:
                    parent[far] = root
                    size[root] += size[far]
                    for c in range(3):
                        image[far, c] = winding[c]
                continue
            for c in range(3):
                if winding[c] != 0 and found[c] < 0:
                    found[c] = t
        if found.min() >= 0:
            break
    return found


@njit(cache=True, nogil=True)
def least_resistance(density, region, shape, lengths, axis):
    """The loop of least Σ length / density through the last point of a region that first winds along the axis with that point.

    Dijkstra's search from that point. Without it all loops of the region have no winding along the axis, so where two branches of the
    search meet with images that differ along it, they close a loop that passes the point.

    density: flat. region: (n,) flat indices. lengths: (3,), Å, of a step along each axis.
    Returns: (m,) flat indices from that point to its image, and (m, 3), the image of each.
    """
    start = region[-1]
    inside = np.zeros(len(density), np.bool_)
    inside[region] = True
    distance, done = np.full(len(density), np.inf), np.zeros(len(density), np.bool_)
    before, image, step = np.full(len(density), -1), np.zeros((len(density), 3), np.int64), np.zeros(3, np.int64)
    best, one_end, other_end, crossing = np.inf, -1, -1, np.zeros(3, np.int64)
    distance[start] = 0.0
    heap = [(0.0, start)]
    while len(heap):
        so_far, one = heappop(heap)
        if done[one]:
            continue
        if so_far >= best:
            break
        done[one] = True
        for direction in range(6):
            other = _neighbour(one, direction, shape, step)
            if not inside[other]:
                continue
            cost = lengths[direction // 2] * 0.5 * (1 / density[one] + 1 / density[other])
            if done[other]:
                total = so_far + distance[other] + cost
                if image[one, axis] + step[axis] != image[other, axis] and total < best:
                    best, one_end, other_end = total, one, other
                    crossing[:] = image[one] + step - image[other]
            elif so_far + cost < distance[other]:
                distance[other], before[other] = so_far + cost, one
                image[other] = image[one] + step
                heappush(heap, (so_far + cost, other))
    there, back = [one_end], [other_end]
    while before[there[-1]] >= 0:
        there.append(before[there[-1]])
    while before[back[-1]] >= 0:
        back.append(before[back[-1]])
    bins = np.array(there[::-1] + back)
    images = image[bins]
    images[len(there) :] += crossing
    return bins, images


@njit(cache=True, nogil=True)
def _neighbour(point, direction, shape, step):
    """Flat index of the next point along ±a, ±b, ±c; `step` becomes the lattice vector that leads to its image."""
    axis, sign = direction // 2, 1 - 2 * (direction % 2)
    stride = 1
    for c in range(axis + 1, 3):
        stride *= shape[c]
    place = (point // stride) % shape[axis]
    step[:] = 0
    moved = place + sign
    if moved == shape[axis]:
        moved, step[axis] = 0, 1
    elif moved < 0:
        moved, step[axis] = shape[axis] - 1, -1
    return point + (moved - place) * stride


@njit(cache=True, nogil=True)
def _root(point, parent, image):
    """Of the tree; all points on the way then hang on the root itself, with the image relative to it."""
    root, x, y, z = point, 0, 0, 0
    while parent[root] != root:
        x, y, z = x + image[root, 0], y + image[root, 1], z + image[root, 2]
        root = parent[root]
    while parent[point] != point:
        after = parent[point]
        dx, dy, dz = image[point, 0], image[point, 1], image[point, 2]
        parent[point] = root
        image[point, 0], image[point, 1], image[point, 2] = x, y, z
        x, y, z = x - dx, y - dy, z - dz
        point = after
    return root
