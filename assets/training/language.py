"""Trains byte-level language models that differ in their MIMO rank, and writes them in bf16 in the official layout.

    python3 language.py --ranks 1 2 4 --compile --out runs

A rank above 1 needs 2 N (R - 1) more rows of in_proj; the MLP of rank 4 is 128 units narrower, which is exactly as much
(the released models are matched in the same way). The MLP comes in steps of 128, so rank 2 keeps the width of rank 1.
"""

import argparse
import json
import math
import pathlib
import time

import torch
import torch.nn.functional as F

import corpus
import mamba3
import optimise

BYTES = 256
WINDOW = 1024  # of the evaluation: the state starts anew, and its first byte is not predicted
SHOWN_BYTES = 300
PROMPTS = ["It is a truth universally acknowledged, that ", "Emma was ", "\"My dear Mr. ", "She had been "]


def windows(text, length, device):
    """[count, length + 1]: whole windows of a text, each beginning with the last byte of the one before."""
    count = (len(text) - 1) // length
    index = torch.arange(count).unsqueeze(1) * length + torch.arange(length + 1)
    return torch.frombuffer(bytearray(text), dtype=torch.uint8)[index].to(device)


@torch.no_grad()
def bits_per_byte(model, text, device):
    total = count = 0
    for some in windows(text, WINDOW, device).long().split(16):
        with torch.compiler.set_stance("force_eager"):
            logits = model(some[:, :-1])
        total += F.cross_entropy(logits.flatten(0, 1), some[:, 1:].flatten(), reduction="sum").item()
        count += some[:, 1:].numel()
    return total / count / math.log(2)


@torch.no_grad()
def continuation(model, prompt, temperature=0.7, seed=1):
    """A sample of what it writes, by the step recurrence."""
    recurrence = mamba3.Recurrence(model)
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    text = list(prompt.encode())
    for at in range(len(text) + SHOWN_BYTES):
        logits = recurrence.step(torch.tensor([text[at]], device=device))
        if at + 1 == len(text):
            text.append(torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator).item())
        if len(text) >= SHOWN_BYTES:
            break
    return bytes(text).decode(errors="replace")


def train(rank, text, held_out, arguments, device):
    start = time.monotonic()
    config = mamba3.Config(
        d_model=arguments.d_model, n_layer=arguments.layers, vocab_size=BYTES, d_state=arguments.d_state, headdim=64,
        d_intermediate=arguments.d_intermediate - (128 if rank == 4 else 0), is_mimo=rank > 1,
        mimo_rank=rank if rank > 1 else 4)
    torch.manual_seed(arguments.seed)
    model = mamba3.LanguageModel(config).to(device)
    parameters = sum(p.numel() for p in model.parameters())
    if arguments.compile:
        for block in model.backbone.layers:
            block.compile(dynamic=False)
    data = torch.frombuffer(bytearray(text), dtype=torch.uint8).to(device)
    offsets = torch.arange(arguments.length + 1, device=device)

    def loss(model, generator):
        first = torch.randint(0, len(data) - arguments.length, (arguments.batch, 1), device=device, generator=generator)
        some = data[first + offsets].long()
        return F.cross_entropy(model(some[:, :-1]).flatten(0, 1), some[:, 1:].flatten())

    optimisation = optimise.Optimisation(model, arguments.seed, arguments.learning_rate, arguments.weight_decay,
                                         arguments.warmup, arguments.steps, betas=(0.9, 0.95))
    taken = optimisation.begin(loss)
    print(f"rank {rank}: {parameters:,} parameters, first step after {time.monotonic() - start:.0f} s", flush=True)
    for step in range(taken, arguments.steps):
        optimisation.step()
        if (step + 1) % arguments.report == 0 or step + 1 == arguments.steps:
            if device.type == "cuda":
                torch.cuda.synchronize()  # its stream is not the one that reads the weights
            print(f"rank {rank} step {step + 1:5} {time.monotonic() - start:6.1f} s  loss "
                  f"{optimisation.loss.item() / math.log(2):.4f} bits, held out {bits_per_byte(model, held_out, device):.4f}",
                  flush=True)

    name = "austen-" + {1: "siso", 2: "mimo-r2", 4: "mimo"}[rank]
    folder = arguments.out / name
    mamba3.save(model, folder, torch.bfloat16)
    stored = mamba3.load(folder).to(device)  # what was written, widened again
    figures = {"rank": rank, "parameters": parameters, "seconds": time.monotonic() - start,
               "bits_per_byte": bits_per_byte(stored, held_out, device),
               "bits_per_byte_before_rounding": bits_per_byte(model, held_out, device)}
    given = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in vars(arguments).items()
                     if key not in ("ranks", "out", "compile") and key != "text" and value != make_parser().get_default(key))
    fields = {"name": name, "family": "austen", "variant": "SISO" if rank == 1 else f"MIMO R={rank}",
              "kind": "next-token", "vocabulary": "bytes", "prompts": PROMPTS,
              "description": "Predicts the next byte of English prose; learned from Jane Austen's six novels.",
              "origin": " ".join(f"assets/training/language.py --ranks {rank} {given}".split()),
              "bits_per_byte": round(figures["bits_per_byte"], 4), "license": "MIT; the text is in the public domain"}
    (folder / "task.json").write_text(json.dumps(fields, indent=1) + "\n")
    print(f"{name}: {figures}", flush=True)
    for prompt in PROMPTS[:2]:
        print(f"  {continuation(stored, prompt)!r}", flush=True)
    return figures


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ranks", type=int, nargs="+", choices=[1, 2, 4], default=[1, 4])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--d-model", type=int, default=192)
    parser.add_argument("--d-state", type=int, default=64)
    parser.add_argument("--d-intermediate", type=int, default=512, help="of ranks 1 and 2; rank 4 has 128 less")
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--report", type=int, default=250, help="steps between reports")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--compile", action="store_true", help="fuse kernels with torch.compile")
    parser.add_argument("--text", type=pathlib.Path, help="folder with train.txt and held_out.txt; the novels otherwise")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    return parser


def main():
    arguments = make_parser().parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")  # TF32: the weights end in bf16
    mamba3.CHUNK_ROWS = 64
    if arguments.text:
        text, held_out = ((arguments.text / name).read_bytes() for name in ("train.txt", "held_out.txt"))
    else:
        text, held_out = corpus.split()
    arguments.out.mkdir(parents=True, exist_ok=True)
    figures = [train(rank, text, held_out, arguments, device) for rank in arguments.ranks]
    report = {"device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu", "torch": torch.__version__,
              "train_bytes": len(text), "held_out_bytes": len(held_out), "models": figures}
    name = "austen-" + "-".join(str(rank) for rank in arguments.ranks)
    (arguments.out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
