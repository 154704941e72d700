import pytest
import torch

from mlff.md.noise import Noise


def drawn(*seeds, sizes=None) -> list[torch.Tensor]:
    sizes = sizes or [5] * len(seeds)
    return list(Noise(seeds, sizes).of_atoms().split(sizes))


@pytest.mark.parametrize("seed", [1, 2**31, 2**40, -3])
def test_seed_and_name_both_make_a_stream_of_their_own(seed):
    first, other_seed, other_name, again = drawn((0, "a"), (seed, "a"), (0, "b"), (0, "a"))
    assert torch.equal(first, again)
    assert (first - other_seed).abs().min() > 1e-6
    assert (first - other_name).abs().min() > 1e-6


def test_a_stream_does_not_depend_on_what_is_drawn_beside_it():
    alone = drawn((3, "x"), sizes=[7])[0]
    among = drawn((1, "p"), (3, "x"), (2, "q"), sizes=[40, 7, 3])[1]
    assert torch.equal(alone, among)
    one, other = Noise([(1, "p"), (3, "x")], [2, 2]), Noise([(3, "x")], [2])
    for noise in (one, other):
        noise.chi_square([30] * noise.sizes.__len__())
        noise.of_replicas()
    one.keep([1])
    assert torch.equal(one.of_atoms(), other.of_atoms())


def test_a_restored_stream_goes_on():
    noise = Noise([(1, "a"), (2, "b")], [3, 4])
    noise.of_atoms()
    kept = noise.state()
    expected = [noise.of_atoms(), noise.of_replicas(), noise.chi_square([5, 6])]
    fresh = Noise([(0, ""), (0, "")], [3, 4])
    fresh.restore(kept)
    for value, then in zip(expected, [fresh.of_atoms(), fresh.of_replicas(), fresh.chi_square([5, 6])], strict=True):
        assert torch.equal(value, then)


def test_sums_of_squares_have_their_mean_and_variance():
    noise = Noise([(k, "") for k in range(3)], [1] * 3)
    rows = torch.stack([noise.chi_square([0, 1, 30]) for _ in range(4000)])
    assert not rows[:, 0].any()
    for column, n in ((rows[:, 1], 1), (rows[:, 2], 30)):
        assert float(column.mean()) == pytest.approx(n, abs=4.5 * (2 * n / 4000) ** 0.5)
        # the variance of a variance: kurtosis 12/n over 4000 samples
        assert float(column.var()) == pytest.approx(2 * n, rel=4.5 * ((2 + 12 / n) / 4000) ** 0.5)
