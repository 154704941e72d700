import pytest
from omegaconf import OmegaConf

from mlff.run.plain_errors import plain_errors


@plain_errors
def refuse(cfg):
    if cfg.get("bug"):
        raise ZeroDivisionError("a mistake of ours")
    raise ValueError(f"{cfg.path}: found nothing, expected frames; check `path`")


def test_a_refusal_is_one_sentence_and_a_failure():
    with pytest.raises(SystemExit, match=r"^error: a\.xyz: found nothing, expected frames; check `path`$"):
        refuse(OmegaConf.create({"path": "a.xyz"}))


def test_a_missing_setting_is_a_refusal_too():
    with pytest.raises(SystemExit, match="path"):
        refuse(OmegaConf.create({"path": "???"}))


def test_our_own_mistakes_keep_their_stack(monkeypatch):
    with pytest.raises(ZeroDivisionError):
        refuse(OmegaConf.create({"bug": True}))
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ValueError, match="found nothing"):
        refuse(OmegaConf.create({"path": "a.xyz"}))
