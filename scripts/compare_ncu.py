#!/usr/bin/env python3
"""Holds the times and the bytes of `mambascope profile` against Nsight Compute's, kernel by kernel, on a machine with an NVIDIA
GPU: one token under ncu (clocks and caches left alone) beside the median of many with CUPTI activity records. Prints a table
by kind of stage; memory copies, which ncu does not see, are left out of both. Exits 0, 1 when one of the programs fails or
the kernels do not match, 2 on wrong use.
"""
import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile

METRICS = ["gpu__time_duration.sum", "dram__bytes_read.sum", "dram__bytes_write.sum"]
UNITS = {"ns": 1e-3, "us": 1, "usecond": 1, "nsecond": 1e-3, "ms": 1e3, "msecond": 1e3,
         "byte": 1e-6, "Kbyte": 1e-3, "Mbyte": 1, "Gbyte": 1e3}
WARMUP, STEPS = 2, 60


def run(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as missing:
        sys.exit(f"{command[0]} cannot be run: {missing.strerror}. "
                 + ("Nsight Compute comes with the CUDA Toolkit." if command[0] == "ncu" else "Give the built program."))
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({done.returncode}):\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def by_cupti(program, options):
    """Bytes of each kind by the plan, the median microseconds of each kind's kernels in a token, and the kind of each kernel of
    the last token in order."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as pieces:
        out = run([program, "profile", *options, "--steps", str(STEPS), "--no-cost", "--json", "--csv", pieces.name])
        with open(pieces.name, newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    tokens = {}
    for row in rows:
        if row["kernel"] not in ("", "memcpy", "memset"):
            tokens.setdefault(row["token"], []).append(row)
    if not tokens:
        sys.exit("The profile holds no kernels: CUPTI recorded none.")
    kinds = {kind["kind"]: kind["bytes"] for kind in json.loads(out)["kinds"]}
    times = {kind: statistics.median(sum(float(row["duration_ns"]) for row in token if row["name"] == kind) / 1e3
                                     for token in tokens.values()) for kind in kinds}
    return kinds, times, [row["name"] for row in list(tokens.values())[-1]]


def by_ncu(program, options):
    """Microseconds and megabytes of each kernel of one token, in order."""
    out = run(["ncu", "--clock-control", "none", "--cache-control", "none", "--nvtx", "--nvtx-include", f"token {WARMUP}/",
               "--metrics", ",".join(METRICS), "--csv", "--page", "raw",
               program, "profile", *options, "--steps", "1", "--warmup", str(WARMUP), "--no-cupti"])
    table = csv.DictReader(line for line in out.splitlines() if line.startswith('"'))
    units = next(table)
    value = lambda row, name: float(row[name].replace(",", "")) * UNITS[units[name]]
    return [(value(row, METRICS[0]), value(row, METRICS[1]) + value(row, METRICS[2])) for row in table]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="PROGRAM", help="the built mambascope")
    parser.add_argument("options", metavar="OPTIONS", nargs=argparse.REMAINDER,
                        help="of mambascope profile: --preset siso-1.5b --variant fused --batch 128")
    given = parser.parse_args()
    own = {"--backend", "--graph", "--steps", "--warmup", "--wait", "--json", "--csv", "--no-cost", "--no-cupti"}
    other = {"--ranks", "--save", "--trace", "--trace-limit", "--open", "--list", "--by", "--counters", "--pm-sampling",
             "-h", "--help"}
    for option in given.options:
        if option.split("=")[0] in own:
            parser.error(f"{option} is set here: both programs step the same token, kernel by kernel on the GPU")
        if option.split("=")[0] in other:
            parser.error(f"{option} has no place here: one model's step is timed twice and nothing is kept")
    program, options = given.program, [*given.options, "--backend", "cuda", "--graph", "off"]
    kinds, times, stages = by_cupti(program, options)
    kernels = by_ncu(program, options)
    if len(kernels) != len(stages):
        print(f"ncu saw {len(kernels)} kernels of the token, CUPTI {len(stages)}.", file=sys.stderr)
        return 1
    print(f"{'kind':<14} {'kernels':>7} {'CUPTI us':>10} {'ncu us':>10} {'ncu over':>9} {'us a kernel':>12} "
          f"{'plan MB':>9} {'ncu MB':>9} {'ncu over':>9}")
    total = [0.0] * 4
    for kind in kinds:
        mine = [kernel for kernel, stage in zip(kernels, stages) if stage == kind]
        if not mine:
            continue
        figures = [times[kind], sum(us for us, _ in mine), kinds[kind] / 1e6, sum(mb for _, mb in mine)]
        total = [a + b for a, b in zip(total, figures)]
        print_row(kind, len(mine), *figures)
    print_row("token", len(kernels), *total)
    return 0


def print_row(name, count, cupti, ncu, plan, bytes_):
    print(f"{name:<14} {count:>7} {cupti:>10.1f} {ncu:>10.1f} {100 * (ncu / cupti - 1):>+8.1f}% {(ncu - cupti) / count:>12.2f} "
          f"{plan:>9.2f} {bytes_:>9.2f} {100 * (bytes_ / plan - 1):>+8.1f}%")


if __name__ == "__main__":
    sys.exit(main())
