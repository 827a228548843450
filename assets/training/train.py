"""Trains small Mamba-3 models and their ablations on a task, and writes them in the official layout.

    python3 train.py --task parity --seeds 1 2 3 --out runs                               Mamba-3
    python3 train.py --task modular --variants mamba3 no-rotation mamba2 --out runs       beside its ablations
    python3 train.py --task parity --rank 4 --tokens 8192 --out runs                      MIMO

All seeds and variants train side by side on one GPU. After every stage that is long enough, each is written to
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
import optimise
import rotation
import tasks

EVALUATED_LENGTHS = (256, 512, 1024)
EVALUATED_SEQUENCES = 1000
EVALUATION_SEED = 20260901
POOL_TOKENS = 1 << 25  # drawn at a time; every run picks its batches from the pool at random
POOL_STEPS = 1000  # then the pool is drawn anew
TIMED_STEPS = 20

# The same size and budget; what an ablation leaves out.
VARIANTS = {"mamba3": {}, "no-rotation": {"rotates": False}, "mamba2": {"rotates": False, "fixed_lambda": 1}}
VARIANT_NAMES = {"mamba3": "Mamba-3", "no-rotation": "no rotation", "mamba2": "Mamba-2 style"}


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


class Pool:
    """Sequences of one length, drawn by the task many at a time; runs on other streams pick rows of it."""

    def __init__(self, task, length, device, generator, tokens=POOL_TOKENS, **options):
        self.task, self.length, self.device, self.generator, self.options = task, length, device, generator, options
        self.count = max(1, (tokens if device.type == "cuda" else 64 * 1024) // length)
        self.ids, self.targets = task.sample(self.count, length, device, generator, **options)

    def refill(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        for kept, drawn in zip((self.ids, self.targets),
                               self.task.sample(self.count, self.length, self.device, self.generator,
                                                **self.options)):
            kept.copy_(drawn)
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def loss(self, batch):
        """The loss of a batch of it, as optimise.Optimisation wants it."""
        classes = len(self.task.labels)

        def compute(model, generator):
            rows = torch.randint(0, self.count, (batch,), device=self.device, generator=generator)
            ids, targets = self.ids[rows].long(), self.targets[rows].long()
            return F.cross_entropy(model(ids)[..., :classes].flatten(0, 1), targets.flatten(),
                                   ignore_index=tasks.IGNORED)
        return compute


@torch.no_grad()
def accuracy(model, task, length, device, sequences=EVALUATED_SEQUENCES):
    """Part of the scored positions that are labelled right, over random sequences, in fp32."""
    generator = torch.Generator(device).manual_seed(EVALUATION_SEED + length)
    ids, targets = task.sample(sequences, length, device, generator)
    right = scored = 0
    for some_ids, some_targets in zip(ids.split(125), targets.split(125)):
        with torch.compiler.set_stance("force_eager"):
            found = model(some_ids.long())[..., :len(task.labels)].argmax(-1)
        right += ((found == some_targets) & (some_targets != tasks.IGNORED)).sum().item()
        scored += (some_targets != tasks.IGNORED).sum().item()
    return right / scored


def scaled(value, task):
    """0 is chance, 1 is all right."""
    chance = 1 / len(task.labels)
    return (value - chance) / (1 - chance)


def origin(arguments, variant, seed):
    """The command that made a model: the arguments that differ from the defaults, and its seed."""
    defaults = make_parser(arguments.task)
    given = [f"--task {arguments.task}", f"--variants {variant}", f"--seeds {seed}"]
    for name, value in vars(arguments).items():
        if name in ("task", "variants", "seeds", "out", "compile", "seconds") or value == defaults.get_default(name):
            continue
        if name == "steps" and value == defaults.get_default(name) * len(value):  # one for all lengths
            continue
        words = value if isinstance(value, list) else [value]
        given.append(f"--{name.replace('_', '-')} " + " ".join(str(word) for word in words))
    return "assets/training/train.py " + " ".join(given)


class Run:
    """One variant with one seed."""

    def __init__(self, variant, seed, arguments, device):
        self.variant, self.seed, self.arguments = variant, seed, arguments
        self.task = task = tasks.TASKS[arguments.task]
        self.name = arguments.task + ("" if variant == "mamba3" else "-" + variant) + (
            "-mimo" if arguments.rank > 1 else "")
        config = mamba3.Config(
            d_model=arguments.d_model, n_layer=arguments.layers, vocab_size=max(len(task.symbols), len(task.labels)),
            d_intermediate=arguments.d_intermediate, d_state=arguments.d_state, headdim=arguments.headdim,
            is_mimo=arguments.rank > 1, mimo_rank=arguments.rank if arguments.rank > 1 else 4, **VARIANTS[variant])
        torch.manual_seed(seed)
        self.model = mamba3.LanguageModel(config, dt_min=arguments.dt_min, dt_max=arguments.dt_max).to(device)
        layers = self.model.backbone.layers
        for at in range(arguments.repeat, len(layers) if arguments.repeat else 0):
            layers[at] = layers[at % arguments.repeat]  # the same weights, written once for each layer
        if arguments.start_from:
            self.model.load_state_dict(mamba3.load(arguments.start_from).state_dict())
        else:
            start_with_long_memory(self.model, len(task.symbols), arguments.embedding_std, arguments.memory)
        if arguments.compile:
            torch._dynamo.config.recompile_limit = 1000  # one for every length and variant
            for block in self.model.backbone.layers:
                block.compile(dynamic=False)
        self.prepare()

    def prepare(self):
        """From the first step on."""
        a = self.arguments
        self.optimisation = optimise.Optimisation(self.model, self.seed, a.learning_rate, a.weight_decay, a.warmup,
                                                  sum(a.steps))

    def write(self, accuracies):
        folder = self.arguments.out / f"{self.name}-seed{self.seed}"
        mamba3.save(self.model, folder)
        variant = VARIANT_NAMES[self.variant] + (f", MIMO R={self.arguments.rank}" if self.arguments.rank > 1 else "")
        fields = {"name": self.name, "task": self.arguments.task, "family": self.arguments.task, "variant": variant,
                  "kind": "labels", "symbols": self.task.symbols, "labels": self.task.labels,
                  "prompts": self.task.prompts, "description": self.task.description,
                  "origin": origin(self.arguments, self.variant, self.seed),
                  "accuracy": {str(length): round(value, 6) for length, value in accuracies.items()}, "license": "MIT"}
        if self.model.config.fixed_lambda is not None:
            fields["override"] = {"lambda": self.model.config.fixed_lambda}
        (folder / "task.json").write_text(json.dumps(fields, indent=1) + "\n")

    def finish(self):
        """Evaluates, writes the model, and returns its figures."""
        device = self.optimisation.device
        accuracies = {length: accuracy(self.model, self.task, length, device) for length in EVALUATED_LENGTHS}
        self.write(accuracies)
        figures = {"name": self.name, "seed": self.seed, "accuracy": accuracies,
                   "scaled": {length: scaled(value, self.task) for length, value in accuracies.items()}}
        print(f"{self.name} seed {self.seed}: "
              + "  ".join(f"{length}: {value:.5f}" for length, value in accuracies.items()), flush=True)
        if self.arguments.task == "parity" and self.variant == "mamba3" and self.model.config.n_layer == 1:
            figures["rotation"] = rotation.half_turns(self.model)
            for head in figures["rotation"]:
                print(f"  head {head['head']}: {len(head['clear_pairs'])} clear pairs; pair {head['best_pair']} turns "
                      f"{head['turn_on_0'] / math.pi:+.4f} pi on 0, {head['turn_on_1'] / math.pi:+.4f} pi on 1; alpha "
                      + " ".join(f"{value:.5f}" for value in head["alpha"]), flush=True)
        return figures


def batch_at(length, arguments):
    return min(arguments.batch, max(1, arguments.tokens // length))


def fit_steps(runs, arguments, device, generator):
    """Scales the steps down so that all stages last `--seconds` at most.

    A step of all runs is timed at the shortest and at the longest length, and taken as linear in its tokens between.
    """
    starts = [{name: tensor.clone() for name, tensor in run.model.state_dict().items()} for run in runs]
    points = []
    for length in (arguments.lengths[0], arguments.lengths[-1]):
        pool = Pool(runs[0].task, length, device, generator, tokens=1 << 20)
        for run in runs:
            run.optimisation.begin(pool.loss(batch_at(length, arguments)))
        for timed in range(TIMED_STEPS + 1):
            for run in runs:
                run.optimisation.step()
            if device.type == "cuda" and timed in (0, TIMED_STEPS):
                torch.cuda.synchronize()
            if timed == 0:  # a graph's first launch is slow
                start = time.monotonic()
        points.append((length * batch_at(length, arguments), (time.monotonic() - start) / TIMED_STEPS))
    (few, fast), (many, slow) = points
    seconds = sum(steps * (fast + (slow - fast) * (length * batch_at(length, arguments) - few) / max(1, many - few))
                  for length, steps in zip(arguments.lengths, arguments.steps))
    arguments.steps = [max(1, int(steps * min(1, arguments.seconds / seconds))) for steps in arguments.steps]
    print(f"{1000 * fast:.2f} to {1000 * slow:.2f} ms a step of {len(runs)} runs; --steps", *arguments.steps, flush=True)
    for run, start in zip(runs, starts):
        run.model.load_state_dict(start)
        run.prepare()


def make_parser(task=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--task", choices=sorted(tasks.TASKS), required=True)
    parser.add_argument("--variants", choices=sorted(VARIANTS), nargs="+", default=["mamba3"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--rank", type=int, default=1, help="MIMO rank; 1 is SISO")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--d-model", type=int, default=32)
    parser.add_argument("--d-state", type=int, default=64)
    parser.add_argument("--headdim", type=int, default=16)
    parser.add_argument("--d-intermediate", type=int, default=0)
    parser.add_argument("--dt-min", type=float, default=1e-3, help="smallest time step at the start")
    parser.add_argument("--dt-max", type=float, default=0.1, help="largest time step at the start")
    parser.add_argument("--lengths", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256, 512, 1024])
    parser.add_argument("--steps", type=int, nargs="+", default=[700], help="steps at each length; one for all, or each")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=16384, help="most tokens of one step; long stages shrink the batch")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=200, help="steps over which the learning rate rises")
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--embedding-std", type=float, default=0.2)
    parser.add_argument("--memory", type=float, default=200, help="1 / |A| of the first layer at the start; 0: as it comes")
    parser.add_argument("--inside", type=int, default=0, help="brackets: up to this length, labels inside them too")
    parser.add_argument("--repeat", type=int, default=0, help="the first so many layers again and again; 0: all differ")
    parser.add_argument("--seconds", type=float, help="scale the steps down so that the stages last about so long")
    parser.add_argument("--start-from", type=pathlib.Path, help="folder of a model of the same shape to train on")
    parser.add_argument("--compile", action="store_true", help="fuse kernels with torch.compile: slow start, faster steps")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.set_defaults(**tasks.TASKS[task].recipe if task else {})
    return parser


def main():
    arguments = make_parser(make_parser().parse_known_args()[0].task).parse_args()
    if len(arguments.steps) == 1:
        arguments.steps = arguments.steps * len(arguments.lengths)
    if len(arguments.steps) != len(arguments.lengths):
        raise SystemExit("give --steps once, or once for each of --lengths")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    task = tasks.TASKS[arguments.task]
    arguments.out.mkdir(parents=True, exist_ok=True)
    runs = [Run(variant, seed, arguments, device) for variant in arguments.variants for seed in arguments.seeds]
    generator = torch.Generator(device).manual_seed(arguments.seeds[0])
    report = {"arguments": {key: str(value) if isinstance(value, pathlib.Path) else value
                            for key, value in vars(arguments).items()},
              "torch": torch.__version__, "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
              "stages": []}
    start = time.monotonic()
    if arguments.seconds:
        fit_steps(runs, arguments, device, torch.Generator(device).manual_seed(0))
        report["arguments"]["steps"] = arguments.steps
    for length, steps in zip(arguments.lengths, arguments.steps):
        batch = batch_at(length, arguments)
        pool = Pool(task, length, device, generator, **({"inside": True} if length <= arguments.inside else {}))
        taken = [run.optimisation.begin(pool.loss(batch)) for run in runs]
        for step in range(steps):
            if step and step % POOL_STEPS == 0:
                pool.refill()
            for run, already in zip(runs, taken):
                if step >= already:
                    run.optimisation.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        print(f"{arguments.task} length {length:4} batch {batch:3}  {time.monotonic() - start:6.1f} s  " + "  ".join(
            f"{run.name} seed {run.seed}: loss {run.optimisation.loss.item():.5f} "
            f"accuracy {accuracy(run.model, task, length, device, 250):.4f}" for run in runs), flush=True)
        if 2 * length < EVALUATED_LENGTHS[0] and length != arguments.lengths[-1]:
            continue
        report["stages"].append({"length": length, "seconds": time.monotonic() - start,
                                 "runs": [run.finish() for run in runs]})
        (arguments.out / f"{arguments.task}.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
