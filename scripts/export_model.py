"""A trained model as an MD engine loads it: `python scripts/export_model.py engine=… model=…`; settings: conf/export/export.yaml."""

from omegaconf import DictConfig

from mlff.run.command import command


@command("export", folder="export")
def main(cfg: DictConfig) -> None:
    from mlff.run.export import export  # here, so that --help answers without loading torch

    export(cfg)


if __name__ == "__main__":
    main()
