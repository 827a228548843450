#!/usr/bin/env bash
# How long a model takes to open, from the program's start to its first token, beside how fast its file can be read in the
# same minutes: with the file evicted from the system's page cache (no root: dd advises that it is not needed), and cached.
#
#   scripts/measure_opening.sh FOLDER [TIMES] [OPTION...]   the options go to `mambascope step`, such as --backend cuda
#   MAMBASCOPE names the program (default: build/release/bin/mambascope)
set -euo pipefail
if (($# < 1)) || [[ ! -d $1 ]]; then
  echo "Give the folder of a model: scripts/measure_opening.sh FOLDER [TIMES] [--backend cuda]" >&2
  exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${MAMBASCOPE:-$root/build/release/bin/mambascope}
folder=$1 times=3
shift
if [[ ${1:-} =~ ^[0-9]+$ ]]; then times=$1; shift; fi
shopt -s nullglob
files=("$folder"/*.safetensors "$folder"/*.bin)
if ((${#files[@]} == 0)); then
  echo "$folder holds no .safetensors and no .bin." >&2
  exit 2
fi
bytes=$(stat --dereference --format %s "${files[@]}" | awk "{ sum += \$1 } END { printf \"%d\", sum }")

evict() {
  sync "${files[@]}"
  for file in "${files[@]}"; do dd if="$file" iflag=nocache count=0 status=none; done
}
# Bytes of the files that are in the page cache; -1 where fincore (util-linux) is not there to tell.
cached() {
  if ! command -v fincore >/dev/null; then echo -1; return; fi
  fincore --bytes --noheadings --output RES "${files[@]}" | awk '{ sum += $1 } END { print sum + 0 }'
}
seconds_of() {
  local start=$EPOCHREALTIME
  "$@" >/dev/null
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }'
}
read_all() { for file in "${files[@]}"; do dd if="$file" of=/dev/null bs=8M status=none; done; }
first_token() {
  "$program" step "$folder" --tokens 1 --json "$@" |
    awk -F'[:,]' '/"start_to_first_token_ms"/ { printf "%.3f", $2 / 1000; exit }'
}
row() { # what, seconds, bytes that were cached before
  awk -v w="$1" -v s="$2" -v b="$bytes" -v c="$3" \
    'BEGIN { printf "%-28s %8.3f s  %7.2f GB/s", w, s, b / s / 1e9
             if (c >= 0) printf "  %5.1f %% of the file cached before", 100 * c / b
             print "" }'
}

printf '%s: %d bytes in %d file(s)\n' "$folder" "$bytes" "${#files[@]}"
for ((i = 0; i < times; ++i)); do
  evict
  before=$(cached)
  row "evicted, read by dd" "$(seconds_of read_all)" "$before"
  evict
  before=$(cached)
  row "evicted, first token" "$(first_token "$@")" "$before"
  before=$(cached)
  row "opened again, first token" "$(first_token "$@")" "$before"
  before=$(cached)
  row "cached, read by dd" "$(seconds_of read_all)" "$before"
done
