"""The features in which a potential's energy is linear, atom by atom."""

import numpy as np
import torch

from mlff.data.dataset import AtomBudgetSampler, FrameDataset, collate
from mlff.model.architecture import LinearReadout
from mlff.model.potential import Potential

BUDGET = 1024  # atoms of a batch


@torch.no_grad()
def last_layer_features(potential: Potential, data: FrameDataset) -> tuple[np.ndarray, np.ndarray]:
    """b of each atom less that of the isolated atom, so that E − E0 = w · b, and its symbol.

    Returns:
        (n_atoms, n_features) and (n_atoms,), frame after frame.
    """
    architecture = potential.eval().architecture
    assert isinstance(architecture, LinearReadout)
    features, symbols = [], []
    for batch in AtomBudgetSampler(data.n_atoms(), max_atoms=BUDGET, max_frames=32, shuffle=False).batches():
        graph = collate([data[i] for i in batch])
        hood = potential.neighborhood(graph)
        rows = architecture.last_layer(hood.moved(hood.vectors.to(potential.dtype)))
        features.append(hood.beyond_vacuum(rows).T.double().numpy())
        symbols.append(np.array(potential.species)[graph.species.numpy()])
    return np.concatenate(features), np.concatenate(symbols)
