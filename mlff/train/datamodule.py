"""Loaders of the training and validation parts, under an atom budget."""

import pytorch_lightning as pl
from torch.utils.data import DataLoader

from mlff.data.dataset import AtomBudgetSampler, FrameDataset, collate


class FrameData(pl.LightningDataModule):
    """Batches of frames.

    Args:
        train, val: data sets.
        max_atoms, max_frames: of a training batch.
        seed: of the order of frames.
    """

    def __init__(self, train: FrameDataset, val: FrameDataset, max_atoms: int, max_frames: int, seed: int):
        super().__init__()
        self.train, self.val = train, val
        self.max_atoms, self.max_frames, self.seed = max_atoms, max_frames, seed

    def train_dataloader(self) -> DataLoader:
        return self._loader(self.train, self.max_frames, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        # validation keeps no derivatives of derivatives and can take more frames at once, but each rank needs a batch
        n_ranks = self.trainer.world_size if self.trainer else 1
        if len(self.val) < n_ranks:
            raise ValueError(f"found {len(self.val)} validation frames and {n_ranks} processes, expected one each: hold out more")
        return self._loader(self.val, min(4 * self.max_frames, len(self.val) // n_ranks), shuffle=False)

    def _loader(self, data: FrameDataset, max_frames: int, shuffle: bool) -> DataLoader:
        rank, n_ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        max_atoms = self.max_atoms * max(1, max_frames // self.max_frames)
        sampler = AtomBudgetSampler(data.n_atoms(), max_atoms, max_frames, shuffle=shuffle, seed=self.seed, rank=rank, n_ranks=n_ranks)
        return DataLoader(data, batch_sampler=sampler, collate_fn=collate)
