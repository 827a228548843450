#!/usr/bin/env bash
# Records the profiles that the program ships with (assets/profiles), on a machine with an NVIDIA GPU: siso-1.5b and mimo-1.5b,
# staged and fused, kernel by kernel and as one CUDA graph, with samples of the hardware over some tokens and, kernel by kernel,
# with counters; and siso-187m at ranks 1, 2, 4, 8, at batch 1 and 128. Each is opened again before it counts as recorded: with
# CUPTI's times, tokens that count from 0, and the samples and counters that were asked for. One that fails leaves the others.
# Prints a table; exits 0 when all were recorded, 1 when some were not, 3 without a GPU.
#
#   scripts/record_profiles.sh OUTDIR
#   MAMBASCOPE     the program (default: build/release/bin/mambascope, then build/ci/bin/mambascope)
#   STEPS          steps of each model (72); RANK_STEPS, of each rank (40): all together a few hundred kB
#   LIMIT          seconds that one recording may take (60)
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: scripts/record_profiles.sh OUTDIR}
steps=${STEPS:-72} rank_steps=${RANK_STEPS:-40} limit=${LIMIT:-60}
program=${MAMBASCOPE:-}
for candidate in "$root/build/release/bin/mambascope" "$root/build/ci/bin/mambascope"; do
  if [[ -z $program && -x $candidate ]]; then program=$candidate; fi
done
if [[ ! -x $program ]]; then
  echo "No program: build it (scripts/build.sh release mambascope), or name it in MAMBASCOPE." >&2
  exit 3
fi
if ! nvidia-smi -L; then
  echo "No NVIDIA GPU answers here (nvidia-smi failed): nothing to record." >&2
  exit 3
fi
mkdir -p "$out" || exit 3
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
rows=() failed=0

# An object of the JSON that was printed, which says whether it is there: lacks NAME.
lacks() { ! grep -A1 "^  \"$1\": {" "$logs/json" | grep -q '"available": true'; }
# First token of the CSV that was exported.
first_token() { awk -F, '!/^#/ && $1 != "token" { print $1; exit }' "$logs/csv"; }

# record NAME OPTION...: profiles into OUTDIR/NAME.profile; what does not open again as it should be is removed.
record() {
  local name=$1 file=$out/$1.profile start=$SECONDS verdict=recorded
  shift
  rm -f "$file"
  if ! timeout "$limit" "$program" profile --backend cuda --save "$file" "$@" >"$logs/out" 2>"$logs/err"; then
    verdict="FAILED: $(tail -n 1 "$logs/err")"
  elif ! "$program" profile --open "$file" --json --csv "$logs/csv" >"$logs/json" 2>"$logs/err"; then
    verdict="FAILED to open: $(tail -n 1 "$logs/err")"
  elif ! grep -qE '"(time_)?source": "cupti"' "$logs/json"; then
    verdict="FAILED: no times of CUPTI ($(grep -m1 -oE '"reason": "[^"]*"' "$logs/json"))"
  elif [[ " $* " == *" --pm-sampling "* ]] && lacks samples; then
    verdict="FAILED: $(grep -m1 '^samples ' "$logs/out" || echo "no samples")"
  elif [[ " $* " == *" --counters "* ]] && lacks counters; then
    verdict="FAILED: $(grep -m1 '^counters ' "$logs/out" || echo "no counters")"
  elif [[ " $* " != *" --ranks "* && $(first_token) != 0 ]]; then
    verdict="FAILED: its tokens count from $(first_token)"
  fi
  if [[ $verdict != recorded ]]; then
    failed=$((failed + 1))
    rm -f "$file"
  fi
  rows+=("$(printf '%-28s %4d s %8s  %s' "$name" $((SECONDS - start)) "$(stat -c %s "$file" 2>/dev/null || echo -)" "$verdict")")
  echo "${rows[-1]}"
}

for preset in siso-1.5b mimo-1.5b; do
  for variant in staged fused; do
    for graph in off on; do
      counters=(--pm-sampling)
      if [[ $graph == off ]]; then counters+=(--counters); fi  # counted kernel by kernel, either way
      record "$preset-$variant$([[ $graph == on ]] && echo -graph)" --preset "$preset" --variant "$variant" --graph "$graph" \
        --steps "$steps" "${counters[@]}"
    done
  done
done
ranks=(--preset siso-187m --ranks 1,2,4,8 --graph off --steps "$rank_steps")
record ranks-187m-fused "${ranks[@]}" --variant fused
record ranks-187m-fused-batch128 "${ranks[@]}" --variant fused --batch 128
record ranks-187m-staged "${ranks[@]}" --variant staged

echo
echo "$((${#rows[@]} - failed)) of ${#rows[@]} recorded in $SECONDS s, $(cat "$out"/*.profile 2>/dev/null | wc -c) bytes in $out"
((failed == 0))
