"""Label frames with a reference code: `python scripts/label_frames.py input=frames.extxyz output=labelled.extxyz oracle=cp2k`."""

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from mlff.run.command import command
from mlff.run.label import label_frames


@command("label")
def main(cfg: DictConfig) -> None:
    arguments = OmegaConf.to_container(cfg, resolve=True)
    arguments["oracle"] = instantiate(cfg.oracle, _convert_="all")
    print(label_frames(**arguments))


if __name__ == "__main__":
    main()
