"""Frames to label: `python scripts/sample_frames.py structure.file=Li3PS4_gamma.cif output=sampled`."""

import hydra
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mlff.run.plain_errors import plain_errors
from mlff.run.sample import sample_frames


@hydra.main(config_path="../conf", config_name="sample", version_base="1.3")
@plain_errors
def main(cfg: DictConfig) -> None:
    oracle = instantiate(cfg.oracle)
    arguments = OmegaConf.to_container(cfg, resolve=True)
    del arguments["oracle"]
    sample_frames(oracle.make, **arguments)


if __name__ == "__main__":
    main()
