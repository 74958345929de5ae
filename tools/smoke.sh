#!/bin/sh
# Builds the wheel, installs it into a clean environment outside the checkout, and uses it there
# as someone would who never saw the sources. Usage: sh tools/smoke.sh PYTHON
set -eu

checkout=$(pwd -P)
python=$checkout/$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'exit 1' HUP INT TERM
place=$(cd "$place" && pwd -P)
case $place/ in
"$checkout"/*)
    echo "smoke: $place lies inside the checkout; set TMPDIR to a folder outside it" >&2
    exit 1
    ;;
esac

# step WHAT COMMAND...: says what it does, and shows the command's output only if it fails.
step() {
    echo "smoke: $1"
    what=$1
    shift
    "$@" >"$place/log" 2>&1 || {
        cat "$place/log" >&2
        echo "smoke: failed: $what" >&2
        exit 1
    }
}

unset PYTHONPATH
# The copy, because pip takes a space in this variable for the start of another file.
cp constraints.txt "$place/constraints.txt"
export PIP_CONSTRAINT="$place/constraints.txt" PIP_DISABLE_PIP_VERSION_CHECK=1
bin=$place/venv/bin

step "build the source archive, and the wheel from it" \
    "$python" -m build --outdir "$place/dist" "$checkout"
step "make a clean environment" "$python" -m venv "$place/venv"
step "install torch" "$bin/python" -m pip install torch
step "install the wheel" "$bin/python" -m pip install "$place"/dist/*.whl
step "pip check" "$bin/python" -m pip check

mkdir "$place/elsewhere"
cd "$place/elsewhere"
step "the package is the installed one, with its types" "$bin/python" -c "
import pathlib, sys
import cleanplate
here = pathlib.Path(cleanplate.__file__).resolve()
assert here.is_relative_to(pathlib.Path(sys.prefix).resolve()), f'imported from {here}'
assert here.with_name('py.typed').is_file(), 'py.typed is not in the wheel'
"
step "cleanplate --version" "$bin/cleanplate" --version
step "cleanplate --help" "$bin/cleanplate" --help
step "cleanplate methods" "$bin/cleanplate" methods
step "cleanplate doctor" "$bin/cleanplate" doctor
step "cleanplate demo: paint a clip, learn its scene, segment it" \
    "$bin/cleanplate" demo --out made --seconds 4
step "the demo left something to look at" \
    test -n "$(find made -type f -size +0 2>/dev/null | head -n 1)"
echo "smoke: the installed wheel works"
