import numpy as np
import pytest

from mlff.analysis.conductivity.anion_shares import shapley_decrease
from mlff.analysis.estimate import Estimate
from mlff.geometry.anion_motion import MODES


def known(decades: dict[str, float]) -> dict[str, Estimate]:
    return {mode: Estimate(10 ** -decades[mode], 0.1 * 10 ** -decades[mode]) for mode in MODES}


def test_motions_that_do_not_interact_get_what_each_does_alone():
    each = {"R": 1.0, "T": 0.5, "V": 0.25}
    found = shapley_decrease(known({mode: sum(each[letter] for letter in letters) for mode, letters in MODES.items()}))
    np.testing.assert_allclose([found[name].value for name in ("rotation", "translation", "vibration")], [1.0, 0.5, 0.25], atol=1e-12)


def test_what_two_do_only_together_is_shared_by_them():
    """On the ladder all of it would be the translation's, which comes second."""
    found = shapley_decrease(known({mode: 1.0 * ("R" in letters and "T" in letters) for mode, letters in MODES.items()}))
    np.testing.assert_allclose([found[name].value for name in ("rotation", "translation", "vibration")], [0.5, 0.5, 0.0], atol=1e-12)
    # of T: a third of the error of each of four modes alone or before the last, a sixth of the other four; each 0.1/ln 10 decades
    np.testing.assert_allclose(found["vibration"].error, 0.1 / np.log(10) * np.sqrt(4 / 9 + 4 / 36), rtol=1e-9)


def test_a_bound_or_a_missing_mode_leaves_nothing():
    decades = dict.fromkeys(MODES, 1.0)
    bounded = known(decades) | {"RTVC": Estimate(None, upper=1e-9)}
    assert str(shapley_decrease(bounded)["rotation"]) == "no result (σ is bounded, not known, with RTVC)"
    with pytest.raises(ValueError, match=r"no conductivity of VC, TVC; run all of UC, RC"):
        shapley_decrease({mode: value for mode, value in known(decades).items() if mode not in ("VC", "TVC")})
