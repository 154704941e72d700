"""A model as libtorch runs it for `pair_style mlff`: compiled stages (.pt2), and beside them a file with E0, scale and what they are."""

import os
from pathlib import Path

from mlff.artefact import load
from mlff.engine import stack
from mlff.export.compiled.potential import LEAST, compile_stages
from mlff.export.lammps.model_file import check_architecture, common_card, save_model
from mlff.model import Lean2


def write_staged(artefact: str | os.PathLike, path: Path, device: str, dtype: str = "float32") -> None:
    """Write the file, and the stages beside it.

    On a CPU stages keep the number of threads that the process had which compiled them; on a GPU each rank has its own copy of the model.

    Args:
        artefact: folder of a `lean` or `lean2`, one potential or a committee.
        device: that the stages run on, "cpu" or "cuda"; "cuda:1" is this one GPU for all ranks of a machine.
        dtype: of the network, "float32" or "float64".
    Raises:
        FileNotFoundError: there is no C++ compiler.
        ValueError: it is of an architecture that has no stages.
    """
    members = load(artefact).members
    stacked = stack(members)
    check_architecture(stacked, artefact)
    stages = compile_stages(members, path.parent, device=device, dtype=dtype)
    card = common_card(stacked, "stages", dtype) | {
        "device": device,
        "least": LEAST,
        "n_hop": stacked.architecture.message[-1].out_features if isinstance(stacked.architecture, Lean2) else 0,
        "stages": [stage.stem for stage in stages],
    }
    save_model(path, card, {"E0": stacked.E0, "scale": stacked.energy_scale})
