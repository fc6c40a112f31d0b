"""HCSF: hop-aware hierarchical channel-squeezing fusion, with a static or a dynamic graph (D-HCSF)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from skelgnn_tf.graph import hop_groups, normalize_adjacency
from skelgnn_tf.layers.dynamic_graph import DynamicGraph
from skelgnn_tf.skeletons import H36M_17, Skeleton, get

#: Standard deviation of the initial product over that of its input. Batch norm cancels the scale of its input, so
#: this only sets how fast Adam changes the weights. With a third of the usual value for the short range, the validation
#: error on cmu_mocap after 330,000 samples was 38.0 instead of 41.0 mm (64 channels, dropout 0.1).
INITIAL_GAIN = 0.3


@keras.saving.register_keras_serializable("skelgnn_tf")
class HCSF(keras.layers.Layer):
    """Joints within S hops at full width, joints at k = S+1..L hops squeezed to d^(k-S) of the channels, fused.

    h_i = h_S,i + [h_S+1,i .. h_L,i] W_a + b. In the paper, W_a also multiplies h_S,i. Both are linear, so that part is
    absorbed by the weights of h_S: the same family of functions with one product less.

    - sharing="pair" (LCN): h_S,i = sum over hop(i,j) <= S of x_j W_ij, with one matrix for each pair of joints. With a
      static graph, a long-range group k also has a matrix for each pair. With a dynamic graph, which is dense, it has
      one for each source joint: h_k,i = sum_j A_k,ij x_j W_k,j.
    - sharing="shared" (GCN): h_k = A_k X W_k, with one matrix for each group, including the short range.

    Channels are squeezed before the aggregation, which gives the same result at a lower cost.

    Args:
        channels: Number of output channels.
        skeleton: Defines the hops, a Skeleton or its name. Its joints are the third axis of the input.
        short_hops: Short range S.
        max_hops: Long range L.
        squeeze: Squeeze ratio d in (0, 1].
        dynamic: Whether the graph depends on the motion (D-HCSF).
        temporal_kernel: Number of frames F that the dynamic graph looks at.
        sharing: "pair" or "shared".
        causal: Whether the dynamic graph of a frame excludes later frames.

    Call:
        (batch, frames, joints, channels in) -> (batch, frames, joints, channels).

    Raises:
        ValueError: `channels`, `skeleton`, `short_hops`, `max_hops`, `squeeze`, `temporal_kernel` or `sharing` is out
            of range, or the input has another rank, or another number of joints than the skeleton.

    Source: Zeng et al., ICCV 2021, sections 3.1 to 3.3, with a corrected exponent of d (docs/method.md).

    Example:
        >>> HCSF(64)(np.zeros((2, 9, 17, 32))).shape
        (2, 9, 17, 64)
    """

    def __init__(
        self,
        channels: int,
        skeleton: Skeleton | str = H36M_17,
        short_hops: int = 1,
        max_hops: int = 2,
        squeeze: float = 1 / 8,
        dynamic: bool = True,
        temporal_kernel: int = 3,
        sharing: str = "pair",
        causal: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if min(channels, temporal_kernel) < 1:
            raise ValueError(
                f"channels and temporal_kernel must be 1 or more. Received: {channels} and {temporal_kernel}."
            )
        if not 0 < squeeze <= 1:
            raise ValueError(f"squeeze must be above 0 and at most 1. Received: {squeeze}.")
        if sharing not in ("pair", "shared"):
            raise ValueError(f"sharing must be pair (LCN) or shared (GCN). Received: {sharing!r}.")
        self.channels, self.skeleton = channels, get(skeleton)
        self.short_hops, self.max_hops, self.squeeze = short_hops, max_hops, squeeze
        self.dynamic, self.temporal_kernel, self.sharing, self.causal = dynamic, temporal_kernel, sharing, causal
        self.groups = hop_groups(self.skeleton, short_hops, max_hops)
        self.graph: Any = None

    def build(self, input_shape: tuple[Any, ...]) -> None:  # noqa: D102
        if len(input_shape) != 4:
            raise ValueError(
                f"input of {self.name} must have the shape (batch, frames, joints, channels). Received: {input_shape}."
            )
        *_, joints, c_in = input_shape
        if joints != self.skeleton.num_joints:
            raise ValueError(
                f"input of {self.name} must have {self.skeleton.num_joints} joints ({self.skeleton.name}). Received: "
                f"{input_shape}. Map other layouts with skeletons.map_keypoints(keypoints, source, target)."
            )
        #: Channels C_k,out of the long-range groups.
        self.squeezed = [max(1, round(self.squeeze**k * c_in)) for k in range(1, len(self.groups))]
        build = self._build_shared if self.sharing == "shared" else self._build_pair
        build(c_in)
        if self.squeezed:
            width = sum(self.squeezed)
            self.w_a = self._weight("w_a", (width, self.channels), 1 / width)
        per_joint = () if self.sharing == "shared" else (joints,)
        self.b = self.add_weight(name="b", shape=(*per_joint, self.channels), initializer="zeros")

    def _build_shared(self, c_in: int) -> None:
        adjacency = normalize_adjacency(self.groups)
        self._build_graph(adjacency, c_in)
        self.w = self._weight("w", (c_in, self.channels + sum(self.squeezed)), 1 / c_in)

    def _build_pair(self, c_in: int) -> None:
        short, *long = self.groups
        self.neighbors = [np.flatnonzero(row).tolist() for row in short]
        self.w = self._pair_weight("w", self.neighbors, (c_in, self.channels))
        if self.dynamic and long:
            self._build_graph(normalize_adjacency(self.groups[1:]), c_in)
            joints = self.skeleton.num_joints
            self.w_long = self._weight("w_long", (joints, c_in, sum(self.squeezed)), 1 / c_in)
        elif long:
            self.far = [[np.flatnonzero(row).tolist() for row in group] for group in long]
            self.w_far = [
                self._pair_weight(f"w_hop{self.short_hops + k + 1}", far, (c_in, self.squeezed[k]))
                for k, far in enumerate(self.far)
            ]

    def _build_graph(self, adjacency: np.ndarray, c_in: int) -> None:
        if self.dynamic:
            self.graph = DynamicGraph(
                adjacency,
                max(1, round(self.squeeze * c_in)),
                self.temporal_kernel,
                self.causal,
                dtype=self.dtype_policy,
                name="graph",
            )
            self.graph.build((None, None, self.skeleton.num_joints, c_in))
        else:
            self.adjacency = adjacency

    def _weight(self, name: str, shape: tuple[int, ...], variance: float) -> Any:
        return self.add_weight(
            name=name, shape=shape, initializer=keras.initializers.RandomNormal(stddev=INITIAL_GAIN * variance**0.5)
        )

    def _pair_weight(self, name: str, neighbors: list[list[int]], shape: tuple[int, int]) -> Any:
        """One matrix for each pair, stacked (pairs * channels in, channels out) in the order of the target joints."""
        c_in, c_out = shape
        fan_in = np.repeat([len(js) * c_in for js in neighbors], [len(js) * c_in for js in neighbors])
        normal = keras.initializers.RandomNormal(stddev=INITIAL_GAIN)
        return self.add_weight(
            name=name,
            shape=(len(fan_in), c_out),
            initializer=lambda size, dtype: normal(size, dtype) * ops.cast(fan_in[:, None] ** -0.5, dtype),
        )

    def call(self, x: Any) -> Any:  # noqa: D102
        return (self._call_shared(x) if self.sharing == "shared" else self._call_pair(x)) + self.b

    def _call_shared(self, x: Any) -> Any:
        messages = _product(x, self.w)
        adjacency = self.graph(x) if self.dynamic else ops.cast(self.adjacency[None, None], x.dtype)
        h = self._aggregate(adjacency, messages, [self.channels, *self.squeezed])
        return h[0] + _product(ops.concatenate(h[1:], axis=-1), self.w_a) if self.squeezed else h[0]

    def _call_pair(self, x: Any) -> Any:
        frames, joints, c_in = ops.shape(x)[1:]
        flat = ops.reshape(x, (-1, joints, c_in))
        xs = ops.unstack(flat, joints, axis=1)
        h = self._pair_product(xs, self.neighbors, self.w)
        if not self.squeezed:
            return ops.reshape(h, (-1, frames, joints, self.channels))
        if self.dynamic:
            w = ops.unstack(ops.convert_to_tensor(self.w_long), joints, axis=0)
            messages = ops.stack([ops.matmul(xs[j], w[j]) for j in range(joints)], axis=1)
            messages = ops.reshape(messages, (-1, frames, joints, sum(self.squeezed)))
            long = ops.concatenate(self._aggregate(self.graph(x), messages, self.squeezed), axis=-1)
            long = ops.reshape(long, (-1, joints, sum(self.squeezed)))
        else:
            far = [self._pair_product(xs, js, w) for js, w in zip(self.far, self.w_far, strict=True)]
            long = ops.concatenate(far, axis=-1)
        return ops.reshape(h + _product(long, self.w_a), (-1, frames, joints, self.channels))

    @staticmethod
    def _aggregate(adjacency: Any, messages: Any, widths: list[int]) -> list[Any]:
        """A_k (b, 1 or t, k, i, j) times the k-th slice of messages (b, t, j, sum of widths): [(b, t, i, width)]."""
        parts = ops.split(messages, np.cumsum(widths)[:-1].tolist(), axis=-1) if len(widths) > 1 else [messages]
        return [ops.matmul(adjacency[:, :, k], part) for k, part in enumerate(parts)]

    @staticmethod
    def _pair_product(xs: list[Any], neighbors: list[list[int]], w: Any) -> Any:
        """Sum over the neighbors j of x_j W_ij, x_j (b * t, c) of each joint: (b * t, i, d).

        One plain matrix product for each target joint, over the channels of its neighbors side by side: no padding and
        no gather. It is the fastest formulation in benchmarks/speed/layer_formulations.py, or within 6 % of it.
        """
        c_in, c_out = xs[0].shape[-1], w.shape[-1]
        ends = np.cumsum([len(js) * c_in for js in neighbors])[:-1].tolist()
        ws = ops.split(ops.convert_to_tensor(w), ends, axis=0)
        without_neighbors = ops.zeros_like(xs[0][:, :1]) * ops.zeros((1, c_out), xs[0].dtype)
        rows = []
        for js, w_i in zip(neighbors, ws, strict=True):
            if js:
                side_by_side = ops.concatenate([xs[j] for j in js], axis=-1) if len(js) > 1 else xs[js[0]]
                rows.append(ops.matmul(side_by_side, w_i))
            else:
                rows.append(without_neighbors)
        return ops.stack(rows, axis=1)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: D102
        return (*input_shape[:-1], self.channels)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return super().get_config() | {
            "channels": self.channels,
            "skeleton": self.skeleton.get_config(),
            "short_hops": self.short_hops,
            "max_hops": self.max_hops,
            "squeeze": self.squeeze,
            "dynamic": self.dynamic,
            "temporal_kernel": self.temporal_kernel,
            "sharing": self.sharing,
            "causal": self.causal,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HCSF:  # noqa: D102
        return cls(**config | {"skeleton": Skeleton.from_config(config["skeleton"])})


def _product(x: Any, w: Any) -> Any:
    """x (..., c) times w (c, d) as one plain matrix product, twice as fast on TensorFlow as without the reshape."""
    shape = ops.shape(x)[1:-1]
    return ops.reshape(ops.matmul(ops.reshape(x, (-1, x.shape[-1])), w), (-1, *shape, w.shape[-1]))
