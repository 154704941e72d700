"""Softness of every particle in every frame, and how far in space and time it is alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlff.geometry import close_pairs
from mlff.trajectory import Frames
from softness.artefact import Softness


@dataclass(frozen=True)
class Correlation:
    """x: (n,), Å or ps, middles of the bins or lags. value, error: (n,), ⟨δS δS'⟩ / ⟨δS²⟩ with δS = S − ⟨S⟩; NaN without pairs."""

    x: np.ndarray
    value: np.ndarray
    error: np.ndarray


def field(chunks: Iterator[Frames], softness: Softness, symbols: Sequence[str]) -> np.ndarray:
    """(n_frames, n_particles), of all frames of the chunks."""
    return np.array([softness.of_frame(*frame, symbols) for frames in chunks for frame in zip(frames.positions, frames.cells, strict=True)])


def in_space(values: np.ndarray, positions: np.ndarray, cells: np.ndarray, r_max: float = 12.0, width: float = 0.5) -> Correlation:
    """Of pairs of particles by their distance.

    Errors are those of the frames, taken as independent: give frames far apart.

    Args:
        values: (n_frames, n), softness. positions: (n_frames, n, 3), Å, of the same particles. cells: (n_frames, 3, 3), Å.
    """
    n_bins = max(1, round(r_max / width))
    mean, variance = values.mean(), values.var()
    sums, counts = np.zeros((len(values), n_bins)), np.zeros((len(values), n_bins))
    for k, (own, frame, cell) in enumerate(zip(values - mean, positions, cells, strict=True)):
        i, j, distance = close_pairs(frame, cell, r_max)
        place = (distance / width).astype(np.int64)
        place, product = place[place < n_bins], (own[i] * own[j])[place < n_bins]
        sums[k] = np.bincount(place, product, minlength=n_bins)
        counts[k] = np.bincount(place, minlength=n_bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = sums.sum(0) / counts.sum(0)
        of_frame = np.where(counts > 0, sums / counts, np.nan)
        seen = (counts > 0).sum(0)
        scatter = np.sqrt(np.nansum(counts * np.square(of_frame - total), axis=0) / counts.sum(0) / np.maximum(seen - 1, 1))
        error = np.where(seen > 1, scatter, np.nan)
    return Correlation((np.arange(n_bins) + 0.5) * width, total / variance, error / variance)


def in_time(values: np.ndarray, frame_time: float, lags: np.ndarray | None = None) -> Correlation:
    """Of a particle with itself; errors are those of the particles, taken as independent.

    Args:
        values: (n_frames, n), softness. frame_time: ps. lags: frames; None: from 1 on, each about 1.3 times the one before, to half of all.
    """
    if lags is None:
        lags = np.unique(np.round(1.3 ** np.arange(60)).astype(int))
        lags = lags[lags <= len(values) // 2]
    deviation, variance = values - values.mean(), values.var()
    of_particle = np.array([(deviation[lag:] * deviation[: len(values) - lag]).mean(0) for lag in lags]).reshape(len(lags), -1)
    error = of_particle.std(axis=1, ddof=1) / np.sqrt(values.shape[1]) if values.shape[1] > 1 else np.full(len(lags), np.nan)
    return Correlation(np.asarray(lags) * frame_time, of_particle.mean(1) / variance, error / variance)
