"""Frames to label: `python scripts/sample_frames.py structure.file=Li3PS4_gamma.cif output=sampled`."""

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mlff.run.command import command
from mlff.run.sample import sample_frames


@command("sample")
def main(cfg: DictConfig) -> None:
    oracle = instantiate(cfg.oracle)
    arguments = OmegaConf.to_container(cfg, resolve=True)
    del arguments["oracle"]
    sample_frames(oracle.make, **arguments)


if __name__ == "__main__":
    main()
