"""How far each pair of channels turns on each symbol, measured over random sequences of a model's task.

    python3 rotation.py ../models/parity
    python3 rotation.py ../models/modular --by term

Per layer and head it prints dt, alpha and lambda and, for every pair, the circular mean of the angle's increment
pi tanh(angle) dt, with its concentration |mean exp(i angle)| where that is below 0.995. In the first layer an increment
depends on the symbol alone; deeper down on all that was read, and then a mean says little where the concentration is
low. `--by term` groups the + and - of modular arithmetic by the signed product that they end.
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


def signed_terms(ids):
    """At every position the signed product, modulo 5, that arithmetic without brackets is in. ids [b,t]."""
    terms = torch.zeros_like(ids)
    for row, sequence in enumerate(ids.tolist()):
        term, waiting = 0, tasks.PLUS
        for at, symbol in enumerate(sequence):
            if symbol < 5:
                term = term * symbol if waiting == tasks.TIMES else -symbol if waiting == tasks.MINUS else symbol
            else:
                waiting = symbol
            terms[row, at] = term % 5
    return terms


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
    if arguments.by == "term":
        groups = {f"the term {value} ends": ((ids == tasks.PLUS) | (ids == tasks.MINUS)) & (signed_terms(ids) == value)
                  for value in range(5)}
    else:
        groups = {f"on {symbol}": ids == index for index, symbol in enumerate(card["symbols"])}
    for layer, (turn, dt, alpha, lam) in enumerate(increments(model, ids)):
        for head in range(model.config.heads):
            print(f"layer {layer} head {head}")
            for name, where in groups.items():
                mean = torch.polar(torch.ones_like(turn[:, :, head]), turn[:, :, head])[where].mean(0)
                pairs = [f"{z.angle() / math.pi:+.3f}" + (f"({z.abs():.2f})" if z.abs() < 0.995 else "")
                         for z in mean[:arguments.pairs]]
                d, a = dt[:, :, head][where], alpha[:, :, head][where]
                print(f"  {name}: dt {d.mean():.3f} +- {d.std():.3f}  alpha {a.mean():.4f} +- {a.std():.4f}  "
                      f"lambda {lam[:, :, head][where].mean():.2f}  turns / pi: " + " ".join(pairs))


if __name__ == "__main__":
    main()
