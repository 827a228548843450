"""How far each pair of channels turns on each symbol, measured over random sequences of a model's task.

    python3 rotation.py ../models/parity
    python3 rotation.py ../models/modular --by term

Per layer and head it prints dt, alpha and lambda and, for every pair, the circular mean of the angle's increment
pi tanh(angle) dt, with its concentration |mean exp(i angle)| where that is below 0.995. In the first layer an increment
depends on the symbol alone; deeper down on all that was read, and then a mean says little where the concentration is
low. `--by term` is for modular arithmetic without brackets: what a whole term turns, from its first digit to the + or -
that ends it, in fifths of a turn, by the value that the term adds; and the product of its alphas.
"""

import argparse
import json
import math
import pathlib

import torch
import torch.nn.functional as F

import mamba3
import tasks

CLEAR = 0.1  # radians
SEQUENCES, LENGTH, SEED = 64, 128, 5
SETTLED = 32  # terms that begin sooner are left out: memories are still filling


@torch.no_grad()
def increments(model, ids):
    """Per layer (turn [b,t,h,s] in radians, not wrapped, dt, alpha, lambda [b,t,h]) while reading ids [b,t]."""
    projected = []
    hooks = [block.mixer.in_proj.register_forward_hook(lambda module, given, out: projected.append(out))
             for block in model.backbone.layers]
    model(ids)
    for hook in hooks:
        hook.remove()
    layers = []
    for block, out in zip(model.backbone.layers, projected):
        *_, dt_raw, a_raw, trap, angle = out.double().split(model.config.projection_sizes, dim=-1)
        dt = F.softplus(dt_raw + block.mixer.dt_bias)
        layers.append((math.pi * torch.tanh(angle).unsqueeze(2) * dt.unsqueeze(3), dt,
                       torch.exp(mamba3.decay_rate(a_raw) * dt), torch.sigmoid(trap)))
    return layers


def wrapped(angle):
    """Into [-pi, pi)."""
    return torch.remainder(angle + math.pi, 2 * math.pi) - math.pi


def half_turns(model):
    """For every head of a one-layer model: the pairs that stay on 0 and turn by half on 1, and the clearest of all."""
    ids = torch.arange(2, device=model.lm_head.weight.device).unsqueeze(1)
    (turn, dt, alpha, lam), = ([x[:, 0].cpu() for x in layer] for layer in increments(model, ids))
    stay, half = wrapped(turn[0]).abs(), wrapped(turn[1] - math.pi).abs()
    error = torch.maximum(stay, half)
    heads = []
    for head in range(turn.shape[1]):
        best = error[head].argmin().item()
        heads.append({"head": head, "clear_pairs": (error[head] < CLEAR).nonzero().flatten().tolist(),
                      "best_pair": best, "turn_on_0": turn[0, head, best].item(), "turn_on_1": turn[1, head, best].item(),
                      "error_on_0": stay[head, best].item(), "error_on_1": half[head, best].item(),
                      "dt": dt[:, head].tolist(), "alpha": alpha[:, head].tolist(), "lambda": lam[:, head].tolist()})
    return heads


def terms(ids):
    """The terms of arithmetic without brackets: rows of (sequence, the + or - before it, the one that ends it, value)."""
    found = []
    for row, sequence in enumerate(ids.tolist()):
        start, term, waiting = None, 0, tasks.PLUS
        for at, symbol in enumerate(sequence):
            if symbol < 5:
                term = term * symbol if waiting == tasks.TIMES else -symbol if waiting == tasks.MINUS else symbol
                continue
            waiting = symbol
            if symbol != tasks.TIMES:
                if start is not None and start >= SETTLED:
                    found.append((row, start, at, term % 5))
                start = at
    return torch.tensor(found).T


def circular(turns, unit, pairs):
    """The circular means over the first dimension of turns [n,s], as words."""
    mean = torch.polar(torch.ones_like(turns), turns).mean(0)[:pairs]
    return " ".join(f"{z.angle() / unit:+.3f}" + (f"({z.abs():.2f})" if z.abs() < 0.995 else "") for z in mean)


def print_by_term(ids, layers, pairs):
    row, start, end, value = terms(ids)
    for layer, (turn, _, alpha, _) in enumerate(layers):
        turned, decayed = turn.cumsum(1), alpha.log().cumsum(1)
        turned, kept = turned[row, end] - turned[row, start], (decayed[row, end] - decayed[row, start]).exp()
        for head in range(turn.shape[2]):
            print(f"layer {layer} head {head}")
            for adds in range(5):
                where = value == adds
                print(f"  a term of {adds}: alpha {kept[where, head].mean():.3f}  fifths of a turn: "
                      + circular(turned[where, head], 2 * math.pi / 5, pairs))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--by", choices=["symbol", "term"], default="symbol")
    parser.add_argument("--pairs", type=int, default=16, help="how many pairs to print")
    arguments = parser.parse_args()
    model = mamba3.load(arguments.folder)
    card = json.loads((arguments.folder / "task.json").read_text())
    ids, _ = tasks.TASKS[card["task"]].sample(SEQUENCES, LENGTH, "cpu", torch.Generator().manual_seed(SEED))
    ids = ids.long()
    layers = increments(model, ids)
    if arguments.by == "term":
        print_by_term(ids, layers, arguments.pairs)
        return
    for layer, (turn, dt, alpha, lam) in enumerate(layers):
        for head in range(model.config.heads):
            print(f"layer {layer} head {head}")
            for index, symbol in enumerate(card["symbols"]):
                where = ids == index
                d, a = dt[:, :, head][where], alpha[:, :, head][where]
                print(f"  on {symbol}: dt {d.mean():.3f} +- {d.std():.3f}  alpha {a.mean():.4f} +- {a.std():.4f}  "
                      f"lambda {lam[:, :, head][where].mean():.2f}  turns / pi: "
                      + circular(turn[:, :, head][where], math.pi, arguments.pairs))


if __name__ == "__main__":
    main()
