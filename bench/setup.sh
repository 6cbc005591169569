#!/usr/bin/env bash
# One virtual environment per family of peers under $BENCH_HOME (default: .bench beside this folder).
# PYTHON must be 3.12 or newer: rbms needs it. About 8 GB.
set -euo pipefail
home=${BENCH_HOME:-$(cd "$(dirname "$0")/.." && pwd)/.bench}
python=${PYTHON:-python3.12}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || {
    echo "setup.sh: '$python' does not run, or is older than Python 3.12; name one with PYTHON=/path/to/python" >&2
    exit 2
}

environment() {
    local name=$1
    shift
    [ -x "$home/venv-$name/bin/python" ] || "$python" -m venv "$home/venv-$name"
    "$home/venv-$name/bin/pip" install --quiet --disable-pip-version-check "$@" threadpoolctl
}

mkdir -p "$home"
environment np numpy
environment sklearn scikit-learn
environment jax jax
environment tf tensorflow-cpu
environment torch torch learnergy rbms
