"""MACE: random weights, in the sizes of its published models, through its ASE calculator."""

import numpy as np
import torch
from ase import Atoms
from mace import __version__, modules
from mace.calculators import MACECalculator

from .drive import Driven, drive


def build(request: dict, atoms: Atoms) -> Driven:
    from e3nn import o3  # after mace, which allows torch to load the constants of its e3nn
    from e3nn.util import jit

    torch.set_default_dtype(getattr(torch, request["dtype"]))
    torch.manual_seed(0)
    numbers = sorted({int(z) for z in atoms.numbers})
    interaction = modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    model = modules.ScaleShiftMACE(
        r_max=request["r_max"],
        num_bessel=8,
        num_polynomial_cutoff=5,
        max_ell=3,
        interaction_cls=interaction,
        interaction_cls_first=interaction,
        num_interactions=2,
        num_elements=len(numbers),
        hidden_irreps=o3.Irreps(request["options"]["hidden"]),
        MLP_irreps=o3.Irreps("16x0e"),
        gate=torch.nn.functional.silu,
        atomic_energies=np.zeros(len(numbers)),
        avg_num_neighbors=27.0,
        atomic_numbers=numbers,
        correlation=3,
        atomic_inter_scale=1.0,
        atomic_inter_shift=0.0,
    ).eval()
    mode = request["mode"]
    if mode == "scripted":
        model = jit.compile(model)
    calculator = MACECalculator(
        models=model,
        default_dtype=request["dtype"],
        compile_mode="default" if mode == "compiled" else None,
        fullgraph=False,
        enable_cueq=mode == "cueq",
    )
    versions = {"mace-torch": __version__, "torch": torch.__version__}
    return Driven(calculator, "matscipy, at every step", request["dtype"], versions, calculator._atoms_to_batch)


if __name__ == "__main__":
    drive(build)
