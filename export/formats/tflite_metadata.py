"""TFLite's standard metadata: what Android Studio, the TFLite Support library and MediaPipe read from a `.tflite` file.

It is written with flatbuffers, table by table, because tflite-support cannot be installed next to TensorFlow 2.21. The
number of each field is its place in its table in metadata_schema.fbs.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import flatbuffers

#: Name of the metadata entry in a `.tflite` file.
ENTRY = "TFLITE_METADATA"
#: Name of the file with the classes, one a line; as the schema requires, it is in a zip behind the model.
LABELS = "labels.txt"
_IDENTIFIER = b"M001"
#: All fields that are written here are in the first version of the schema.
_MIN_PARSER_VERSION = "1.0.0"
#: AssociatedFileType.TENSOR_AXIS_LABELS and ContentProperties.FeatureProperties.
_TENSOR_AXIS_LABELS, _FEATURE_PROPERTIES = 2, 1
#: Names of the last axes of each tensor.
_AXES = {
    "keypoints": ("frame", "joint", "channel"),
    "image_size": ("side",),
    "pose_m": ("frame", "joint", "coordinate"),
    "confidence": ("frame", "joint"),
    "probabilities": ("class",),
}


def metadata(contract: dict[str, Any], inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """The content of the entry TFLITE_METADATA.

    Args:
        contract: The contract inside the file.
        inputs: Names of the inputs of the file's first graph, in their order there.
        outputs: Names of its outputs.
    """
    builder = flatbuffers.Builder(1024)
    graph = _table(
        builder,
        {
            0: _text(builder, "serving_default"),
            2: _tables(builder, [_tensor(builder, contract, "inputs", name) for name in inputs]),
            3: _tables(builder, [_tensor(builder, contract, "outputs", name) for name in outputs]),
        },
    )
    fields = {
        0: _text(builder, contract.get("name", "")),
        1: _text(builder, _description(contract)),
        2: _text(builder, contract.get("weights_sha256", "")[:12]),
        3: _tables(builder, [graph]),
        4: _text(builder, f"trained with skelgnn-tf {contract.get('versions', {}).get('skelgnn-tf', '')}".strip()),
        5: _text(builder, contract.get("licence", "")),
        7: _text(builder, _MIN_PARSER_VERSION),
    }
    builder.Finish(_table(builder, fields), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def with_labels(content: bytes, classes: Sequence[str]) -> bytes:
    """The file with its classes behind it, to which the metadata of `probabilities` refers; a lifter has none."""
    if not classes:
        return content
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        # Given only its name, it would get the time of now, and equal exports would be different files.
        archive.writestr(zipfile.ZipInfo(LABELS), "\n".join(classes) + "\n")
    return file.getvalue()


def _description(contract: dict[str, Any]) -> str:
    layout, frames = contract.get("keypoint_layout"), contract.get("frames")
    given = "3D poses" if layout is None else f"2D keypoints ({layout})"
    if contract.get("task") == "lift":
        text = f"3D pose from {given} of {frames} frames."
    else:
        text = f"Action from {given} of {frames} frames."
    return f"{text} Training data: {contract.get('training_data', 'unknown')}."


def _tensor(builder: flatbuffers.Builder, contract: dict[str, Any], ends: str, name: str) -> int:
    """A TensorMetadata; of a tensor that the contract does not describe, only the name."""
    entry = contract.get(ends, {}).get(name, {})
    about = "; ".join(entry[key] for key in ("unit", "axes") if key in entry)
    fields = {
        0: _text(builder, name),
        1: _text(builder, about),
        2: _texts(builder, dimension_names(name, len(entry["shape"])) if entry else ()),
        3: _content(builder),
    }
    if name == "probabilities" and contract.get("classes"):
        fields[6] = _tables(builder, [_labels(builder)])
    return _table(builder, fields)


def dimension_names(name: str, rank: int) -> tuple[str, ...]:
    """Names of the axes of a tensor: ("batch", "frame", "joint", "channel")."""
    last = _AXES[name]
    return ("batch", "person")[: rank - len(last)] + last


def _content(builder: flatbuffers.Builder) -> int:
    features = _table(builder, {})
    builder.StartObject(3)
    builder.PrependUint8Slot(0, _FEATURE_PROPERTIES, 0)
    builder.PrependUOffsetTRelativeSlot(1, features, 0)
    return builder.EndObject()


def _labels(builder: flatbuffers.Builder) -> int:
    name, about = _text(builder, LABELS), _text(builder, "Classes in the order of the probabilities, one a line.")
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUOffsetTRelativeSlot(1, about, 0)
    builder.PrependInt8Slot(2, _TENSOR_AXIS_LABELS, 0)
    return builder.EndObject()


def _table(builder: flatbuffers.Builder, fields: dict[int, int]) -> int:
    """A table of which every field is an offset; 0 leaves a field out."""
    builder.StartObject(max(fields, default=-1) + 1)
    for place, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(place, offset, 0)
    return builder.EndObject()


def _text(builder: flatbuffers.Builder, text: str) -> int:
    return builder.CreateString(text) if text else 0


def _texts(builder: flatbuffers.Builder, texts: Sequence[str]) -> int:
    return _tables(builder, [builder.CreateString(text) for text in texts]) if texts else 0


def _tables(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    """A vector of tables or strings."""
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()
