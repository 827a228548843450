"""A Mamba-3 language model in one file: the parallel form for training, the step recurrence to check it.

The mixer follows the official repository (state-spaces/mamba, modules/mamba3.py) and the paper (arXiv 2603.15569):
SISO and MIMO, trapezoidal discretisation, data-dependent rotations. Parameters carry the official names, so that
`LanguageModel.state_dict()` is the official checkpoint layout. Nothing here is fast for its own sake; whoever wants
inference speed uses the C++ engine.

Shapes in comments: b batch, t tokens, h heads, p head dimension, n state size, r MIMO rank (1 for SISO), g groups of
B and C, s rotated pairs, c chunks, l tokens of a chunk.
"""

import dataclasses
import json
import math
import pathlib

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import nn

NORM_EPSILON = 1e-5
A_FLOOR = 1e-4
CHUNK_ROWS = 32  # rows (tokens times ranks) of one chunk of the parallel form; any value gives the same result


@dataclasses.dataclass
class Config:
    """The fields of an official config.json that change the arithmetic."""

    d_model: int
    n_layer: int
    vocab_size: int
    d_intermediate: int = 0
    pad_vocab_size_multiple: int = 8
    tie_embeddings: bool = True
    d_state: int = 128
    expand: int = 2
    headdim: int = 64
    ngroups: int = 1
    rope_fraction: float = 0.5
    is_outproj_norm: bool = False
    is_mimo: bool = False
    mimo_rank: int = 4
    # Ablations, which the official layout has no fields for.
    rotates: bool = True  # False: no rotation; saved as rows of zeros for the angles, which mean the same
    fixed_lambda: float | None = None  # in place of sigmoid(trap); task.json says so: {"override": {"lambda": 1}}

    @staticmethod
    def from_folder(folder):
        """From config.json, and the override of a task.json beside it."""
        folder = pathlib.Path(folder)
        raw = json.loads((folder / "config.json").read_text())
        flat = {**raw, **raw.get("ssm_cfg", {})}
        task = folder / "task.json"
        if task.exists():
            flat["fixed_lambda"] = json.loads(task.read_text()).get("override", {}).get("lambda")
        known = {field.name for field in dataclasses.fields(Config)}
        return Config(**{name: value for name, value in flat.items() if name in known})

    def to_json(self):
        """The config.json that the official loader accepts; it knows no other top-level fields."""
        mixer = {"layer": "Mamba3", "d_state": self.d_state, "expand": self.expand, "headdim": self.headdim,
                 "ngroups": self.ngroups, "rope_fraction": self.rope_fraction,
                 "is_outproj_norm": self.is_outproj_norm, "is_mimo": self.is_mimo, "mimo_rank": self.mimo_rank,
                 "chunk_size": 64 // self.rank}
        return json.dumps({"d_model": self.d_model, "d_intermediate": self.d_intermediate, "n_layer": self.n_layer,
                           "vocab_size": self.vocab_size, "ssm_cfg": mixer, "attn_layer_idx": [], "attn_cfg": {},
                           "rms_norm": True, "residual_in_fp32": True, "fused_add_norm": True,
                           "pad_vocab_size_multiple": self.pad_vocab_size_multiple,
                           "tie_embeddings": self.tie_embeddings}, indent=1) + "\n"

    @property
    def rank(self):
        return self.mimo_rank if self.is_mimo else 1

    @property
    def d_inner(self):
        return self.expand * self.d_model

    @property
    def heads(self):
        return self.d_inner // self.headdim

    @property
    def rotated_pairs(self):
        return int(self.d_state * self.rope_fraction) // 2

    @property
    def mlp_width(self):
        return -(-self.d_intermediate // 128) * 128

    @property
    def padded_vocab(self):
        multiple = self.pad_vocab_size_multiple
        return -(-self.vocab_size // multiple) * multiple

    @property
    def projection_sizes(self):
        """Rows of in_proj: z, x, B, C, dt, A, lambda, angle."""
        bc = self.d_state * self.ngroups * self.rank
        return [self.d_inner, self.d_inner, bc, bc, self.heads, self.heads, self.heads, self.rotated_pairs]


def rms_normalise(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + NORM_EPSILON)


def decay_rate(raw):
    """A = -f(raw), f(u) = 1 + u above zero and 1 / (1 - u) below: a heavy tail, so that A can come close to zero."""
    magnitude = torch.where(raw >= 0, 1 + raw, 1 / (1 - raw.clamp(max=0)))
    return (-magnitude).clamp(max=-A_FLOOR)


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return rms_normalise(x) * self.weight


class Mixer(nn.Module):
    """One Mamba-3 mixer over whole sequences."""

    def __init__(self, config, dt_min=1e-3, dt_max=0.1, dt_init_floor=1e-4):
        super().__init__()
        self.config = c = config
        dt = torch.exp(torch.rand(c.heads) * math.log(dt_max / dt_min) + math.log(dt_min)).clamp(min=dt_init_floor)
        self.dt_bias = nn.Parameter(dt + torch.log(-torch.expm1(-dt)))  # softplus(dt_bias) == dt
        self.B_bias = nn.Parameter(torch.ones(c.heads, c.rank, c.d_state))
        self.C_bias = nn.Parameter(torch.ones(c.heads, c.rank, c.d_state))
        if c.is_mimo:
            self.mimo_x = nn.Parameter(torch.full((c.heads, c.rank, c.headdim), 1 / c.rank))
            self.mimo_z = nn.Parameter(torch.ones(c.heads, c.rank, c.headdim))
            self.mimo_o = nn.Parameter(torch.full((c.heads, c.rank, c.headdim), 1 / c.rank))
        self.D = nn.Parameter(torch.ones(c.heads))
        self.in_proj = nn.Linear(c.d_model, sum(c.projection_sizes), bias=False)
        self.B_norm = RMSNorm(c.d_state)
        self.C_norm = RMSNorm(c.d_state)
        if c.is_outproj_norm:
            self.norm = RMSNorm(c.d_inner)
        self.out_proj = nn.Linear(c.d_inner, c.d_model, bias=False)
        with torch.no_grad():
            self.out_proj.weight /= math.sqrt(c.n_layer)

    def keys_and_queries(self, raw, norm, bias, cos, sin):
        """Norm, expand groups to heads, add the bias, rotate. raw [b,t,rgn] to [b,h,t,r,n], cos, sin [b,h,t,1,n/2].

        MIMO pairs channel i with i + n/2, SISO 2i with 2i + 1. Dot products over n don't see a permutation that keys
        and queries share, so both leave here in MIMO's order.
        """
        c = self.config
        x = norm(raw.unflatten(-1, (c.rank, c.ngroups, c.d_state))).permute(0, 3, 1, 2, 4)  # [b,g,t,r,n]
        if c.ngroups > 1:
            x = x.repeat_interleave(c.heads // c.ngroups, dim=1)
        x = x + bias.unsqueeze(1)
        first, second = x.chunk(2, -1) if c.is_mimo else x.unflatten(-1, (-1, 2)).unbind(-1)
        if cos is None:
            return torch.cat((first, second), -1)
        return torch.cat((first * cos - second * sin, first * sin + second * cos), -1)

    def forward(self, u):
        c = self.config
        z, x, b_raw, c_raw, dt_raw, a_raw, trap, angle = self.in_proj(u).split(c.projection_sizes, dim=-1)
        z, x = (y.unflatten(-1, (c.heads, 1, c.headdim)).transpose(1, 2) for y in (z, x))  # [b,h,t,1,p]
        dt = F.softplus(dt_raw + self.dt_bias).transpose(1, 2)  # [b,h,t]
        log_alpha = decay_rate(a_raw).transpose(1, 2) * dt
        lam = torch.sigmoid(trap).transpose(1, 2) if c.fixed_lambda is None else c.fixed_lambda

        cos = sin = None
        if c.rotates:
            turn = math.pi * torch.tanh(angle).unsqueeze(1) * dt.unsqueeze(-1)  # [b,h,t,s]
            theta = F.pad(turn.cumsum(2), (0, c.d_state // 2 - c.rotated_pairs)).unsqueeze(3)
            cos, sin = theta.cos(), theta.sin()
        k = self.keys_and_queries(b_raw, self.B_norm, self.B_bias, cos, sin)
        q = self.keys_and_queries(c_raw, self.C_norm, self.C_bias, cos, sin)

        v = x * self.mimo_x.unsqueeze(1) if c.is_mimo else x  # [b,h,t,r,p]
        y = scan(q, k, v, log_alpha, lam * dt, (1 - lam) * dt) + self.D[:, None, None, None] * v
        if c.is_outproj_norm:
            y = rms_normalise(y) * self.norm.weight.view(c.heads, 1, 1, c.headdim)
        y = y * F.silu(z * self.mimo_z.unsqueeze(1) if c.is_mimo else z)
        y = (y * self.mimo_o.unsqueeze(1)).sum(3) if c.is_mimo else y.squeeze(3)
        return self.out_proj(y.transpose(1, 2).flatten(2))


def scan(q, k, v, log_alpha, gamma, carry):
    """What the recurrence reads out of its state at every token, by chunks.

    q, k [b,h,t,r,n] rotated, v [b,h,t,r,p], log_alpha, gamma, carry = (1 - lambda) dt [b,h,t]; returns [b,h,t,r,p].
    beta of a token holds its alpha, so the previous token's second write equals a write before the decay. A token s
    therefore counts with gamma_s at its own time and with w_s = gamma_s + carry_{s+1} at every later one.
    """
    tokens, rank = q.shape[2], q.shape[3]
    w = gamma + F.pad(carry[..., 1:], (0, 1))
    length = min(tokens, max(1, CHUNK_ROWS // rank))
    missing = -tokens % length
    if missing:
        q, k, v = (F.pad(x, (0, 0, 0, 0, 0, missing)) for x in (q, k, v))
        log_alpha, gamma, w = (F.pad(x, (0, missing)) for x in (log_alpha, gamma, w))
    rows = [x.unflatten(2, (-1, length)).flatten(3, 4) for x in (q, k, v)]  # [b,h,c,l*r,.]
    q, k, v = rows
    log_alpha, gamma, w = (x.unflatten(2, (-1, length)) for x in (log_alpha, gamma, w))  # [b,h,c,l]
    reach = log_alpha.cumsum(-1)

    # Inside a chunk: every pair of tokens, later row by earlier column.
    later = torch.ones(length, length, dtype=torch.bool, device=q.device).tril(-1)
    decay = (reach.unsqueeze(-1) - reach.unsqueeze(-2)).masked_fill(~later, -math.inf).exp()
    weight = decay * w.unsqueeze(-2) + torch.diag_embed(gamma)
    if rank > 1:
        weight = weight.repeat_interleave(rank, -1).repeat_interleave(rank, -2)
    y = (q @ k.transpose(-1, -2) * weight) @ v

    # Across chunks: what each chunk leaves behind, decayed to the start of every later chunk.
    chunks = reach.shape[2]
    if chunks > 1:
        left = ((reach[..., -1:] - reach).exp() * w).repeat_interleave(rank, -1).unsqueeze(-1)
        states = (v * left).transpose(-1, -2) @ k  # [b,h,c,p,n]
        ends = reach[..., -1].cumsum(-1)
        starts = ends - reach[..., -1]
        before = torch.ones(chunks, chunks, dtype=torch.bool, device=q.device).tril(-1)
        decay = (starts.unsqueeze(-1) - ends.unsqueeze(-2)).masked_fill(~before, -math.inf).exp()
        carried = (decay @ states.flatten(3)).view_as(states)
        y = y + reach.exp().repeat_interleave(rank, -1).unsqueeze(-1) * (q @ carried.transpose(-1, -2))
    return y.unflatten(3, (length, rank)).flatten(2, 3)[:, :, :tokens]


class GatedMLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.fc1 = nn.Linear(config.d_model, 2 * config.mlp_width, bias=False)
        self.fc2 = nn.Linear(config.mlp_width, config.d_model, bias=False)
        with torch.no_grad():
            self.fc2.weight /= math.sqrt(config.n_layer)

    def forward(self, u):
        value, gate = self.fc1(u).chunk(2, dim=-1)
        return self.fc2(value * F.silu(gate))


class Block(nn.Module):
    def __init__(self, config, **dt_range):
        super().__init__()
        self.norm = RMSNorm(config.d_model)
        self.mixer = Mixer(config, **dt_range)
        if config.d_intermediate:
            self.norm2 = RMSNorm(config.d_model)
            self.mlp = GatedMLP(config)

    def forward(self, residual):
        residual = residual + self.mixer(self.norm(residual))
        if hasattr(self, "mlp"):
            residual = residual + self.mlp(self.norm2(residual))
        return residual


class LanguageModel(nn.Module):
    """ids [b,t] to logits [b,t,padded_vocab]."""

    def __init__(self, config, **dt_range):
        super().__init__()
        self.config = config
        self.backbone = nn.Module()
        self.backbone.embedding = nn.Embedding(config.padded_vocab, config.d_model)
        self.backbone.layers = nn.ModuleList(Block(config, **dt_range) for _ in range(config.n_layer))
        self.backbone.norm_f = RMSNorm(config.d_model)
        self.lm_head = nn.Linear(config.d_model, config.padded_vocab, bias=False)
        nn.init.normal_(self.backbone.embedding.weight, std=0.02)
        if config.tie_embeddings:
            self.lm_head.weight = self.backbone.embedding.weight

    def forward(self, ids):
        residual = self.backbone.embedding(ids)
        for block in self.backbone.layers:
            residual = block(residual)
        return self.lm_head(self.backbone.norm_f(residual))


def load(folder, dtype=torch.float32):
    """A model from config.json and model.safetensors; fails on any missing, extra or misshapen tensor."""
    folder = pathlib.Path(folder)
    model = LanguageModel(Config.from_folder(folder)).to(dtype)
    model.load_state_dict(safetensors.torch.load_file(folder / "model.safetensors"))
    return model


def save(model, folder, dtype=torch.float32):
    """config.json and model.safetensors in the official layout; a tied head is written as its own tensor.

    In bf16 the tensors that the official model keeps in fp32 whatever its dtype stay so.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(model.config.to_json())
    tensors = {name: tensor.detach().float().cpu().clone().contiguous() for name, tensor in model.state_dict().items()}
    for name, tensor in tensors.items():
        if name.endswith("in_proj.weight") and not model.config.rotates:
            tensor[-model.config.rotated_pairs:] = 0
    kept = (".dt_bias", ".B_bias", ".C_bias", ".D", ".mimo_x", ".mimo_z", ".mimo_o")
    tensors = {name: tensor if name.endswith(kept) else tensor.to(dtype) for name, tensor in tensors.items()}
    safetensors.torch.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


class Recurrence:
    """The same model token by token, written apart from the parallel form and straight from the recurrence

        h = alpha h + beta v_prev k_prev^T + gamma v k^T,   y = h q + D v

    so that each checks the other. `state[layer]` holds angle [b,h,s] (not wrapped), ssm [b,h,p,n], k [b,r,h,n] and
    v [b,h,p], the caches of the official step. Computes in the dtype of the weights it is given.
    """

    def __init__(self, model, batch=1):
        self.config = c = model.config
        self.weights = {name: tensor.detach() for name, tensor in model.state_dict().items()}
        like = self.weights["backbone.embedding.weight"]
        self.state = [{"angle": like.new_zeros(batch, c.heads, c.rotated_pairs),
                       "ssm": like.new_zeros(batch, c.heads, c.headdim, c.d_state),
                       "k": like.new_zeros(batch, c.rank, c.heads, c.d_state),
                       "v": like.new_zeros(batch, c.heads, c.headdim)} for _ in range(c.n_layer)]

    def rotate(self, x, theta):
        """x [b,r,h,n] by theta [b,h,s], in the pairing of the layout."""
        pairs, size = theta.shape[-1], self.config.d_state
        index = torch.arange(pairs, device=x.device)
        first, second = (index, index + size // 2) if self.config.is_mimo else (2 * index, 2 * index + 1)
        cos, sin = theta.cos().unsqueeze(1), theta.sin().unsqueeze(1)
        out = x.clone()
        out[..., first] = x[..., first] * cos - x[..., second] * sin
        out[..., second] = x[..., first] * sin + x[..., second] * cos
        return out

    def mix(self, layer, u):
        c, state = self.config, self.state[layer]
        def weight(name):
            return self.weights[f"backbone.layers.{layer}.mixer.{name}"]
        projected = u @ weight("in_proj.weight").T
        z, x, b_raw, c_raw, dt_raw, a_raw, trap, angle = projected.split(c.projection_sizes, dim=-1)
        z, x = z.view(-1, c.heads, c.headdim), x.view(-1, c.heads, c.headdim)
        dt = F.softplus(dt_raw + weight("dt_bias"))
        alpha, lam = torch.exp(decay_rate(a_raw) * dt), torch.sigmoid(trap)
        if c.fixed_lambda is not None:
            lam = torch.full_like(lam, c.fixed_lambda)
        beta, gamma = (1 - lam) * dt * alpha, lam * dt
        theta = state["angle"] + c.rotates * math.pi * torch.tanh(angle).unsqueeze(1) * dt.unsqueeze(2)

        group = torch.arange(c.heads, device=u.device) // (c.heads // c.ngroups)
        def rotated(raw, norm, bias):
            normed = rms_normalise(raw.view(-1, c.rank, c.ngroups, c.d_state)) * weight(norm)
            return self.rotate(normed[:, :, group] + weight(bias).transpose(0, 1), theta)
        k, q = rotated(b_raw, "B_norm.weight", "B_bias"), rotated(c_raw, "C_norm.weight", "C_bias")

        ones = x.new_ones(c.heads, c.rank, c.headdim)
        mimo_x, mimo_z, mimo_o = (weight(name) if c.is_mimo else ones for name in ("mimo_x", "mimo_z", "mimo_o"))
        def write(value, key):  # the rank-r outer product of a token
            return torch.einsum("hrp,bhp,brhn->bhpn", mimo_x, value, key)
        ssm = (alpha[:, :, None, None] * state["ssm"] + beta[:, :, None, None] * write(state["v"], state["k"])
               + gamma[:, :, None, None] * write(x, k))
        y = torch.einsum("bhpn,brhn->bhrp", ssm, q)
        y = y + weight("D")[:, None, None] * mimo_x * x.unsqueeze(2)
        if c.is_outproj_norm:
            y = rms_normalise(y) * weight("norm.weight").view(c.heads, 1, c.headdim)
        y = (mimo_o * y * F.silu(mimo_z * z.unsqueeze(2))).sum(2)
        self.state[layer] = {"angle": theta, "ssm": ssm, "k": k, "v": x}
        return y.flatten(1) @ weight("out_proj.weight").T

    def step(self, ids):
        """ids [b] to logits [b,padded_vocab]."""
        w = self.weights
        residual = w["backbone.embedding.weight"][ids]
        for layer in range(self.config.n_layer):
            name = f"backbone.layers.{layer}"
            residual = residual + self.mix(layer, rms_normalise(residual) * w[f"{name}.norm.weight"])
            if self.config.d_intermediate:
                hidden = rms_normalise(residual) * w[f"{name}.norm2.weight"]
                value, gate = (hidden @ w[f"{name}.mlp.fc1.weight"].T).chunk(2, dim=-1)
                residual = residual + (value * F.silu(gate)) @ w[f"{name}.mlp.fc2.weight"].T
        return (rms_normalise(residual) * w["backbone.norm_f.weight"]) @ w["lm_head.weight"].T
