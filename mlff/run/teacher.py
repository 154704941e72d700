"""A trained model as an oracle: it drives sampling, or relabels cheap frames for a smaller model."""

import functools
import hashlib

from mlff import __version__
from mlff.artefact import load
from mlff.artefact.locate import locate_model
from mlff.export.ase import MLFFCalculator
from mlff.oracle.ase_calculator import ASECalculator


def teacher(model: str, device: str = "cpu", dtype: str = "float32") -> ASECalculator:
    """An oracle that answers with a model artefact.

    Args:
        model: its folder, or bundled:li3ps4.
        device, dtype: as MLFFCalculator's.
    """
    folder = locate_model(model)
    weights = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()[:16]
    settings = {"model": load(folder).card["name"], "weights": weights, "dtype": dtype}
    # loaded where it labels: what a worker is sent is the folder's name
    make = functools.partial(MLFFCalculator.load, folder, device=device, dtype=dtype)
    return ASECalculator(make, code="mlff", version=__version__, settings=settings)
