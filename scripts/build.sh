#!/usr/bin/env bash
# Configures and builds a preset, quietly when there is nothing to do. Output goes to standard error.
#   scripts/build.sh PRESET TARGET...
set -euo pipefail
exec 1>&2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=$1
shift
build=$root/build/$preset

options=()
if [[ $preset == release && -z "${MAMBASCOPE_ALL_GPUS:-}" ]]; then
  # The GPU of this machine, or the one architecture that covers most of them: seconds instead of minutes.
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d . || true)
  options+=("-DMAMBASCOPE_CUDA_ARCHITECTURES=${capability:-90}")
fi

if [[ ! -f $build/build.ninja ]]; then
  log=$(mktemp)
  if ! cmake --preset "$preset" -S "$root" "${options[@]}" >"$log" 2>&1; then
    cat "$log"
    echo "build: configuring failed. Delete $build and try again, or run scripts/setup.sh."
    exit 3
  fi
  grep -E 'CPU backend only|Fetching' "$log" || true
  rm -f "$log"
fi
if [[ -z $(ninja -C "$build" -n "$@" 2>/dev/null | grep -v -E 'Entering directory|no work to do' | head -n 1) ]]; then exit 0; fi
echo "build: compiling ($preset); the first time takes a few minutes"
# What compilers say, and a line for every tenth of the way.
ninja -C "$build" "$@" | awk '!/^\[|^ninja: Entering/{print}
  /^\[[0-9]+\//{split(substr($1, 2), at, /[\/\]]/); tenth = int(10 * at[1] / at[2])
    if (tenth > shown) {shown = tenth; printf "build: %d of %d\n", at[1], at[2]; fflush()}}'
exit "${PIPESTATUS[0]}"
