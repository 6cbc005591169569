"""The command `dbn`, which the package carries."""

from __future__ import annotations

import sys

from deepbelief import _deepbelief


def main() -> None:
    """Run `dbn` with the arguments of this process."""
    sys.exit(_deepbelief.program(["dbn", *sys.argv[1:]]))
