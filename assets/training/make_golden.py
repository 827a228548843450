"""Writes the recorded correct output of a model: golden.safetensors, as check_golden.py and the C++ tests read it.

    python3 make_golden.py ../models/parity ../../tests/golden/parity

The tokens are random, from a fixed seed; logits and final states come from the step recurrence in double precision
with the weights as stored, and are recorded in fp32. Angles are not wrapped.
"""

import argparse
import pathlib

import safetensors.torch
import torch

import mamba3

TOKENS = 64
SEED = 7


@torch.no_grad()
def record(model):
    generator = torch.Generator().manual_seed(SEED)
    ids = torch.randint(0, model.config.vocab_size, (TOKENS,), generator=generator)
    recurrence = mamba3.Recurrence(model)
    logits = torch.cat([recurrence.step(token.unsqueeze(0)) for token in ids])
    tensors = {"input_ids": ids.int(), "reference.logits": logits.float()}
    for layer, state in enumerate(recurrence.state):
        for name, value in state.items():
            tensors[f"reference.state.{layer}.{name}"] = value[0].float().contiguous()
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=pathlib.Path, help="folder with config.json and model.safetensors")
    parser.add_argument("out", type=pathlib.Path, help="folder for golden.safetensors")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    tensors = record(mamba3.load(arguments.model, torch.double))
    safetensors.torch.save_file(tensors, arguments.out / "golden.safetensors")


if __name__ == "__main__":
    main()
