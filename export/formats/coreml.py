"""A PhoneModel as a Core ML package: a folder `.mlpackage`, which Xcode builds into an app.

Only macOS and iOS run a package, so its numbers are not compared with Keras. What can be read in it is checked.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from skelgnn_tf.export.graph.phone_model import PhoneModel, Shapes
from skelgnn_tf.inference.runner import CONTRACT
from skelgnn_tf.quiet import quiet

#: Name of the package in an export.
PACKAGE = "model.mlpackage"
#: The oldest systems that run a package, and the version of its format.
MINIMUM_RUNTIME, SPECIFICATION_VERSION = {"name": "Core ML", "version": "iOS 16, macOS 13"}, 7
#: What `write` can do. Arithmetic is in 32 bits: in 16, pixels of a large picture would be rounded to whole ones.
QUANTIZATIONS = ("none", "float16")
#: Why an export says nothing of a package's numbers.
NOT_VERIFIED = (
    "Core ML runs only on macOS and iOS. Format, names, shapes and operators were read back; no number was compared "
    "with Keras."
)
#: Smaller weights keep their precision, as in `.onnx` files.
_SMALLEST = 1024


def check_installed() -> None:
    """Raises ValueError without coremltools, which only this format needs."""
    if importlib.util.find_spec("coremltools") is None:
        raise ValueError(
            "coremltools must be installed for --coreml. Received: no such package. Run pip install "
            "'skelgnn-tf[coreml]'."
        )


def write(package: Path, phone: PhoneModel, contract: dict[str, Any], quantization: str = "none") -> None:
    """Writes a package for iOS 16 and macOS 13: batch size 1, static shapes, inputs and outputs named as in `phone`.

    Args:
        package: Folder to write; must not exist.
        phone: Without quantizers.
        contract: Of the package, which carries it as the user-defined metadata contract.json.
        quantization: One of QUANTIZATIONS. float16 halves the package and is computed in float32.

    Raises:
        ValueError: No coremltools, or an operation that it does not convert.
    """
    check_installed()
    with quiet():
        import coremltools as ct

        model = _converted(phone, quantization)
        spec = model.get_spec()
        # coremltools calls them Identity, Identity_1, ...: TensorFlow sorts outputs by name.
        for i, name in enumerate(sorted(phone.outputs)):
            ct.utils.rename_feature(spec, f"Identity_{i}" if i else "Identity", name, rename_inputs=False)
        _describe_in_package(spec.description, contract)
        ct.models.MLModel(spec, weights_dir=model.weights_dir, skip_model_load=True).save(str(package))


def check(package: Path, phone: PhoneModel) -> dict[str, Any]:
    """Reads a package back and checks what can be checked without running it.

    Returns:
        Entries in contract.json: `specification_version`, and `operators` with their counts.

    Raises:
        ValueError: Another version of the format, other names or shapes, or no contract inside.
    """
    spec = read(package)
    description = spec.description
    found = {
        "format": spec.specificationVersion,
        "inputs": _shapes(description.input),
        "outputs": _shapes(description.output),
        "contract": CONTRACT in description.metadata.userDefined,
    }
    expected = {
        "format": SPECIFICATION_VERSION, "inputs": phone.inputs, "outputs": phone.outputs, "contract": True,
    }  # fmt: skip
    if found != expected:
        raise ValueError(f"{package.name} must have {expected}. Received: {found}. Install another coremltools.")
    return {
        "specification_version": SPECIFICATION_VERSION,
        "operators": dict(Counter(operators(spec)).most_common()),
    }


def read(package: Path) -> Any:
    """The specification of a package, a protocol buffer."""
    with quiet():
        import coremltools as ct

        return ct.utils.load_spec(str(package))


def operators(spec: Any) -> list[str]:
    """Names of the operators of a specification in their order, without constants."""
    (function,) = spec.mlProgram.functions.values()
    (block,) = function.block_specializations.values()
    return [operation.type for operation in block.operations if operation.type != "const"]


def _converted(phone: PhoneModel, quantization: str) -> Any:
    """The MLModel of `PhoneModel.run`."""
    import coremltools as ct

    specs = {name: tf.TensorSpec(shape, tf.float32, name=name) for name, shape in phone.inputs.items()}
    graph = tf.function(lambda **inputs: phone.run(**inputs)).get_concrete_function(**specs)
    options = {
        "minimum_deployment_target": ct.target.iOS16,
        "compute_precision": ct.precision.FLOAT32,
    }
    try:
        program = ct.convert([graph], source="tensorflow", convert_to="milinternal", **options)
        if quantization == "float16":
            _halve_weights(program)
        # The passes of the first conversion are enough. More of them would widen the weights again.
        passes = ct.PassPipeline.EMPTY
        return ct.convert(program, convert_to="mlprogram", skip_model_load=True, pass_pipeline=passes, **options)
    except (NotImplementedError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"the model must consist of operations that coremltools has. Received: {reason}.") from error


def _halve_weights(program: Any) -> None:
    """Stores large weights in float16; they are widened when the package is loaded."""
    from coremltools.converters.mil.mil import Builder

    (function,) = program.functions.values()
    with function:
        for operation in list(function.operations):
            old = operation.outputs[0]
            large = isinstance(old.val, np.ndarray) and old.val.dtype == np.float32 and old.val.size >= _SMALLEST
            if operation.op_type != "const" or not large:
                continue
            new = Builder.constexpr_cast(
                source_val=old.val.astype(np.float16), output_dtype="fp32", before_op=operation,
                name=f"{operation.name}_widened",
            )  # fmt: skip
            function.replace_uses_of_var_after_op(anchor_op=operation, old_var=old, new_var=new, force_replace=True)
            function.remove_ops([operation])


def _describe_in_package(description: Any, contract: dict[str, Any]) -> None:
    """What Xcode shows of a package, and the contract."""
    for features, ends in ((description.input, "inputs"), (description.output, "outputs")):
        for feature in features:
            feature.shortDescription = contract[ends][feature.name]["unit"]
    description.metadata.shortDescription = f"{contract['name']}, exported by skelgnn-tf"
    description.metadata.license = contract["licence"]
    description.metadata.userDefined[CONTRACT] = json.dumps(contract)


def _shapes(features: Any) -> Shapes:
    """{name: shape} of the inputs or outputs that are float32 arrays."""
    arrays = {feature.name: feature.type.multiArrayType for feature in features}
    return {name: tuple(array.shape) for name, array in arrays.items() if array.dataType == array.FLOAT32}
