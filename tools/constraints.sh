#!/bin/sh
# Rewrites the pins of constraints.txt from what is installed, and keeps its header.
# Usage: sh tools/constraints.sh PYTHON
set -eu

python=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

"$python" -m pip freeze --all --exclude-editable \
    --exclude cleanplate --exclude pip --exclude uv >"$place/installed"
if grep ' @ ' "$place/installed" >&2; then
    echo "constraints: these came from a file or an address and cannot be pinned" >&2
    exit 1
fi

# Without local version suffixes the CPU build and the CUDA build of torch both meet the pin; what
# only the CUDA build brings is left out.
grep '^#' constraints.txt >"$place/constraints"
sed 's/+[A-Za-z0-9.]*$//' "$place/installed" |
    grep -v -i -E '^(nvidia|cuda|triton)' >>"$place/constraints"
cat "$place/constraints" >constraints.txt
