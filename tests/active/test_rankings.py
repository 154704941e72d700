"""Which frame is next, against what is slow and sure."""

import numpy as np
import pytest

from mlff.active.rankings import FarthestPoint, MaxVol, Random, Uncertain, nearest_distance
from mlff.uncertainty import ExtrapolationGrade

N_FEATURES = 5


def pool(rng: np.random.Generator, n_frames: int = 12, scale: float = 1.0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Frames of 3 to 5 atoms of two elements, whose features differ by a factor of 100 in size."""
    features, symbols = [], []
    for _ in range(n_frames):
        own = np.array(["Li", "S", "Li", "S", "S"][: rng.integers(3, 6)])
        rows = scale * rng.normal(size=(len(own), N_FEATURES)) + 1.0
        rows[own == "S"] *= 100
        features.append(rows)
        symbols.append(own)
    return features, symbols


def known(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"Li": rng.normal(size=(30, N_FEATURES)), "S": 100 * rng.normal(size=(40, N_FEATURES))}


def by_brute_force(features, symbols, references, taken) -> np.ndarray:
    """Largest over atoms of the least distance to atoms of the element, in spreads of the known ones."""
    scores = []
    for rows, own in zip(features, symbols, strict=True):
        distances = []
        for row, symbol in zip(rows, own, strict=True):
            near = [*references[symbol], *(other for k in taken for other, s in zip(features[k], symbols[k], strict=True) if s == symbol)]
            spread = np.sqrt(np.square(references[symbol] - references[symbol].mean(0)).sum(1).mean())
            distances.append(min(np.linalg.norm(row - other) for other in near) / spread)
        scores.append(max(distances))
    return np.array(scores)


def test_farthest_point_is_that_of_brute_force_after_each_frame_taken(rng):
    (features, symbols), references, taken = pool(rng), known(rng), []
    ranking = FarthestPoint(features, symbols, references, rng)
    for _ in range(4):
        np.testing.assert_allclose(ranking.scores(), by_brute_force(features, symbols, references, taken), atol=1e-6)
        taken.append(int(np.argmax(ranking.scores())))
        ranking.take(taken[-1])
    assert len(set(taken)) == 4
    np.testing.assert_allclose(ranking.scores()[taken], 0, atol=1e-6)  # rounding of a distance to itself


def test_an_element_that_was_never_trained_on_comes_first(rng):
    features, symbols = pool(rng)
    symbols[7] = symbols[7].copy()
    symbols[7][0] = "Ge"
    ranking = FarthestPoint(features, symbols, known(rng), rng)
    assert np.flatnonzero(np.isinf(ranking.scores())).tolist() == [7]
    ranking.take(7)
    assert np.isfinite(ranking.scores()).all()


def test_distances_in_blocks_are_those_of_all_at_once(rng):
    points, others = rng.normal(size=(2500, 3)), rng.normal(size=(17, 3))
    expected = np.linalg.norm(points[:, None] - others, axis=2).min(1)
    np.testing.assert_allclose(nearest_distance(points, others), expected, atol=1e-7)


def graded(rng: np.random.Generator) -> tuple[ExtrapolationGrade, list[np.ndarray], list[np.ndarray]]:
    """Of many training atoms, and a pool that lies beyond them."""
    train, symbols = (np.concatenate(part) for part in zip(*(zip(*pool(rng, 60), strict=True)), strict=True))
    return ExtrapolationGrade.fit(train, symbols), *pool(rng, scale=4.0)


def grades(inverses, features, symbols) -> np.ndarray:
    """The largest γ of each frame."""
    return np.array(
        [
            max(np.abs(row @ inverses[symbol]).max() for row, symbol in zip(rows, own, strict=True))
            for rows, own in zip(features, symbols, strict=True)
        ]
    )


def rebuilt(inverses, features, symbols, frame) -> dict[str, np.ndarray]:
    """Active sets in which atoms of the frame take the places that enlarge the volume most, until none does: each inverted afresh."""
    found = {}
    for symbol, inverse in inverses.items():
        active, own = np.linalg.inv(inverse), features[frame][symbols[frame] == symbol]
        for _ in own:
            volumes = np.abs(own @ np.linalg.inv(active))
            row, place = np.unravel_index(volumes.argmax(), volumes.shape)
            if volumes[row, place] <= 1:
                break
            active[place] = own[row]
        found[symbol] = np.linalg.inv(active)
    return found


def test_maxvol_scores_are_grades_and_those_of_a_rebuilt_set_after_each_frame_taken(rng):
    grade, features, symbols = graded(rng)
    inverses = {symbol: own.inverse for symbol, own in grade.sets.items()}
    ranking = MaxVol(features, symbols, inverses)
    np.testing.assert_allclose(ranking.scores(), [grade(*frame).max() for frame in zip(features, symbols, strict=True)])
    for _ in range(4):
        before, frame = ranking.scores(), int(np.argmax(ranking.scores()))
        assert before[frame] > 1.5
        ranking.take(frame)
        inverses = rebuilt(inverses, features, symbols, frame)
        np.testing.assert_allclose(ranking.scores(), grades(inverses, features, symbols), rtol=1e-8)
        assert ranking.scores()[frame] <= 1 + 1e-9


def test_what_lies_within_the_active_set_changes_nothing(rng):
    grade, features, symbols = graded(rng)
    active = {symbol: own.inverse for symbol, own in grade.sets.items()}
    inside = [0.5 * np.linalg.inv(active[symbol])[0] for symbol in symbols[0]]
    ranking = MaxVol([np.array(inside), *features[1:]], symbols, active)
    before = ranking.scores()
    assert before[0] == pytest.approx(0.5)
    ranking.take(0)
    np.testing.assert_array_equal(ranking.scores(), before)


def test_a_random_order_is_one_draw_that_stays(rng):
    ranking = Random(50, rng)
    first = ranking.scores().copy()
    assert sorted(first.tolist()) == list(range(50))
    ranking.take(3)
    np.testing.assert_array_equal(ranking.scores(), first)
    assert not np.array_equal(Random(50, rng).scores(), first)


def test_the_most_uncertain_has_the_highest_score():
    assert Uncertain(np.array([0.1, 0.3, 0.2])).scores().argmax() == 1
