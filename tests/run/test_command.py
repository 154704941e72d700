import pytest
from omegaconf import OmegaConf

from mlff.run.command import CONF, nearest_settings, plain_errors, refuse_additions, require_all


def test_a_refusal_is_one_sentence_and_a_failure():
    with pytest.raises(SystemExit, match=r"^error: a\.xyz: found nothing, expected frames; check `path`$"), plain_errors():
        raise ValueError("a.xyz: found nothing, expected frames; check `path`")


def test_missing_settings_are_named():
    with pytest.raises(ValueError, match=r"^not given: data\.path, name; say data\.path=… name=…"):
        require_all(OmegaConf.create({"name": "???", "data": {"path": "???", "format": None}}))


def test_our_own_mistakes_keep_their_stack(monkeypatch):
    with pytest.raises(ZeroDivisionError), plain_errors():
        raise ZeroDivisionError("a mistake of ours")
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ValueError, match="found nothing"), plain_errors():
        raise ValueError("found nothing")


def test_an_added_setting_is_refused():
    refuse_additions(["+experiment=quickstart", "trainer.max_epochs=3", "-m"])
    with pytest.raises(ValueError, match=r"^\+trainer\.max_epoch=3 would add a setting that nothing reads; change one that exists"):
        refuse_additions(["+experiment=quickstart", "+trainer.max_epoch=3"])


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("trainer.max_epoch=3", "trainer.max_epochs"),
        ("max_epochs=3", "trainer.max_epochs"),
        ("trainer.learning_rate=1e-3", None),
        ("optimiser=soap", "optimizer"),
        ("model.size=XS", "model.options.size"),
    ],
)
def test_the_nearest_setting_is_named(wrong, meant):
    hints = nearest_settings(["+experiment=quickstart", "model=lean", wrong], "train", CONF)
    if meant is None:
        assert hints == []
    else:
        assert len(hints) == 1
        assert f"did you mean {meant}" in hints[0]


def test_what_exists_gets_no_hint():
    overrides = ["+experiment=lips", "data=files", "data/split=file", "optimizer=adamw", "optimizer.lr=1e-3", "name=x", "--help"]
    assert nearest_settings(overrides, "train", CONF) == []
