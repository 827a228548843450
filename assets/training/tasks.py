"""The tasks: what a sequence is, and which label is right at every position.

A task has `symbols` (input, token ids 0 and up), `labels` (class ids 0 and up), example `prompts`, a `description`,
and `sample(batch, length, device, generator)` that draws ids and targets [batch, length]. A target of IGNORED is not
scored. Sampling stays on the device and never waits for it, so that a CUDA graph can hold it.
"""

import torch

IGNORED = -100


class Parity:
    """Bits; at every position, whether the number of ones so far is even (0) or odd (1)."""

    symbols = ["0", "1"]
    labels = ["even", "odd"]
    prompts = ["1011001110001011", "0000000100000000", "1111111111111111"]
    description = "Says after every bit whether the number of ones so far is even or odd."

    @staticmethod
    def sample(batch, length, device, generator):
        ids = torch.randint(0, 2, (batch, length), device=device, generator=generator)
        return ids, ids.cumsum(1) % 2


TASKS = {"parity": Parity}
