"""Slow, obvious references: the formulas of docs/method.md as nested loops over single numbers and vectors."""

from collections import deque

import keras
import numpy as np


def hops(skeleton):
    """Steps from joint to joint by breadth-first search over bones and extra edges: int (N, N)."""
    beside = {joint: set() for joint in range(skeleton.num_joints)}
    for i, j in (*((c, p) for c, p in enumerate(skeleton.parents) if p >= 0), *skeleton.extra_edges):
        beside[i].add(j)
        beside[j].add(i)
    steps = np.full((skeleton.num_joints,) * 2, -1)
    for start in beside:
        steps[start, start] = 0
        queue = deque([start])
        while queue:
            joint = queue.popleft()
            for other in beside[joint]:
                if steps[start, other] < 0:
                    steps[start, other] = steps[start, joint] + 1
                    queue.append(other)
    return steps


def normalized(group):
    """a_ij / sqrt(degree_i degree_j)."""
    out = np.zeros(group.shape)
    for i, j in np.argwhere(group):
        out[i, j] = 1 / np.sqrt(group[i].sum() * group[j].sum())
    return out


def squeezed_widths(squeeze, short_hops, max_hops, channels_in):
    """C_k,out = max(1, round(d^(k-S) C_in)) for k = S+1..L."""
    widths = []
    for k in range(short_hops + 1, max_hops + 1):
        width = float(channels_in)
        for _ in range(k - short_hops):
            width *= squeeze
        widths.append(max(1, round(width)))
    return widths


def value(weight):
    return keras.ops.convert_to_numpy(weight).astype(np.float64)


def temporal_conv(layer, x):
    """x (b, t, j, c): every tap in turn; with stride 1 frames past the ends are the first and the last."""
    w, frames = value(layer.w), x.shape[1]
    taps = layer.kernel
    if layer.stride > 1:
        begins = range(0, frames - (taps - 1) * layer.dilation, layer.stride)
    else:
        behind = taps - 1 if layer.causal else (taps - 1) / 2
        begins = [int(t - behind * layer.dilation) for t in range(frames)]
    out = np.zeros((x.shape[0], len(begins), x.shape[2], layer.channels))
    for t, begin in enumerate(begins):
        for tap in range(taps):
            frame = min(max(begin + tap * layer.dilation, 0), frames - 1)
            out[:, t] += x[:, frame] @ w[tap, 0]
    return out + (value(layer.b) if layer.use_bias else 0)


def dynamic_graph(layer, x):
    """A_k = M_k + alpha_k tanh(theta_k^T phi_k / (frames sqrt(width))): (b, 1 or t, k, i, j)."""
    m, alpha, width = value(layer.m), value(layer.alpha), layer.width
    groups, joints, _ = m.shape
    both = temporal_conv(layer.embedding, x)
    batch, frames = x.shape[:2]
    # Each graph looks at these frames.
    looks = [[t] for t in range(frames)] if layer.causal else [list(range(frames))]
    out = np.zeros((batch, len(looks), groups, joints, joints))
    for b in range(batch):
        for g, at in enumerate(looks):
            for k in range(groups):
                theta = both[b, at, :, k * width : (k + 1) * width]
                phi = both[b, at, :, (groups + k) * width : (groups + k + 1) * width]
                for i in range(joints):
                    for j in range(joints):
                        product = np.sum(theta[:, i] * phi[:, j]) / (len(at) * np.sqrt(width))
                        out[b, g, k, i, j] = m[k, i, j] + alpha[k] * np.tanh(product)
    return out


def hcsf(layer, x):
    """(b, t, j, c) -> (b, t, i, channels), a joint pair at a time."""
    distance, c_in = hops(layer.skeleton), x.shape[-1]
    short, far = layer.short_hops, list(range(layer.short_hops + 1, layer.max_hops + 1))
    widths = squeezed_widths(layer.squeeze, short, layer.max_hops, c_in)
    groups = [distance <= short, *(distance == k for k in far)]
    batch, frames, joints, _ = x.shape
    h = [np.zeros((batch, frames, joints, width)) for width in (layer.channels, *widths)]
    columns = np.cumsum([0, layer.channels, *widths])

    if layer.sharing == "shared":
        graph = (
            dynamic_graph(layer.graph, x) if layer.dynamic else np.stack([normalized(g) for g in groups])[None, None]
        )
        for k in range(len(groups)):
            w_k = value(layer.w)[:, columns[k] : columns[k + 1]]
            aggregate(h[k], graph[:, :, k], lambda j, x_j, w_k=w_k: x_j @ w_k, x)
    else:
        pairs_of(h[0], groups[0], value(layer.w), x)
        if far and layer.dynamic:
            graph = dynamic_graph(layer.graph, x)
            for k, width in enumerate(widths):
                begin = columns[k + 1] - layer.channels
                w_k = value(layer.w_long)[:, :, begin : begin + width]
                aggregate(h[k + 1], graph[:, :, k], lambda j, x_j, w_k=w_k: x_j @ w_k[j], x)
        elif far:
            for k, w_far in enumerate(layer.w_far):
                pairs_of(h[k + 1], groups[k + 1], value(w_far), x)

    out = h[0] + value(layer.b)
    return out + np.concatenate(h[1:], axis=-1) @ value(layer.w_a) if far else out


def aggregate(out, graph, message, x):
    """out_i = sum_j A_ij message_j, A (b or 1, t or 1, i, j)."""
    batch, frames, joints, _ = x.shape
    for b in range(batch):
        for t in range(frames):
            a = graph[min(b, len(graph) - 1), min(t, graph.shape[1] - 1)]
            for i in range(joints):
                for j in range(joints):
                    out[b, t, i] += a[i, j] * message(j, x[b, t, j])


def pairs_of(out, group, w, x):
    """out_i = sum over the group's pairs (i, j) of x_j W_ij; the matrices lie in the order of i, then j."""
    c_in = x.shape[-1]
    for number, (i, j) in enumerate(np.argwhere(group)):
        out[:, :, i] += x[:, :, j] @ w[number * c_in : (number + 1) * c_in]


def person_frame(keypoints):
    """(b, t, j, 2 or 3): each frame's visible joints in a box from -1 to 1 along its longer side."""
    out = keypoints.astype(np.float64)
    for frame in out.reshape(-1, *out.shape[2:]):
        seen = [p for p in frame if len(p) == 2 or p[2] > 0]
        if not seen:
            frame[:, :2] = 0
            continue
        x0, x1 = min(p[0] for p in seen), max(p[0] for p in seen)
        y0, y1 = min(p[1] for p in seen), max(p[1] for p in seen)
        half = max(x1 - x0, y1 - y0) / 2 or 1.0
        for p in frame:
            visible = len(p) == 2 or p[2] > 0
            p[:2] = ((p[0] - (x0 + x1) / 2) / half, (p[1] - (y0 + y1) / 2) / half) if visible else (0, 0)
    return out


def unit(layer, x):
    """A layer, then batch norm as at test, LeakyReLU(0.2)."""
    y = hcsf(layer.layer, x) if hasattr(layer.layer, "skeleton") else temporal_conv(layer.layer, x)
    norm = layer.norm
    y = (y - value(norm.moving_mean)) / np.sqrt(value(norm.moving_variance) + norm.epsilon)
    y = y * value(norm.gamma) + value(norm.beta)
    return np.where(y > 0, y, 0.2 * y)


def pose_lifter(model, keypoints):
    """The network of docs/method.md with the model's own weights: first layer, residual blocks, last layer."""
    x = unit(model.first, keypoints.astype(np.float64))
    for kernel, (a, b) in zip(model.kernels, model.pairs, strict=True):
        y = unit(b, unit(a, x))
        if y.shape[1] != x.shape[1]:
            at = kernel - 1 if model.causal else (kernel - 1) // 2
            x = np.stack([x[:, t * kernel + at] for t in range(y.shape[1])], axis=1)
        x = x + y
    # The last layer counts in 3 cm.
    return 0.03 * hcsf(model.last, x)


def randomize(layer, seed=0, scale=0.5):
    """Gives every weight a random value, so that zeros and ones hide nothing; variances stay positive."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        if "seed" in weight.name or "int" in str(weight.dtype):
            continue
        drawn = rng.normal(size=weight.shape) * scale
        weight.assign(np.abs(drawn) + 0.5 if "variance" in weight.name else drawn)
    return layer


def bridged(pose_m, gap):
    """Poses (frames, ...) in which the frames of a gap lie on the straight line between its neighbors."""
    out = pose_m.astype(float)
    before, after = gap[0] - 1, gap[-1] + 1
    for frame in gap:
        share = (frame - before) / (after - before)
        out[frame] = (1 - share) * pose_m[before] + share * pose_m[after]
    return out
