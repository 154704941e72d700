import pytest

from mlff.train.schedule import constant, warmup_stable_decay


def test_warmup_stable_decay():
    f = warmup_stable_decay(warmup=0.1, decay=0.4, final=0.01)
    assert f(0.05) == pytest.approx(0.5)
    assert f(0.1) == f(0.6) == 1.0
    assert f(0.8) == pytest.approx(0.01 + 0.99 * 0.5)
    assert f(1.0) == pytest.approx(0.01)
    assert 0 < f(0.0) < 0.02


def test_shares_must_fit():
    with pytest.raises(ValueError, match="must not add up to more than 1"):
        warmup_stable_decay(warmup=0.5, decay=0.6, final=0.1)


def test_constant():
    f = constant(warmup=0.1)
    assert f(0.05) == pytest.approx(0.5)
    assert f(0.1) == f(1.0) == 1.0
