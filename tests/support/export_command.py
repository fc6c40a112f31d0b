"""Run folders of tiny models, and the command that exports them."""

import json
from pathlib import Path

from click.testing import CliRunner

from skelgnn_tf import checkpoints
from skelgnn_tf.cli.main import main
from skelgnn_tf.models.build import build_model
from support import tiny_export
from support.tiny_export import lift_config

#: The quickest to convert: a second or two.
SMALL = {"frames": 1, "blocks": 1, "sharing": "shared", "dynamic": False}


def a_small_run(folder, data, change=None, **options):
    """A run of the quickest lifter, whose weights `change` may spoil."""
    config = lift_config(**SMALL | {"dataset": ("h36m",), "data_dir": (str(data),), "fitness_clips": 1} | options)
    model = build_model(config)
    model.set_weights([(change or (lambda w: w))(w) for w in tiny_export.lived_in(config).get_weights()])
    return a_run(folder / "runs/small", model, config)


def a_run(folder, model, config):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(config.to_json())
    checkpoints.save(model, config, folder / "model.keras")
    return folder


def call(*arguments):
    result = CliRunner().invoke(main, ["export", *(str(a) for a in arguments)], catch_exceptions=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def everything(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def mistake(*arguments):
    """The one line that a mistake costs."""
    before = everything(Path.cwd())
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == "", result.stdout
    assert everything(Path.cwd()) == before, "something has changed"
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("skelgnn-tf: ") and "Traceback" not in line
    return line.removeprefix("skelgnn-tf: ")


def told(folder):
    return json.loads((folder / "contract.json").read_text())
