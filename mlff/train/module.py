"""The Lightning module: one training step, the moving average that becomes the model, validation by it."""

import copy
from collections.abc import Callable, Sequence

import pytorch_lightning as pl
import torch
from torch import Tensor

from mlff.data.frame import Frame
from mlff.engine import Committee
from mlff.graph import AtomGraph, Prediction
from mlff.train.clock import Clock
from mlff.train.loss import Loss


class ForceField(pl.LightningModule):
    """Trains all members of a committee at once; `average`, the exponential moving average of their weights, is the model.

    Members do not feel each other: each has its own loss, gradient norm and preconditioner, and shares the batches.

    Args:
        committee: of calibrated potentials, one or several.
        loss: of predictions against labels.
        optimizer: parameter groups → optimizer.
        schedule: share of training done → factor of the learning rate.
        frames: what frame_id points to, so that an error can name the frame.
        weight_decay: of matrices alone; biases, gates' offsets and scalars are free.
        ema_decay: per step; its first steps average over fewer.
        frame_weights: of each training frame in each member's loss, (n_members, n_frames); 1 by default.
        autograd: whether derivatives are left to autograd, by double backward, and not to the engine.
        clock: the wall clock that may end the training; none by default.
        stage_two: share of training after which the energy's weight rises, by `stage_two_energy_factor`; 1 for never.
    """

    def __init__(
        self,
        committee: Committee,
        loss: Loss,
        optimizer: Callable[[list[dict]], torch.optim.Optimizer],
        schedule: Callable[[float], float],
        frames: Sequence[Frame],
        weight_decay: float,
        ema_decay: float,
        stage_two: float,
        stage_two_energy_factor: float,
        frame_weights: Tensor | None = None,
        autograd: bool = False,
        clock: Clock | None = None,
    ):
        super().__init__()
        self.committee, self.loss, self.autograd = committee, loss, autograd
        self.average = copy.deepcopy(committee).requires_grad_(False)
        weights = torch.ones(len(committee), len(frames)) if frame_weights is None else frame_weights
        self.register_buffer("frame_weights", weights, persistent=False)
        self.make_optimizer, self.schedule, self.frames = optimizer, schedule, frames
        self.weight_decay, self.ema_decay = weight_decay, ema_decay
        self.stage_two, self.stage_two_energy_factor = stage_two, stage_two_energy_factor
        self.clock = clock or Clock(None)
        self._needs_stress = loss.weights["stress"] > 0
        self._sums: dict[str, float] = {}
        self._losses: dict[str, float | Tensor] = {}
        self._seen = 0  # frames of this epoch

    @property
    def progress(self) -> float:
        """The share of training that is done, 0 to 1: of the steps, or of the wall clock where that ends first."""
        return min(1.0, max(self.global_step / max(1, self.trainer.estimated_stepping_batches), self.clock.share))

    @property
    def stage(self) -> int:
        """1, then 2 from the start of stage two."""
        return 2 if self.progress >= self.stage_two else 1

    @property
    def in_last_stage(self) -> bool:
        """Whether no further stage will begin."""
        return self.stage == 2 or self.stage_two >= 1

    @property
    def energy_factor(self) -> float:
        """1, then rising to `stage_two_energy_factor` over the first half of stage two: a jump would throw the weights off their path."""
        if self.stage_two >= 1:
            return 1.0
        risen = (self.progress - self.stage_two) / (0.5 * (1 - self.stage_two))
        return self.stage_two_energy_factor ** min(max(risen, 0.0), 1.0)

    def configure_optimizers(self):
        # the first dimension counts members
        free = [p for p in self.committee.parameters() if p.requires_grad and p.dim() < 3]
        decayed = [p for p in self.committee.parameters() if p.requires_grad and p.dim() >= 3]
        groups = [{"params": decayed, "weight_decay": self.weight_decay}, {"params": free, "weight_decay": 0.0}]
        optimizer = self.make_optimizer([group | {"members": True} for group in groups if group["params"]])
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: self.schedule(self.progress))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_train_start(self) -> None:
        self.clock.start(self.clock.elapsed)

    def on_train_epoch_start(self) -> None:
        self._losses, self._seen = {}, 0

    def on_train_epoch_end(self) -> None:
        # once an epoch: Lightning's own sums take a tenth of a small step
        self.log_dict({f"train_{name}loss": total / self._seen for name, total in self._losses.items()})
        self.log_dict({"lr": self.optimizers().param_groups[0]["lr"], "stage": float(self.stage)})
        # every process stops together, by the clock of the first
        self.trainer.should_stop = self.trainer.strategy.broadcast(self.trainer.should_stop or self.clock.share >= 1)

    def training_step(self, graph: AtomGraph, batch_idx: int) -> Tensor:
        parts: dict[str, Tensor] = {}

        def loss_of(prediction: Prediction) -> Tensor:
            loss, found = self.loss(prediction, graph, self.energy_factor, self.frame_weights[:, graph.frame_id])
            parts.update(found)
            return loss

        needs_stress = self._needs_stress and bool(graph.has_stress.any())
        loss, prediction = self.committee.evaluator(self.autograd).loss(graph, loss_of, needs_stress)
        if not torch.isfinite(loss):
            raise FloatingPointError(self._not_finite(prediction, graph))
        n_frames = len(graph.energy)
        self._seen += n_frames
        for name, part in {"": loss, **{f"{name}_": part for name, part in parts.items()}}.items():
            # per member
            self._losses[name] = self._losses.get(name, 0.0) + part.detach() * (n_frames / len(self.committee))
        return loss

    def configure_gradient_clipping(self, optimizer, gradient_clip_val=None, gradient_clip_algorithm=None) -> None:
        """By the norm of each member's own gradient."""
        if not gradient_clip_val:
            return
        gradients = [p.grad for p in self.committee.parameters() if p.grad is not None]
        norm = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
        factor = (gradient_clip_val / (norm + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))

    def on_train_batch_end(self, outputs, batch, batch_idx: int) -> None:
        # the first averages run over fewer steps, so that the random start is forgotten
        decay = min(self.ema_decay, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.committee.parameters()), 1 - decay)

    def on_validation_epoch_start(self) -> None:
        self.average.eval()
        self._sums = dict.fromkeys(("force", "n_force", "energy", "n_energy", "stress", "n_stress"), 0.0)

    def validation_step(self, graph: AtomGraph, batch_idx: int) -> None:
        prediction = self.average(graph, compute_stress=bool(graph.has_stress.any()))
        n_atoms = torch.bincount(graph.graph_index, minlength=len(graph.energy))
        errors = {
            "energy": ((prediction.energy - graph.energy) / n_atoms)[graph.has_energy],
            "force": (prediction.forces - graph.forces)[graph.has_forces[graph.graph_index]],
        }
        if prediction.stress is not None:
            errors["stress"] = (prediction.stress - graph.stress)[graph.has_stress]
        for name, error in errors.items():
            self._sums[name] += float(error.abs().sum())
            self._sums[f"n_{name}"] += error.numel()

    def on_validation_epoch_end(self) -> None:
        sums = torch.tensor(list(self._sums.values()), dtype=torch.float64, device=self.device)
        if self.trainer.world_size > 1:
            sums = self.trainer.strategy.reduce(sums, reduce_op="sum")
        totals = dict(zip(self._sums, sums.tolist(), strict=True))
        for name in ("energy", "force", "stress"):
            if totals[f"n_{name}"]:
                # meV/atom, meV/Å, meV/Å³
                self.log(f"val_{name}_mae", 1e3 * totals[name] / totals[f"n_{name}"], prog_bar=name == "force")
        # what is kept: the sum of the errors that there are, each in the loss's own unit, so that stage two's better
        # energies are not thrown away for a hair of force
        units = {"energy": self.loss.units["energy"], "force": self.loss.units["forces"]}
        self.log("val_score", sum(totals[k] / totals[f"n_{k}"] / unit for k, unit in units.items() if totals[f"n_{k}"]))

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["torch_rng"], checkpoint["elapsed"] = torch.get_rng_state(), self.clock.elapsed

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        torch.set_rng_state(checkpoint["torch_rng"].cpu())
        self.clock.start(checkpoint["elapsed"])

    def _not_finite(self, prediction, graph: AtomGraph) -> str:
        bad = ~torch.isfinite(prediction.energy).all(0)
        broken = ~torch.isfinite(prediction.forces).all(-1).all(0)
        bad.index_put_((graph.graph_index[broken],), torch.tensor(True, device=bad.device))
        suspects = graph.frame_id[bad] if bad.any() else graph.frame_id
        names = "; ".join(self.frames[int(i)].where for i in suspects.tolist())
        return (
            f"the loss is not finite at step {self.global_step} on {names}; expected finite energies and forces: "
            "look at the frame's shortest distances and labels (scripts/inspect_data.py), or lower `optimizer.lr`"
        )
