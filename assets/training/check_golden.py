"""Checks the Python model against recorded correct outputs, in double precision on the CPU.

    python3 check_golden.py ../../tests/golden

For every folder with a golden.safetensors it runs the parallel form and the step recurrence over the recorded tokens
and prints the worst difference of the logits, relative to the largest logit, and of the final states of the recurrence,
relative to the largest entry of each. The model lies in the same folder, or in ../models under the folder's name. Exits
with 1 above the tolerance, which is the rounding of references stored in fp32.
"""

import argparse
import math
import pathlib
import sys

import safetensors.torch
import torch

import mamba3

TOLERANCE = 1e-6
SHIPPED_MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"


def relative(found, expected):
    return ((found - expected.double()).abs().max() / expected.double().abs().max()).item()


def angle_difference(found, expected):
    """Largest difference modulo 2 pi, relative to the largest angle: recorded unwrapped in fp32, a large one has few digits."""
    turns = (found - expected.double()) / (2 * math.pi)
    largest = max(math.pi, expected.abs().max().item())
    return 2 * math.pi * (turns - turns.round()).abs().max().item() / largest


@torch.no_grad()
def check(folder):
    """Worst difference and its name, for the parallel form and for the recurrence."""
    golden = safetensors.torch.load_file(folder / "golden.safetensors")
    model = mamba3.load(folder if (folder / "config.json").exists() else SHIPPED_MODELS / folder.name, torch.double)
    ids = golden["input_ids"].long()
    logits = golden["reference.logits"]
    parallel = relative(model(ids.unsqueeze(0))[0], logits)

    recurrence = mamba3.Recurrence(model)
    stepped = torch.cat([recurrence.step(token.unsqueeze(0)) for token in ids])
    worst = {"logits": relative(stepped, logits)}
    for layer, state in enumerate(recurrence.state):
        for name, value in state.items():
            expected = golden[f"reference.state.{layer}.{name}"]
            compare = angle_difference if name == "angle" else relative
            worst[f"{layer}.{name}"] = compare(value[0], expected)
    name = max(worst, key=worst.get)
    return len(ids), parallel, worst[name], name


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="a folder with a golden.safetensors, or of such folders")
    arguments = parser.parse_args()
    folders = sorted(path.parent for path in arguments.folder.rglob("golden.safetensors"))
    if not folders:
        sys.exit(f"no golden model under {arguments.folder}")
    good = True
    for folder in folders:
        tokens, parallel, stepped, name = check(folder)
        passed = max(parallel, stepped) < TOLERANCE
        good = good and passed
        print(f"{folder.name:26} {tokens:5} tokens  parallel form {parallel:.1e}  "
              f"recurrence {stepped:.1e} ({name})  {'ok' if passed else 'FAILED'}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
