"""What engines share that evaluate an artefact by `MLFFCalculator`."""

from pathlib import Path

from mlff.export.ase.calculator import MLFFCalculator
from mlff.export.engine import MODEL, OfArtefact


class WithCalculator(OfArtefact):
    """An engine whose model runs in Python, with the calculator's skin of 0.5 Å."""

    def _calculator(self, folder: Path) -> MLFFCalculator:
        return MLFFCalculator.load(folder / MODEL, device=self.device, dtype=self.dtype)
