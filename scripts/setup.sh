#!/usr/bin/env bash
# Installs what building and running need on Debian and Ubuntu; elsewhere prints the list. Idempotent: with everything there it
# only looks, and calls no package manager. All output goes to standard error.
#   scripts/setup.sh           what scripts/run.sh needs
#   scripts/setup.sh --tests   also what scripts/test.sh and the checks need
set -euo pipefail
exec 1>&2

packages=(
  g++ cmake ninja-build git ca-certificates python3 python3-pip
  libglfw3-dev libopengl-dev libegl-dev libgl-dev libegl1 libgl1-mesa-dri
  libpng-dev libzip-dev zlib1g-dev libpcre2-dev libutf8proc-dev libfmt-dev nlohmann-json3-dev libcli11-dev libexpected-dev doctest-dev
)
if [[ "${1:-}" == "--tests" ]]; then packages+=(xvfb xauth clang-format clang-tidy); fi

fonts=fonts-wqy-microhei  # draws Chinese, Japanese and Korean; without it they are boxes, and nothing else is missing

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is no Debian or Ubuntu. Install these packages by your own means, then run scripts/run.sh again:"
  printf '  %s\n' "${packages[@]}" "$fonts"
  for tool in g++ cmake ninja python3; do
    command -v "$tool" >/dev/null || { echo "setup: $tool is missing"; exit 3; }
  done
  exit 0
fi

# dpkg-query fails where one of them is unknown to it.
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null | awk '$2=="installed"{print $1}' || true)
missing=()
for package in "${packages[@]}"; do
  grep -qx "$package" <<<"$installed" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then exit 0; fi  # the window says how to get the font

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: these packages are missing, and there is no sudo to install them: ${missing[*]}"
    echo "setup: as root run: apt-get install ${missing[*]}"
    exit 3
  fi
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
install() {
  echo "setup: installing $*"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
install "${missing[@]}"
(install "$fonts") || echo "setup: went on without $fonts"
