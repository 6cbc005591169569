# `just` lists these; get it with `cargo install just` or `pip install rust-just`.

export DBN_PYTHON := env("DBN_PYTHON", if path_exists(".venv/bin/python") == "true" { justfile_directory() / ".venv/bin/python" } else { "python3" })

target := env("CARGO_TARGET_DIR", "target")

_default:
    @just --list --unsorted

# Train one RBM on the embedded MNIST with the recipe models/mnist-rbm.toml.
pretrain *ARGS:
    cargo run --release -- pretrain {{ ARGS }}

# Train a deep belief net on the embedded MNIST with the recipe models/mnist-dbn.toml.
stack *ARGS:
    cargo run --release -- stack {{ ARGS }}

# Tune the shipped deep belief net by wake-sleep with the recipe models/mnist-dbn-tune.toml.
tune CKPT="models/mnist-dbn.safetensors" *ARGS:
    cargo run --release -- tune {{ CKPT }} {{ ARGS }}

# Make dbn and dbn-hub with every reader, and an archive with completions and manual pages, in the folder dist under the target folder.
dist *ARGS:
    scripts/dist {{ ARGS }}

# Install dbn and dbn-hub where cargo puts programs.
install:
    cargo install --locked --profile dist --path crates/cli --features full
    cargo install --locked --profile dist --path crates/dbn-hub

# Set up NVIDIA's compiler and libraries from PyPI in .cuda: no toolkit and no GPU are needed to build.
cuda-toolchain:
    scripts/cuda-toolchain

# Check the code that only builds with CUDA.
check-cuda: (with-cuda "cargo clippy --release --workspace --all-targets --features " + cuda-features + " -- -D warnings")

# Make one stripped binary that runs on the CPU and on NVIDIA GPUs, target/cuda/dist/dbn.
build-cuda: (with-cuda "cargo build --release -p deepbelief-cli --features cuda")
    mkdir -p target/cuda/dist
    strip -o target/cuda/dist/dbn target/cuda/release/dbn
    @ls -lh target/cuda/dist/dbn

# What scripts/gpu-check runs, in target/gpu.
gpu-programs: (with-cuda "scripts/gpu-programs " + cuda-features)

# Everything that needs a GPU, in one JSON file: see scripts/gpu-check.
gpu-check *ARGS:
    scripts/gpu-check {{ ARGS }}

cuda-features := "deepbelief-cli/cuda,deepbelief-kernels/cuda,deepbelief-rbm/cuda,deepbelief-finetune/cuda"

# The toolkit in .cuda if it is there, else the one of CUDA_HOME. PTX of compute capability 8.0 runs on every
# GPU since Ampere; a build folder of its own keeps the features apart.
[private]
with-cuda COMMAND:
    @export CUDA_COMPUTE_CAP="${CUDA_COMPUTE_CAP:-80}" CARGO_TARGET_DIR="$PWD/target/cuda"; \
    if [ -d .cuda/toolkit ]; then \
        export CUDA_HOME="$PWD/.cuda/toolkit" NVCC="$PWD/.cuda/toolkit/bin/nvcc"; \
        export PATH="$CUDA_HOME/bin:$PATH" RUSTFLAGS="${RUSTFLAGS:-} -L native=$PWD/.cuda/link"; \
    fi; \
    {{ COMMAND }}

# Run all tests.
test:
    cargo test --workspace

# With a release program: cargo test --release -p deepbelief-cli --test end_to_end -- --ignored
# Tests that take minutes or depend on the speed of the machine: the recipes of models/, kills and saves by the clock.
test-slow:
    cargo test --workspace --test end_to_end -- --ignored

# Test what `dbn page` writes in a headless Chromium, which is installed if it is missing.
page-test *ARGS:
    scripts/page-test {{ ARGS }}

# Train on several ranks with Open MPI and MPICH, which are installed if they are missing, and compare every byte.
mpi-test *ARGS:
    scripts/mpi-test {{ ARGS }}

# Everything that CI runs, and what `just deny` checks.
ready: deny
    .ci/run

# Licences, banned crates and sources of all that is built in, as deny.toml says; needs no network.
deny:
    @if cargo deny --version >/dev/null 2>&1; then \
        cargo deny --offline check licenses bans sources; \
    else \
        echo 'cargo-deny is not installed: cargo install --locked cargo-deny'; \
        exit 1; \
    fi

# Mutated files through every reader of files (see tests/FUZZ.md).
fuzz *ARGS="--executions 100000":
    cd fuzz && cargo build --release && (ulimit -v 2000000; exec target/release/run {{ ARGS }})

# Train a small model for two hours and see whether its memory grows.
soak *ARGS:
    cargo build --release -p deepbelief-cli
    scripts/soak {{ ARGS }}

# Format, clippy and rustdoc, warnings denied.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Open the library documentation.
doc:
    cargo doc --workspace --no-deps --open

# Build the book of docs/ into docs/book; `just docs serve --open` shows it while you write.
docs *ARGS:
    scripts/docs {{ ARGS }}

# Write the pages of the book that are made from the program: options and figures.
docs-update:
    UPDATE_DOCS=1 cargo test -q -p deepbelief-cli --lib the_page_of

# Build the Python package, install it into a bare environment and run its tests.
python-test *ARGS:
    scripts/python-test {{ ARGS }}

# A virtual environment with what the Python cross-checks need.
python:
    python3 -m venv .venv
    .venv/bin/pip install --quiet numpy safetensors

# Hold imported models against the packages they come from, which go into .venv-import.
verify-import *ARGS:
    cargo build
    python3 tests/verify_import.py {{ ARGS }}

# Hold models of other than Bernoulli units against rbms, and against the formulas of other programs.
verify-units *ARGS:
    cargo build
    python3 tests/verify_units.py {{ ARGS }}

# Time the training step and its parts against tensors and dense products.
bench *ARGS:
    cargo bench -p deepbelief-rbm {{ ARGS }}

# Time this and other software on the same work: DATA is a folder of MNIST IDX files (see bench/README.md).
bench-peers DATA *ARGS:
    cargo build --release -p deepbelief-rbm --example bench_cd
    bench/setup.sh
    python3 bench/peers.py --ours target/release/examples/bench_cd --data {{ DATA }} {{ ARGS }}

# Run the kernels' tests under valgrind (the crate with the unsafe code).
valgrind:
    cargo test -p deepbelief-kernels --no-run
    valgrind --quiet --error-exitcode=9 $(cargo test -p deepbelief-kernels --no-run --message-format short 2>&1 | sed -n 's/.*(\(.*\))/\1/p' | head -1)
