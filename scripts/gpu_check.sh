#!/usr/bin/env bash
# What anyone with an NVIDIA GPU runs: the GPU tests, verify of every golden model on the CUDA backend, and compute-sanitizer's
# checkers over the GPU tests. Prints a table at the end and keeps the logs in output/gpu_check. Exits 0 when nothing failed,
# 1 when something did, 3 without a GPU.
#
#   scripts/gpu_check.sh [--quick] [FOLDER]   FOLDER holds gpu_tests and mambascope (default: build/release/bin, built if absent)
#   --quick leaves compute-sanitizer out
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
quick=0
if [[ ${1:-} == --quick ]]; then quick=1; shift; fi
preset=${MAMBASCOPE_PRESET:-release}
bin=${1:-$root/build/$preset/bin}
golden=${MAMBASCOPE_TEST_GOLDEN:-$root/tests/golden}
export MAMBASCOPE_TEST_GOLDEN=$golden

if [[ ! -x $bin/gpu_tests || ! -x $bin/mambascope ]]; then
  "$root/scripts/setup.sh" --tests && "$root/scripts/build.sh" "$preset" all || exit 3
fi
if ! nvidia-smi -L; then
  echo "No NVIDIA GPU answers here (nvidia-smi failed): nothing to check."
  exit 3
fi

logs=$root/output/gpu_check
mkdir -p "$logs"
rows=() failed=0

# The line of a log that says how it went: a test summary, a sanitizer's count, verify's worst differences.
gist() {
  if grep -qaE '^  logits ' "$1"; then
    awk '$1 == "logits" { logits = $3 } $1 == "layer" && $5 > state { state = $5 }
         END { printf "largest relative difference: logits %s, states %s", logits, state }' "$1"
  else
    grep -aE '^\[doctest\] test cases|ERROR SUMMARY|RACECHECK SUMMARY' "$1" | sed -E 's/^(=+|\[doctest\]) *//' | tr '\n' ' '
  fi
}

# run NAME COMMAND...: runs it into a log of its own and adds a row to the table.
run() {
  local name=$1 status=0 start=$SECONDS log=$logs/${1//[ :,]/-}.log verdict=passed
  shift
  "$@" >"$log" 2>&1 || status=$?
  if ((status != 0)); then
    verdict="FAILED (exit $status)"
    failed=$((failed + 1))
    echo "== $name failed (exit $status); the end of $log:"
    tail -n 60 "$log"
  fi
  rows+=("$(printf '%-32s %-16s %4d s  %s' "$name" "$verdict" $((SECONDS - start)) "$(gist "$log")")")
}

run "gpu_tests" "$bin/gpu_tests" --no-path-filenames=true
run "gpu_tests: lost device" "$bin/gpu_tests" --no-skip "--test-case=*lost device*"
if [[ -x $bin/gpu_profile_tests ]]; then
  run "gpu_profile_tests" "$bin/gpu_profile_tests" --no-path-filenames=true
fi
for file in "$golden"/*/golden.safetensors; do
  name=$(basename "$(dirname "$file")")
  model=$golden/$name
  if [[ ! -f $model/config.json ]]; then model=$name; fi  # the recorded output of a built-in model
  run "verify $name" "$bin/mambascope" verify "$model" --golden "$file" --backend cuda
  # Judged step by step; the differences in the table are what the rounding of the state costs.
  run "verify $name, bf16 state" "$bin/mambascope" verify "$model" --golden "$file" --backend cuda --variant fused \
    --state bf16
done

if ((quick == 0)); then
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null || true)
  if [[ -n $sanitizer ]]; then
    export MAMBASCOPE_GPU_TESTS=small
    for tool in memcheck racecheck initcheck synccheck; do
      run "compute-sanitizer $tool" "$sanitizer" --tool "$tool" --error-exitcode 9 "$bin/gpu_tests"
    done
  else
    rows+=("$(printf '%-32s skipped: not installed' compute-sanitizer)")
  fi
fi

echo
printf '%s\n' "${rows[@]}"
echo "$((${#rows[@]} - failed)) of ${#rows[@]} without failure"
((failed == 0))
