"""NequIP and Allegro: random weights, through NequIP's ASE calculator, eager or compiled ahead of time (AOTInductor)."""

from importlib.metadata import version
from pathlib import Path

import torch
from ase import Atoms
from nequip.data import AtomicDataDict, from_ase
from nequip.data._nl import DEFAULT_NEIGHBORLIST_BACKEND
from nequip.integrations.ase import NequIPCalculator
from nequip.integrations.utils import basic_transforms, handle_chemical_species_map
from nequip.model import NequIPGNNModel
from nequip.nn import graph_model
from nequip.nn.compile import DictInputOutputWrapper
from nequip.scripts._compile_utils import ASE_TARGET
from nequip.utils.aot import aot_export_model
from nequip.utils.global_state import set_global_state

from .drive import Driven, drive


def build(request: dict, atoms: Atoms) -> Driven:
    set_global_state()
    names = sorted(set(atoms.symbols))
    model = network(request, names).eval()
    transforms = basic_transforms(model.metadata, request["r_max"], names, handle_chemical_species_map(None, names))
    versions = {"nequip": version("nequip"), "torch": torch.__version__}
    if "num_tensor_features" in request["options"]:
        versions["nequip-allegro"] = version("nequip-allegro")
    if request["mode"] == "aot":
        model = compiled(model, request, atoms, transforms)
    calculator = NequIPCalculator(model, "cpu", transforms=transforms)
    return Driven(calculator, f"{DEFAULT_NEIGHBORLIST_BACKEND}, at every step", request["dtype"], versions, calculator.atoms_to_data)


def network(request: dict, names: list[str]) -> torch.nn.Module:
    shared = {"seed": 0, "model_dtype": request["dtype"], "r_max": request["r_max"], "type_names": names, "avg_num_neighbors": 27.0}
    options = request["options"]
    if "num_tensor_features" not in options:
        return NequIPGNNModel(**shared, parity=True, **options)
    from allegro.model import AllegroModel

    embedding = {"_target_": "allegro.nn.TwoBodyBesselScalarEmbed", "num_bessels": 8}
    return AllegroModel(**shared, parity=True, radial_chemical_embed=embedding, **options)


def compiled(model: torch.nn.Module, request: dict, atoms: Atoms, transforms: list) -> torch.nn.Module:
    """As `nequip-compile --mode aotinductor --target ase` does it; once for each model and number of threads."""
    file = Path(request["cache"]) / f"{request['model'].replace(' ', '_')}-{request['r_max']}-{request['dtype']}-{request['threads']}.pt2"
    inputs, outputs = ASE_TARGET["input"], ASE_TARGET["output"]
    if not file.exists():
        data = from_ase(atoms)
        for transform in transforms:
            data = transform(data)
        data = AtomicDataDict.to_(ASE_TARGET["data_settings"](data), "cpu")
        sizes = {name: torch.export.dynamic_shapes.Dim(f"num_{name}s", min=2, max=torch.inf) for name in ("graph", "node", "edge")}
        sizes = ASE_TARGET["batch_map_settings"](sizes)
        keys = {graph_model.R_MAX_KEY: str(request["r_max"])}
        aot_export_model(model, "cpu", inputs, outputs, data, sizes, str(file), {"aot_inductor.metadata": keys})
    return DictInputOutputWrapper(torch._inductor.aoti_load_package(str(file)), inputs, outputs).eval()


if __name__ == "__main__":
    drive(build)
