"""MNIST: 70,000 handwritten digits of 28x28 pixels."""

from __future__ import annotations

import math
from dataclasses import replace

from loopwright.core import SGD, Claim, Cosine, Expect, Experiment
from loopwright.tasks.mnist import Mnist


def mnist_cnn() -> Experiment:
    """MNIST, a convolutional network of 82,000 parameters: 99.3 % in half a minute."""
    return Experiment(
        name="mnist-cnn",
        task=Mnist(),
        epochs=5,
        batch_size=128,
        optimizer=SGD(lr=0.1, nesterov=True, weight_decay=5e-4),
        schedule=Cosine(warmup=0.15),
        clip_norm=0.0,
        precision="bf16",
        metric="loss",
        mode="min",
        expect=Expect(initial_loss=math.log(10), claims=(Claim("test.best.accuracy", at_least=0.993),)),
    )


def mnist_resnet() -> Experiment:
    """MNIST, a small residual network: 99.5 % in minutes."""
    return replace(
        mnist_cnn(),
        name="mnist-resnet",
        task=Mnist(network="resnet", dropout=0.1, pixels=2.0, degrees=12.0, scale=0.12),
        epochs=20,
        expect=Expect(initial_loss=math.log(10), claims=(Claim("test.best.accuracy", at_least=0.995),)),
    )
