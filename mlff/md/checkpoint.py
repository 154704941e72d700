"""A run's state on disk, whole or not at all: tensors and a few words of JSON in one safetensors file."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mlff.md.state import State

FORMAT = "mlff-md-checkpoint-1"
OF_STATE = ("positions", "velocities", "cell", "forces", "energy", "stress", "deviation")


@dataclass(frozen=True)
class Checkpoint:
    """Where a run goes on.

    stage: the number of the stage; step_in_stage: steps of it that were taken.
    names: of the replicas that still move.
    state: of these. noise: of each one's stream.
    kept: tensors that belong to the stage, such as the positions that it began with.
    """

    stage: int
    step_in_stage: int
    names: Sequence[str]
    state: State
    noise: Sequence[Tensor]
    kept: Mapping[str, Tensor]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the file at once."""
    state = checkpoint.state
    tensors = {f"state.{name}": getattr(state, name) for name in OF_STATE}
    tensors |= {f"bath.{name}": values for name, values in state.bath.items()}
    tensors |= {f"noise.{k}": stream for k, stream in enumerate(checkpoint.noise)}
    tensors |= {f"kept.{name}": values for name, values in checkpoint.kept.items()}
    words = {"stage": checkpoint.stage, "step_in_stage": checkpoint.step_in_stage, "names": list(checkpoint.names), "step": state.step}
    metadata = {"format": FORMAT, "run": json.dumps(words)}
    unfinished = path.with_suffix(".partial")
    with open(unfinished, "wb") as file:
        file.write(save({name: values.cpu().contiguous().clone() for name, values in tensors.items()}, metadata))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read_checkpoint(path: Path, device: str = "cpu") -> Checkpoint:
    """What `write_checkpoint` wrote.

    Raises:
        ValueError: the file is damaged or of another format.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise ValueError(f"{path} cannot be read ({error}), expected a checkpoint; begin the run anew in another folder") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is of format {metadata.get('format')!r}, expected {FORMAT!r}; go on with the version that wrote it")
    words = json.loads(metadata["run"])

    def under(prefix: str, to: str = device) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): values.to(to) for name, values in tensors.items() if name.startswith(prefix)}

    state = State(step=words["step"], **under("state."), bath=under("bath."))
    streams = under("noise.", "cpu")
    noise = [streams[str(k)] for k in range(len(streams))]
    return Checkpoint(words["stage"], words["step_in_stage"], words["names"], state, noise, under("kept."))


def expect_replicas(path: Path, checkpoint: Checkpoint, sizes: Mapping[str, int], stopped: Collection[str]) -> None:
    """Refuse a checkpoint of other replicas than a run has.

    Args:
        sizes: atoms of each of the run's replicas, by name and in their order. stopped: those that ended before.
    Raises:
        ValueError: it holds others, or they have another order or number of atoms.
    """
    remedy = "run in a folder of its own what is not the same run"
    still = [name for name in sizes if name in checkpoint.names]
    ended = [name for name in sizes if name not in still]
    if still != list(checkpoint.names) or not set(ended) <= set(stopped):
        raise ValueError(
            f"{path} holds the replicas {list(checkpoint.names)}, expected {list(sizes)} "
            f"but for {sorted(stopped)}, which were stopped; {remedy}"
        )
    found, expected = len(checkpoint.state.positions), sum(sizes[name] for name in still)
    if still and found != expected:
        raise ValueError(f"{path} holds {found} atoms of {still}, expected {expected}; {remedy}")
