"""What a study says of its potential where that knows little."""

from types import SimpleNamespace

from softness.study.doubts import uncertain


def test_members_that_disagree_are_told_with_where_and_on_what():
    sure = SimpleNamespace(name="cold", deviation={"Li": 0.04, "P": 0.14})
    unsure = SimpleNamespace(name="warm", deviation={"Li": 0.1, "P": 2.27, "S": 0.95})
    alone = SimpleNamespace(name="one model", deviation={})
    (sentence,) = uncertain([sure, unsure, alone])
    assert sentence.startswith(
        "in warm members of the potential differ in the forces on P by 2.3, S by 0.95 eV/Å (rms), expected below 0.5"
    )
