"""How far each pair of channels turns on each symbol, for a model of one layer.

    python3 rotation.py ../models/parity

In a one-layer model the increment of an angle, pi tanh(angle) dt, depends on the symbol alone, so this table is the
whole truth about its rotations: per head and pair the turn on symbol 0 and on symbol 1, modulo a full turn. A pair that
stays on 0 and makes half a turn on 1 holds the parity in the sign of its phase, if the head's decay alpha lets it live.
"""

import argparse
import json
import math
import pathlib

import torch
import torch.nn.functional as F

import mamba3

CLEAR = 0.1  # radians


@torch.no_grad()
def increments(model, symbols):
    """Per symbol and head: turn [symbol, h, s] in radians, not wrapped, and dt, alpha, lambda [symbol, h]."""
    if model.config.n_layer != 1:
        raise ValueError("the increments of deeper layers depend on what came before")
    block = model.backbone.layers[0]
    mixer = block.mixer
    device = block.norm.weight.device
    hidden = block.norm(model.backbone.embedding(torch.arange(symbols, device=device)))
    *_, dt_raw, a_raw, trap, angle = mixer.in_proj(hidden).double().split(model.config.projection_sizes, dim=-1)
    dt = F.softplus(dt_raw + mixer.dt_bias)
    turn = math.pi * torch.tanh(angle).unsqueeze(1) * dt.unsqueeze(2)
    return turn, dt, torch.exp(mamba3.decay_rate(a_raw) * dt), torch.sigmoid(trap)


def wrapped(angle):
    """Into [-pi, pi)."""
    return torch.remainder(angle + math.pi, 2 * math.pi) - math.pi


def half_turns(model):
    """For every head: the pairs that stay on 0 and turn by half on 1, and the clearest pair of all with its errors."""
    turn, dt, alpha, lam = (x.cpu() for x in increments(model, 2))
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    model = mamba3.load(folder)
    symbols = json.loads((folder / "task.json").read_text())["symbols"]
    turn, dt, alpha, lam = increments(model, len(symbols))
    for head in range(turn.shape[1]):
        print(f"head {head}")
        for index, symbol in enumerate(symbols):
            print(f"  on {symbol}: dt {dt[index, head]:.4f}  alpha {alpha[index, head]:.6f}  "
                  f"lambda {lam[index, head]:.4f}  turns / pi: "
                  + " ".join(f"{value:+.3f}" for value in (turn[index, head] / math.pi).tolist()))


if __name__ == "__main__":
    main()
