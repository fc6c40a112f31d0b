"""Core ML packages computed by numpy, one operator after the other, by the definitions in Apple's documentation of MIL.

This is not Core ML: it shows that a package says what was meant, not that Apple's runtime agrees.
"""

import numpy as np

from skelgnn_tf.export.formats.coreml import SPECIFICATION_VERSION


def run(package, inputs):
    """{name: array} -> {name: array}."""
    import coremltools as ct
    from coremltools.converters.mil.frontend.milproto.load import load

    model = ct.models.MLModel(str(package), skip_model_load=True)
    program = load(model.get_spec(), specification_version=SPECIFICATION_VERSION, file_weights_dir=model.weights_dir)
    (function,) = program.functions.values()
    values = dict(inputs)

    def value(var):
        if isinstance(var, (list, tuple)):
            return [value(one) for one in var]
        return values[var.name] if var.name in values else var.val

    for operation in function.operations:
        (output,) = operation.outputs
        if operation.op_type == "const":
            values[output.name] = output.val
        else:
            arguments = {name: value(var) for name, var in operation.inputs.items() if var is not None}
            values[output.name] = OPERATORS[operation.op_type](**arguments)
            assert tuple(values[output.name].shape) == tuple(output.shape), operation
    return {var.name: values[var.name] for var in function.outputs}


def _linear(x, weight, bias=0):
    return x @ weight.T + bias


def _matmul(x, y, transpose_x=False, transpose_y=False):
    return (x.swapaxes(-1, -2) if transpose_x else x) @ (y.swapaxes(-1, -2) if transpose_y else y)


def _conv(x, weight, bias=None, strides=(1, 1), pad_type="valid", pad=(0, 0, 0, 0), dilations=(1, 1), groups=1):
    """x (n, c, h, w), weight (d, c, kh, kw)."""
    assert groups == 1 and pad_type in ("valid", "custom", "same")
    (kh, kw), (sh, sw), (dh, dw) = weight.shape[2:], strides, dilations
    if pad_type == "valid":
        pad = (0, 0, 0, 0)
    elif pad_type == "same":
        pad = (*_same(x.shape[2], kh, sh, dh), *_same(x.shape[3], kw, sw, dw))
    top, bottom, left, right = pad
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    height, width = (x.shape[2] - (kh - 1) * dh - 1) // sh + 1, (x.shape[3] - (kw - 1) * dw - 1) // sw + 1
    y = np.zeros((x.shape[0], weight.shape[0], height, width), np.float32)
    for i in range(kh):
        for j in range(kw):
            seen = x[:, :, i * dh : i * dh + sh * height : sh, j * dw : j * dw + sw * width : sw]
            y += np.einsum("nchw,dc->ndhw", seen, weight[:, :, i, j])
    return y if bias is None else y + bias[:, None, None]


def _same(size, kernel, stride, dilation):
    """Zeros before and after an axis, so that it has one output for each stride; the odd one comes after."""
    total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def _slice(x, begin, end, stride=None, begin_mask=None, end_mask=None, squeeze_mask=None):
    axes = range(x.ndim)
    none = [False] * x.ndim
    begin_mask, end_mask = (none if mask is None else mask for mask in (begin_mask, end_mask))
    squeeze_mask, stride = none if squeeze_mask is None else squeeze_mask, [1] * x.ndim if stride is None else stride
    return x[
        tuple(
            int(begin[a])
            if squeeze_mask[a]
            else slice(None if begin_mask[a] else begin[a], None if end_mask[a] else end[a], stride[a])
            for a in axes
        )
    ]


def _reshape(x, shape):
    # 0 keeps an axis.
    return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(shape)])


def _concat(values, axis, interleave=False):
    assert not interleave
    return np.concatenate(values, axis)


def _one_hot(indices, one_hot_vector_size, axis=-1, on_value=1, off_value=0):
    hot = np.where(np.arange(one_hot_vector_size) == indices[..., None], on_value, off_value)
    return np.moveaxis(hot, -1, axis)


def _softmax(x, axis=-1):
    x = np.exp(x - x.max(axis=axis, keepdims=True))
    return x / x.sum(axis=axis, keepdims=True)


def _reduced(function):
    return lambda x, axes=None, keep_dims=False: function(
        x, axis=None if axes is None else tuple(axes), keepdims=bool(keep_dims)
    )


def _elementwise(function):
    return lambda x, y: function(x, y)


OPERATORS = {
    "linear": _linear,
    "matmul": _matmul,
    "conv": _conv,
    "slice_by_index": _slice,
    "reshape": _reshape,
    "concat": _concat,
    "softmax": _softmax,
    "transpose": lambda x, perm: x.transpose(perm),
    "expand_dims": lambda x, axes: np.expand_dims(x, tuple(axes)),
    "squeeze": lambda x, axes: np.squeeze(x, tuple(axes)),
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x, alpha: np.where(x >= 0, x, alpha * x),
    "tanh": lambda x: np.tanh(x),
    "abs": lambda x: np.abs(x),
    "cast": lambda x, dtype: x.astype({"fp32": np.float32, "int32": np.int32, "bool": bool}[dtype]),
    "reduce_argmax": lambda x, axis=-1, keep_dims=False: np.argmax(x, axis=axis, keepdims=bool(keep_dims)),
    "one_hot": _one_hot,
    "not_equal": _elementwise(np.not_equal),
    "constexpr_cast": lambda source_val, output_dtype: source_val.astype(np.float32),
    "reduce_mean": _reduced(np.mean),
    "reduce_sum": _reduced(np.sum),
    "reduce_max": _reduced(np.max),
    "reduce_min": _reduced(np.min),
    "add": _elementwise(np.add),
    "sub": _elementwise(np.subtract),
    "mul": _elementwise(np.multiply),
    "real_div": _elementwise(np.divide),
    "maximum": _elementwise(np.maximum),
    "minimum": _elementwise(np.minimum),
}
