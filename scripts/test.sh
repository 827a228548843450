#!/usr/bin/env bash
# Sets up, builds and runs every test that this machine can run. Ends with "N passed, N failed, N skipped"; a GPU test without a
# GPU counts as skipped. MAMBASCOPE_PRESET chooses the build (default: release).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${MAMBASCOPE_PRESET:-release}
"$root/scripts/setup.sh" --tests
"$root/scripts/build.sh" "$preset" all

passed=0 failed=0 skipped=0
for suite in unit_tests gpu_tests gui_tests; do
  test=$root/build/$preset/bin/$suite
  if [[ ! -x $test ]]; then
    echo "== $suite: not built here (no CUDA Toolkit or no GUI): 1 skipped"
    skipped=$((skipped + 1))
    continue
  fi
  echo "== $suite"
  log=$(mktemp)
  status=0
  (cd "$root" && "$test" --no-path-filenames=true 2>&1) | tee "$log" || status=${PIPESTATUS[0]}
  counts=$(grep -a -E '^\[doctest\] test cases:' "$log" | tail -n 1 || true)
  rm -f "$log"
  if [[ -z $counts ]]; then
    echo "== $suite ended without a summary (exit $status)"
    failed=$((failed + 1))
    continue
  fi
  read -r p f s < <(sed -E 's/[^0-9]+/ /g' <<<"$counts" | awk '{print $2, $3, $4}')
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  if ((status != 0 && f == 0)); then failed=$((failed + 1)); fi
done

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
