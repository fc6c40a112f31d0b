"""Wall time and peak memory of commands from their start to their end: help, import, and a prediction.

Every command runs in a process of its own, several times, and the commands take turns. Peak memory is the resident
set of that process as the system counts it (`ru_maxrss`), like the "Maximum resident set size" of `/usr/bin/time -v`.

Example: python benchmarks/speed/startup.py --rounds 10
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from _timing import rounds_of, spread
from skelgnn_tf.datasets import fitness
from skelgnn_tf.skeletons import COCO_17

# Measures one command from a small process: the system counts the memory of the process that starts a command as the
# command's own, until the command replaces it.
_MEASURE = """
import json, os, sys, time
silent = os.open(os.devnull, os.O_WRONLY)
start = time.perf_counter()
actions = [(os.POSIX_SPAWN_DUP2, silent, 1)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - start
# In bytes on macOS, in kilobytes elsewhere.
scale = 1 if sys.platform == "darwin" else 1024
print(json.dumps([seconds, usage.ru_maxrss * scale / 1e6, os.waitstatus_to_exitcode(status)]))
"""


def measure(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak megabytes of a command.

    Args:
        command: Path of the program and its arguments.

    Raises:
        click.ClickException: The command fails; its error output is printed.
    """
    program = [sys.executable, "-I", "-S", "-c", _MEASURE, *command]
    ran = subprocess.run(program, stdout=subprocess.PIPE, text=True)
    seconds, megabytes, code = json.loads(ran.stdout) if not ran.returncode else (0.0, 0.0, ran.returncode)
    if code:
        raise click.ClickException(f"{' '.join(command)} failed with exit code {code}.")
    return seconds, megabytes


def write_keypoints(file: Path, frames: int) -> None:
    """Writes a keypoint file of one generated person, as a detector of COCO keypoints would."""
    clip = fitness.make_clip(0, 0, frames=frames, exercise="squat", layout="coco_17", skeleton=COCO_17)
    np.savez(file, keypoints=clip.keypoints, image_size=clip.image_size_px, fps=clip.fps)


def commands(folder: Path, frames: int) -> dict[str, list[str]]:
    """The measured commands by their name."""
    keypoints = folder / "keypoints.npz"
    write_keypoints(keypoints, frames)
    skelgnn = str(Path(sys.executable).with_name("skelgnn-tf"))
    return {
        'python -c ""': [sys.executable, "-c", ""],
        'python -c "import skelgnn_tf"': [sys.executable, "-c", "import skelgnn_tf"],
        "skelgnn-tf --help": [skelgnn, "--help"],
        "skelgnn-tf train --help": [skelgnn, "train", "--help"],
        f"skelgnn-tf predict ({frames} frames)": [
            skelgnn, "predict", str(keypoints), "--output", str(folder / "prediction.json"),
        ],
    }  # fmt: skip


def table_of(found: Mapping[str, list[tuple[float, float]]], rounds: int) -> Table:
    """A row for each command."""
    table = Table("command", title=f"minimum / median / maximum of {rounds} runs", title_justify="left")
    for column in ("wall s", "peak MB"):
        table.add_column(column, justify="right")
    for name, runs in found.items():
        seconds, megabytes = zip(*runs, strict=True)
        table.add_row(name, spread(seconds, 2), spread(megabytes, 0))
    return table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Rounds that count.")
@click.option(
    "--frames", type=click.IntRange(2), default=550, show_default=True, help="Frames of the keypoint file to predict."
)
def main(rounds: int, frames: int) -> None:
    """Measure wall time and peak memory of help, import and prediction."""
    console = Console()
    console.width = console.width if console.is_terminal else 100
    with tempfile.TemporaryDirectory(prefix="startup") as folder:
        measured = commands(Path(folder), frames)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
        # The first round only fills the disk cache.
        for number, order in enumerate(rounds_of(list(measured), rounds + 1)):
            for name in order:
                run = measure(measured[name])
                if number:
                    found[name].append(run)
    console.print(table_of(found, rounds))


if __name__ == "__main__":
    main()
