"""Writes a checkpoint of a released model's shape, in the official layout, with random weights: to try loading at full size.

    python3 make_checkpoint.py siso-1.5b checkpoints/siso-1.5b                         # pytorch_model.bin, as released
    python3 make_checkpoint.py siso-1.5b checkpoints/siso-1.5b --format safetensors --shards 3

Values are drawn as an untrained model's are and written one tensor after the other, so that memory stays below half a
gigabyte whatever the shape: torch.save leaves the room of every storage empty, which is then filled in place.
"""

import argparse
import json
import math
import pathlib
import struct
import zipfile

import torch

# Layers, width, MLP before rounding up to 128, rank: the released config.json files.
SHAPES = {
    "siso-187m": (12, 768, 1536, 1), "mimo-187m": (12, 768, 1264, 4),
    "siso-443m": (24, 1024, 2048, 1), "mimo-444m": (24, 1024, 1792, 4),
    "siso-893m": (24, 1536, 3072, 1), "mimo-894m": (24, 1536, 2800, 4),
    "siso-1.5b": (24, 2048, 4096, 1), "mimo-1.5b": (24, 2048, 3824, 4),
}
STATE, HEADDIM, VOCABULARY, PADDING = 128, 64, 128256, 16
TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
NAMES = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32"}
CHUNK = 1 << 22


def config(layers, width, mlp, rank):
    mixer = {"layer": "Mamba3", "d_state": STATE, "expand": 2, "headdim": HEADDIM, "ngroups": 1, "rope_fraction": 0.5,
             "dt_min": 0.001, "dt_max": 0.1, "dt_init_floor": 0.0001, "A_floor": 0.0001,
             "chunk_size": 16 if rank > 1 else 64, "is_mimo": rank > 1, "is_outproj_norm": False}
    if rank > 1:
        mixer["mimo_rank"] = rank
    return {"d_model": width, "d_intermediate": mlp, "n_layer": layers, "vocab_size": VOCABULARY, "ssm_cfg": mixer,
            "attn_layer_idx": [], "attn_cfg": {}, "rms_norm": True, "residual_in_fp32": True, "fused_add_norm": True,
            "pad_vocab_size_multiple": PADDING, "tie_embeddings": True}


def constant(value):
    return lambda count, generator: torch.full((count,), value)


def normal(deviation):
    return lambda count, generator: torch.randn(count, generator=generator) * deviation


def uniform(bound):
    return lambda count, generator: (torch.rand(count, generator=generator) * 2 - 1) * bound


def inverse_softplus_of_dt(count, generator):
    dt = torch.exp(torch.rand(count, generator=generator) * math.log(0.1 / 0.001) + math.log(0.001)).clamp(min=1e-4)
    return dt + torch.log(-torch.expm1(-dt))


def tensors(layers, width, mlp, rank):
    """Name, shape and the function that draws values, in the order of the official state dict."""
    inner = 2 * width
    heads = inner // HEADDIM
    hidden = -(-mlp // 128) * 128
    rows = 2 * inner + 2 * STATE * rank + 3 * heads + STATE // 4
    vocabulary = -(-VOCABULARY // PADDING) * PADDING
    yield "backbone.embedding.weight", (vocabulary, width), normal(0.02)
    for i in range(layers):
        layer = f"backbone.layers.{i}."
        yield layer + "norm.weight", (width,), constant(1.0)
        yield layer + "mixer.dt_bias", (heads,), inverse_softplus_of_dt
        yield layer + "mixer.B_bias", (heads, rank, STATE), constant(1.0)
        yield layer + "mixer.C_bias", (heads, rank, STATE), constant(1.0)
        if rank > 1:
            yield layer + "mixer.mimo_x", (heads, rank, HEADDIM), constant(1.0 / rank)
            yield layer + "mixer.mimo_z", (heads, rank, HEADDIM), constant(1.0)
            yield layer + "mixer.mimo_o", (heads, rank, HEADDIM), constant(1.0 / rank)
        yield layer + "mixer.D", (heads,), constant(1.0)
        yield layer + "mixer.in_proj.weight", (rows, width), uniform(1 / math.sqrt(width))
        yield layer + "mixer.B_norm.weight", (STATE,), constant(1.0)
        yield layer + "mixer.C_norm.weight", (STATE,), constant(1.0)
        yield layer + "mixer.out_proj.weight", (width, inner), uniform(1 / math.sqrt(inner * layers))
        yield layer + "norm2.weight", (width,), constant(1.0)
        yield layer + "mlp.fc1.weight", (2 * hidden, width), uniform(1 / math.sqrt(width))
        yield layer + "mlp.fc2.weight", (width, hidden), uniform(1 / math.sqrt(hidden * layers))
    yield "backbone.norm_f.weight", (width,), constant(1.0)


def write_values(file, shape, draw, dtype, generator):
    left = math.prod(shape)
    while left > 0:
        count = min(left, CHUNK)
        file.write(draw(count, generator).to(dtype).view(torch.uint8).numpy().tobytes())
        left -= count


def data_offsets(path):
    """Where the bytes of each storage begin, by its key."""
    offsets = {}
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        for entry in archive.infolist():
            file.seek(entry.header_offset + 26)
            offsets[entry.filename.split("/", 1)[1]] = entry.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
    return offsets


def write_torch(path, parts, dtype, generator):
    state = {name: torch.empty(shape, dtype=dtype) for name, shape, _ in parts}  # memory that is never touched
    state["lm_head.weight"] = state["backbone.embedding.weight"]
    with torch.serialization.skip_data():
        torch.save(state, path)
    offsets = data_offsets(path)
    with open(path, "r+b") as file:
        for key, (_, shape, draw) in enumerate(parts):  # torch.save numbers storages as it meets them
            file.seek(offsets[f"data/{key}"])
            write_values(file, shape, draw, dtype, generator)


def write_safetensors(path, parts, dtype, generator):
    header, at = {}, 0
    for name, shape, _ in parts:
        size = math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": NAMES[dtype], "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape, draw in parts:
            write_values(file, shape, draw, dtype, generator)


def write_shards(folder, stem, ending, write, parts, shards):
    """Consecutive tensors, about the same number of bytes in each file, and the index that joins them."""
    total = sum(math.prod(shape) for _, shape, _ in parts)
    files, done = [[] for _ in range(shards)], 0
    for part in parts:
        files[min(done * shards // total, shards - 1)].append(part)
        done += math.prod(part[1])
    files = [part for part in files if part]
    index = {}
    for i, some in enumerate(files):
        name = f"{stem}-{i + 1:05}-of-{len(files):05}{ending}"
        write(folder / name, some)
        index.update({tensor: name for tensor, _, _ in some})
    text = json.dumps({"metadata": {}, "weight_map": index}, indent=1)
    (folder / f"{stem}{ending}.index.json").write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("out", type=pathlib.Path, help="folder for config.json and the weights")
    parser.add_argument("--format", choices=["bin", "safetensors"], default="bin")
    parser.add_argument("--shards", type=int, default=1, help="files of safetensors, joined by an index (default: one, no index)")
    parser.add_argument("--dtype", choices=TYPES, default="bf16")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.shards < 1 or (arguments.shards > 1 and arguments.format == "bin"):
        parser.error("--shards is a positive number, and more than one is for --format safetensors")
    arguments.out.mkdir(parents=True, exist_ok=True)
    shape = SHAPES[arguments.shape]
    (arguments.out / "config.json").write_text(json.dumps(config(*shape), indent=2) + "\n")
    parts = list(tensors(*shape))
    generator = torch.Generator().manual_seed(arguments.seed)
    dtype = TYPES[arguments.dtype]

    def write(path, some):
        write_safetensors(path, some, dtype, generator)

    if arguments.format == "bin":
        write_torch(arguments.out / "pytorch_model.bin", parts, dtype, generator)
    elif arguments.shards > 1:
        write_shards(arguments.out, "model", ".safetensors", write, parts, arguments.shards)
    else:
        write(arguments.out / "model.safetensors", parts)
    print(f"{arguments.out}: {sum(math.prod(shape) for _, shape, _ in parts):,} parameters")


if __name__ == "__main__":
    main()
