"""Trains small Mamba-3 models on a task, several seeds at once, and writes them in the official layout.

    python3 train.py --task parity --seeds 1 2 3 --out runs            SISO
    python3 train.py --task parity --rank 4 --seeds 1 2 3 --out runs   MIMO

A model this small leaves a GPU idle between kernels. So one training step (data, forward, backward, clipping, AdamW,
learning rate) is captured in one CUDA graph per stage length, and the seeds' graphs are replayed in turn, each on its
own stream. Without a GPU the same steps run one by one. After every stage that is long enough, each seed is written to
<out>/<name>-seed<N>/ with config.json, model.safetensors and task.json, and <out>/<name>.json has the figures of all.
"""

import argparse
import json
import math
import pathlib
import time

import torch
import torch.nn.functional as F
from torch import nn

import mamba3
import rotation
import tasks

EVALUATED_LENGTHS = (256, 512, 1024)
EVALUATED_SEQUENCES = 1000
EVALUATION_SEED = 20260901
CLIP_NORM = 1.0
LAST_LEARNING_RATE = 0.01  # of the peak, where the cosine ends


@torch.no_grad()
def start_with_long_memory(model, symbols, embedding_std, memory):
    """Shifts the first layer's A to about -1/memory on every symbol.

    |A| falls as 1 / (1 - u) with its input u, which AdamW moves by a few hundredths a step: left to itself it stops
    near 1/26, where short stages are solved, and long ones then fail for want of memory. The embedding starts larger
    than usual so that its directions, which the shift relies on, last through the first steps.
    """
    nn.init.normal_(model.backbone.embedding.weight, std=embedding_std)
    if memory:
        block, sizes = model.backbone.layers[0], model.config.projection_sizes
        hidden = block.norm(model.backbone.embedding.weight[:symbols])
        direction = torch.linalg.pinv(hidden) @ hidden.new_ones(symbols)  # hidden @ direction == 1
        first = sum(sizes[:5])
        block.mixer.in_proj.weight[first:first + sizes[5]] -= (memory - 1) * direction


class Run:
    """One seed: its model, optimizer and random numbers, and the captured step of the current stage."""

    def __init__(self, task, config, seed, arguments, device):
        torch.manual_seed(seed)
        self.task, self.seed, self.device = task, seed, device
        self.model = mamba3.LanguageModel(config, dt_min=arguments.dt_min, dt_max=arguments.dt_max).to(device)
        if arguments.start_from:
            self.model.load_state_dict(mamba3.load(arguments.start_from).state_dict())
        else:
            start_with_long_memory(self.model, len(task.symbols), arguments.embedding_std, arguments.memory)
        self.generator = torch.Generator(device).manual_seed(seed)
        self.peak, self.total = arguments.learning_rate, arguments.steps * len(arguments.lengths)
        self.warmup = arguments.warmup
        self.taken = torch.zeros((), device=device)
        self.learning_rate = torch.zeros((), device=device)
        kept = [p for name, p in self.model.named_parameters() if name.endswith((".dt_bias", ".D"))]
        decayed = [p for name, p in self.model.named_parameters() if not name.endswith((".dt_bias", ".D"))]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": arguments.weight_decay}, {"params": kept, "weight_decay": 0.0}],
            lr=self.learning_rate, fused=True, capturable=device.type == "cuda")
        self.graph = self.loss = None
        self.stream = torch.cuda.Stream() if device.type == "cuda" else None

    def compute_step(self, batch, length):
        """One training step; asks nothing back from the device."""
        self.taken += 1
        decay = 0.5 * (1 + torch.cos(math.pi * self.taken / self.total))
        self.learning_rate.copy_(self.peak * (self.taken / self.warmup).clamp(max=1)
                                 * (LAST_LEARNING_RATE + (1 - LAST_LEARNING_RATE) * decay))
        ids, targets = self.task.sample(batch, length, self.device, self.generator)
        logits = self.model(ids)[..., :len(self.task.labels)]
        self.loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=tasks.IGNORED)
        self.optimizer.zero_grad(set_to_none=True)
        self.loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimizer.step()

    def begin_stage(self, batch, length):
        """Takes a few real steps, then captures one; returns how many steps were taken."""
        self.graph = None
        self.shape = batch, length
        if self.stream is None:
            return 0
        torch.cuda.synchronize()
        warm_steps = 3
        with torch.cuda.stream(self.stream):
            for _ in range(warm_steps):
                self.compute_step(batch, length)
        torch.cuda.synchronize()
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        with torch.cuda.graph(graph, stream=self.stream):
            self.compute_step(batch, length)
        self.graph = graph
        return warm_steps

    def step(self):
        if self.graph is None:
            self.compute_step(*self.shape)
            return
        with torch.cuda.stream(self.stream):
            self.graph.replay()


@torch.no_grad()
def accuracy(model, task, length, device, sequences=EVALUATED_SEQUENCES):
    """Part of the scored positions that are labelled right, over random sequences, in fp32."""
    generator = torch.Generator(device).manual_seed(EVALUATION_SEED + length)
    right = scored = 0
    for first in range(0, sequences, 250):
        ids, targets = task.sample(min(250, sequences - first), length, device, generator)
        found = model(ids)[..., :len(task.labels)].argmax(-1)
        right += ((found == targets) & (targets != tasks.IGNORED)).sum().item()
        scored += (targets != tasks.IGNORED).sum().item()
    return right / scored


def origin(arguments, seed):
    """The command that made a model: the arguments that differ from the defaults, and its seed."""
    parser = make_parser()
    given = [f"--task {arguments.task}", f"--seed {seed}"]
    for name, value in vars(arguments).items():
        if name in ("task", "seeds", "out") or value == parser.get_default(name):
            continue
        words = value if isinstance(value, list) else [value]
        given.append(f"--{name.replace('_', '-')} " + " ".join(str(word) for word in words))
    return "assets/training/train.py " + " ".join(given)


def write_task(folder, name, arguments, seed, accuracies):
    task = tasks.TASKS[arguments.task]
    fields = {"name": name, "task": arguments.task, "kind": "labels", "symbols": task.symbols, "labels": task.labels,
              "prompts": task.prompts, "description": task.description, "origin": origin(arguments, seed),
              "accuracy": {str(length): round(value, 6) for length, value in accuracies.items()}, "license": "MIT"}
    (folder / "task.json").write_text(json.dumps(fields, indent=1) + "\n")


def finish(run, name, arguments):
    """Evaluates, writes the model, and returns its figures."""
    folder = arguments.out / f"{name}-seed{run.seed}"
    mamba3.save(run.model, folder)
    accuracies = {length: accuracy(run.model, run.task, length, run.device) for length in EVALUATED_LENGTHS}
    write_task(folder, name, arguments, run.seed, accuracies)
    figures = {"seed": run.seed, "accuracy": accuracies}
    if arguments.task == "parity" and run.model.config.n_layer == 1:
        figures["rotation"] = rotation.half_turns(run.model)
    print(f"{name} seed {run.seed}: " + "  ".join(f"{length}: {value:.5f}" for length, value in accuracies.items()))
    for head in figures.get("rotation", []):
        print(f"  head {head['head']}: {len(head['clear_pairs'])} clear pairs; pair {head['best_pair']} turns "
              f"{head['turn_on_0'] / math.pi:+.4f} pi on 0, {head['turn_on_1'] / math.pi:+.4f} pi on 1; alpha "
              + " ".join(f"{value:.5f}" for value in head["alpha"]), flush=True)
    return figures


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--task", choices=sorted(tasks.TASKS), required=True)
    parser.add_argument("--seeds", "--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--rank", type=int, default=1, help="MIMO rank; 1 is SISO")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--d-model", type=int, default=32)
    parser.add_argument("--d-state", type=int, default=64)
    parser.add_argument("--headdim", type=int, default=16)
    parser.add_argument("--d-intermediate", type=int, default=0)
    parser.add_argument("--dt-min", type=float, default=1e-3, help="smallest time step at the start")
    parser.add_argument("--dt-max", type=float, default=0.1, help="largest time step at the start")
    parser.add_argument("--lengths", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256, 512, 1024])
    parser.add_argument("--steps", type=int, default=700, help="steps at each length")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=16384, help="most tokens of one step; long stages shrink the batch")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=200, help="steps over which the learning rate rises")
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--embedding-std", type=float, default=0.2)
    parser.add_argument("--memory", type=float, default=200, help="1 / |A| of the first layer at the start; 0: as it comes")
    parser.add_argument("--start-from", type=pathlib.Path, help="folder of a model of the same shape to train on")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    return parser


def main():
    arguments = make_parser().parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    task = tasks.TASKS[arguments.task]
    config = mamba3.Config(
        d_model=arguments.d_model, n_layer=arguments.layers, vocab_size=max(len(task.symbols), len(task.labels)),
        d_intermediate=arguments.d_intermediate, d_state=arguments.d_state, headdim=arguments.headdim,
        is_mimo=arguments.rank > 1, mimo_rank=arguments.rank if arguments.rank > 1 else 4)
    name = arguments.task + ("-mimo" if arguments.rank > 1 else "")
    runs = [Run(task, config, seed, arguments, device) for seed in arguments.seeds]
    start = time.monotonic()
    for length in arguments.lengths:
        batch = min(arguments.batch, max(1, arguments.tokens // length))
        taken = [run.begin_stage(batch, length) for run in runs]
        for step in range(arguments.steps):
            for run, already in zip(runs, taken):
                if step >= already:
                    run.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        print(f"{name} length {length:4} batch {batch:3}  {time.monotonic() - start:6.1f} s  " + "  ".join(
            f"seed {run.seed}: loss {run.loss.item():.5f} accuracy {accuracy(run.model, task, length, device, 250):.4f}"
            for run in runs), flush=True)
        if length < EVALUATED_LENGTHS[0] and length != arguments.lengths[-1]:
            continue
        report = {"arguments": {key: str(value) if isinstance(value, pathlib.Path) else value
                                for key, value in vars(arguments).items()},
                  "trained_to_length": length, "seconds": time.monotonic() - start, "torch": torch.__version__,
                  "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
                  "runs": [finish(run, name, arguments) for run in runs]}
        (arguments.out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
