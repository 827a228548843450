#!/usr/bin/env bash
# What anyone with an NVIDIA GPU runs: the GPU tests, verify of every golden model on the CUDA backend, and compute-sanitizer's
# checkers over the GPU tests. Prints a table at the end; exits 0 when nothing failed, 1 when something did, 3 without a GPU.
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

rows=() failed=0
# run NAME COMMAND...: runs it, keeps the end of its output on failure, adds a row to the table.
run() {
  local name=$1 status=0 start log
  shift
  log=$(mktemp)
  start=$SECONDS
  "$@" >"$log" 2>&1 || status=$?
  local note
  note=$(grep -aE '^\[doctest\] test cases|ERROR SUMMARY|RACECHECK SUMMARY|worst|max_rel' "$log" | tail -n 2 | tr '\n' ' ' | cut -c1-150)
  if ((status == 0)); then
    rows+=("$(printf '%-34s passed %4d s  %s' "$name" $((SECONDS - start)) "$note")")
  else
    rows+=("$(printf '%-34s FAILED %4d s  exit %d  %s' "$name" $((SECONDS - start)) "$status" "$note")")
    failed=$((failed + 1))
    echo "== $name failed (exit $status); the end of its output:"
    tail -n 60 "$log"
  fi
  rm -f "$log"
}

run "gpu_tests" "$bin/gpu_tests" --no-path-filenames=true
run "gpu_tests: lost device" "$bin/gpu_tests" --no-skip "--test-case=*lost device*"
for model in "$golden"/*/; do
  model=${model%/}
  run "verify $(basename "$model")" "$bin/mambascope" verify "$model" --golden "$model/golden.safetensors" --backend cuda
done

if ((quick == 0)); then
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null || true)
  if [[ -n $sanitizer ]]; then
    export MAMBASCOPE_GPU_TESTS=small
    for tool in memcheck racecheck initcheck synccheck; do
      run "compute-sanitizer $tool" "$sanitizer" --tool "$tool" --error-exitcode 9 "$bin/gpu_tests"
    done
  else
    rows+=("$(printf '%-34s skipped: compute-sanitizer is not installed' compute-sanitizer)")
  fi
fi

echo
printf '%s\n' "${rows[@]}"
echo "$((${#rows[@]} - failed)) of ${#rows[@]} without failure"
((failed == 0))
