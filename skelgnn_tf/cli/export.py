"""skelgnn-tf export"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH, import_quietly, last_run


@click.command()
@click.argument("model", required=False, type=PATH)
@click.option("--tflite", is_flag=True, help="Write model.tflite.")
@click.option("--onnx", is_flag=True, help="Write model.onnx.")
@click.option("--coreml", is_flag=True, help="Write model.mlpackage (needs skelgnn-tf[coreml]); not verified.")
@click.option(
    "--quantize",
    "quantization",
    type=click.Choice(["none", "float16", "dynamic", "int8", "int16x8"]),
    default="none",
    show_default=True,
    help="float16: half the size. dynamic: 8-bit weights. int8: 8-bit arithmetic, calibrated on training clips. "
    "int16x8: 16-bit activations.",
)
@click.option(
    "--keypoint-layout",
    "layout",
    type=click.Choice(["h36m_17", "coco_17", "blazepose_33"]),
    help="Joints of the app's detector.  [default: those of the model]",
)
@click.option("--flip", is_flag=True, help="Lifters: average with the mirrored keypoints, at twice the cost.")
@click.option("--data-dir", multiple=True, help="Folder with the model's data.  [default: as trained]")
@click.option("--overwrite", is_flag=True, help="Allow --output to hold another model, which is replaced.")
@click.option("--force", is_flag=True, help="Keep a file that loses more accuracy than its quantization allows.")
@click.option("--output", type=PATH, help="Folder.  [default: exported/<run>]")
@one_line_errors
def export(model: Path | None, tflite: bool, onnx: bool, coreml: bool, output: Path | None, **options: Any) -> None:
    """Turn MODEL into files for phones, checked against Keras on real clips.

    MODEL is a run folder, a .keras file or a preset; the default is the newest run (runs/last).
    """
    wanted = {"tflite": tflite, "onnx": onnx, "coreml": coreml}
    formats = tuple(name for name in wanted if wanted[name])
    if not formats:
        raise ValueError("export must be used with --tflite, --onnx, --coreml or several of them. Received: none.")
    check_writable("--output", output)
    import_quietly()
    from skelgnn_tf.export.export import export as run

    run(model or last_run(), output, formats=formats, **options)
