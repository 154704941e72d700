"""What a run says of its model and its data."""

from omegaconf import DictConfig

import mlff
from mlff.data import ReferenceEnergies, geometry_hash
from mlff.data.parts import PARTS
from mlff.engine import Committee
from mlff.model.potential import Potential
from mlff.run.data import RunData
from mlff.run.initial import Start
from mlff.run.predict import n_parameters


def model_card(cfg: DictConfig, data: RunData, start: Start, model: Potential | Committee, mobile: list[str]) -> dict:
    """The JSON card of an artefact: what was trained, on what, how."""
    settings = sorted({str(frame.info["settings"]) for frame in data.frames if frame.info.get("settings")})
    temperatures = sorted({float(frame.info["temperature"]) for frame in data.part("train") if frame.info.get("temperature") is not None})
    return {
        "name": cfg.name,
        "version": mlff.__version__,
        "model": start.description,
        "dtype": str(model.dtype).removeprefix("torch."),
        "n_parameters": n_parameters(model),
        "mobile": mobile,
        "data": {
            "path": str(cfg.data.path),
            "hash": data.hash,
            "train_frames": list(dict.fromkeys([*start.seen_before, *map(geometry_hash, data.part("train"))])),  # each once
            "energies_identifiable": start.reference.identifiable,
            "n_train": len(data.splits.train),
            "split": data.splits.description,
            "energy_kind": sorted({frame.energy_kind for frame in data.frames}),
            "dft_settings": settings,
            "temperatures_K": temperatures,
        },
        "seed": cfg.seed,
    }


def data_summary(data: RunData, reference: ReferenceEnergies) -> dict:
    """The report's table of the data."""
    summary: dict[str, object] = {
        "file": data.frames[0].source,
        "split": data.splits.description,
        "reference energies": reference.message,
        "reference energies, eV": dict(reference.energies),
    }
    for name in PARTS:
        frames = data.part(name)
        summary[name] = {
            "frames": len(frames),
            "atoms": sum(len(f.numbers) for f in frames),
            "with energy": sum(f.energy is not None for f in frames),
            "with forces": sum(f.forces is not None for f in frames),
            "with stress": sum(f.stress is not None for f in frames),
        }
    return summary
