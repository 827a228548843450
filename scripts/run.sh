#!/usr/bin/env bash
# Sets up, builds and runs Mambascope; arguments are passed on, paths in them relative to where you stand.
# Without arguments: the window on the built-in trained model. Without a display: renders offscreen, steps that model 64 tokens, and
# writes a screenshot, a summary and a trace to output/ in this checkout.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$root/build/release/bin/mambascope

stamp=$root/build/release/.set-up
if [[ ! -f $stamp || $root/scripts/setup.sh -nt $stamp ]]; then
  "$root/scripts/setup.sh"
  mkdir -p "$(dirname "$stamp")"
  touch "$stamp"
fi
"$root/scripts/build.sh" release mambascope

if (($# == 0)) && [[ -z "${DISPLAY:-}" && -z "${WAYLAND_DISPLAY:-}" ]]; then
  mkdir -p "$root/output"
  exec "$program" gui parity --offscreen --steps 64 --screenshot "$root/output/screenshot.png" \
    --summary "$root/output/summary.json" --trace "$root/output/trace.json"
fi
exec "$program" "$@"
