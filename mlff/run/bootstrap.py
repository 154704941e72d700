"""How much each training frame counts in each member of a committee."""

import numpy as np
import torch
from omegaconf import DictConfig
from torch import Tensor


def bootstrap_weights(n_frames: int, cfg: DictConfig, seed: int) -> Tensor:
    """Weights of mean 1, (n_members, n_frames): all 1, or with `bootstrap` a draw of Exp(1) for each member and frame.

    Exponential weights are Rubin's Bayesian bootstrap (Ann. Stat. 9, 130, 1981): as the bootstrap that draws frames with
    replacement, but every member sees every frame.

    Args:
        cfg: uncertainty: n_members, bootstrap.
    """
    if not cfg.bootstrap:
        return torch.ones(cfg.n_members, n_frames)
    weights = np.random.default_rng(seed).exponential(size=(cfg.n_members, n_frames))
    return torch.from_numpy(weights / weights.mean(1, keepdims=True)).float()
