"""Training on JAX with data, augmentation and many steps in one call of the device, for several seeds at once.

`fit` feeds a device batch by batch, which keeps a large GPU waiting: a lifter's step takes it a few milliseconds. Seeds
are trained side by side (`jax.vmap`), with weights, order and augmentation of their own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from skelgnn_tf.training.lift.batches import Batcher

#: Of (arrays shared by all steps, what is the step's own) -> inputs and targets of a step.
Make = Callable[[Any, Any], tuple[Any, Any]]


class JaxDraws:
    """`augmentation.random.Draws` from a JAX key.

    Args:
        key: The key.
    """

    def __init__(self, key: Any) -> None:
        self.key = key

    def _next(self) -> Any:
        self.key, key = jax.random.split(self.key)
        return key

    def uniform(self, shape: tuple[Any, ...], low: float = 0.0, high: float = 1.0) -> Any:
        """Uniform in [low, high), float32."""
        return jax.random.uniform(self._next(), shape, minval=low, maxval=high)

    def normal(self, shape: tuple[Any, ...]) -> Any:
        """Standard normal, float32."""
        return jax.random.normal(self._next(), shape)


class DeviceTraining:
    """One model and optimizer for several seeds.

    Args:
        build: Builds the model after `keras.utils.set_random_seed`.
        optimizer: Builds its optimizer.
        loss: Of (targets, predictions) -> a number for each example, or their mean.
        make: Makes the batch of a step.
        seeds: Random seeds of the initial weights and of dropout.
    """

    def __init__(
        self,
        build: Callable[[], keras.Model],
        optimizer: Callable[[], keras.optimizers.Optimizer],
        loss: Callable[[Any, Any], Any],
        make: Make,
        seeds: Sequence[int],
    ) -> None:
        states = []
        for seed in seeds:
            keras.utils.set_random_seed(seed)
            self.model, self.optimizer = build(), optimizer()
            self.optimizer.build(self.model.trainable_variables)
            states.append([[np.asarray(v.value) for v in variables] for variables in self._variables()])
        self.states = jax.tree.map(lambda *values: jnp.stack(values), *states)
        self.loss, self.make = loss, make
        self._run = jax.jit(jax.vmap(self._steps, in_axes=(0, 0, None)), donate_argnums=0)

    def _variables(self) -> tuple[list[Any], list[Any], list[Any]]:
        return self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables

    def _steps(self, state: Any, own: Any, shared: Any) -> tuple[Any, Any]:
        def objective(trainable: Any, fixed: Any, inputs: Any, targets: Any) -> tuple[Any, Any]:
            predictions, fixed = self.model.stateless_call(trainable, fixed, inputs, training=True)
            return jnp.mean(self.loss(targets, predictions)), fixed

        def step(state: Any, own: Any) -> tuple[Any, Any]:
            trainable, fixed, optimizing = state
            inputs, targets = self.make(shared, own)
            (value, fixed), gradients = jax.value_and_grad(objective, has_aux=True)(trainable, fixed, inputs, targets)
            trainable, optimizing = self.optimizer.stateless_apply(optimizing, gradients, trainable)
            return [trainable, fixed, optimizing], value

        state, values = jax.lax.scan(step, state, own)
        return state, values.mean()

    def run(self, own: Any, shared: Any) -> np.ndarray:
        """Takes steps. Another number of steps is compiled anew.

        Args:
            own: What is each step's own: arrays (seeds, steps, ...).
            shared: What all steps share.

        Returns:
            Mean loss, (seeds,).
        """
        self.states, losses = self._run(self.states, own, shared)
        return np.asarray(losses)

    def models(self) -> Iterator[keras.Model]:
        """The trained model of each seed, with averaged weights where the optimizer averages. One object for all."""
        for place in range(len(self.states[0][0])):
            for variables, values in zip(self._variables(), self.states, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value[place])
            self.optimizer.finalize_variable_values(self.model.trainable_variables)
            yield self.model


def lifting_batches(batcher: Batcher) -> tuple[Make, Callable[[Sequence[int], int], Any], Any]:
    """The windows of a lifter for `DeviceTraining`.

    Args:
        batcher: Cuts and augments windows.

    Returns:
        `make`; a function of (seeds, number of the epoch) that returns rows and keys of its steps; what they share.
    """
    size, count = min(batcher.config.batch_size, len(batcher.windows)), len(batcher.windows)

    def make(shared: Any, own: Any) -> tuple[Any, Any]:
        rows, key = own
        traced = copy.copy(batcher)
        traced.arrays = shared
        return traced(rows, JaxDraws(key))

    def order(key: Any) -> tuple[Any, Any]:
        key, shuffling = jax.random.split(key)
        rows = jax.random.permutation(shuffling, count)[: batcher.steps * size].reshape(batcher.steps, size)
        return rows, jax.random.split(key, batcher.steps)

    orders = jax.jit(jax.vmap(order))

    def own(seeds: Sequence[int], epoch: int) -> Any:
        return orders(jnp.stack([jax.random.fold_in(jax.random.key(seed), epoch) for seed in seeds]))

    return make, own, {name: jnp.asarray(np.asarray(value)) for name, value in batcher.arrays.items()}
