#!/usr/bin/env python3
"""How fast a large CSV file is read and looked at, beside polars.

    python3 bench/csv_speed.py [--dbn target/release/dbn] [--rows 1000000] [--columns 100]     (needs numpy, polars)

Writes a table of numbers with a header, half of its columns whole and half with four decimals. `dbn check`, which reads the
file, infers what each column is and examines all values, and `polars.read_csv`, which parses it, take turns, each in a
process of its own with all cores; the file is in the page cache for both. Medians of the rounds: seconds of a clock, which
other work lengthens, and of the processors. Polars takes as long to start as Python does to import it, which is shown by
itself. And the largest resident memory of each process.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

ROWS_AT_ONCE = 20_000


def write(path, rows, columns):
    """A header and rows of pseudo-random numbers."""
    random = numpy.random.default_rng(1)
    kinds = ["%d" if column % 2 else "%.4f" for column in range(columns)]
    with open(path, "w") as file:
        file.write(",".join(f"c{column}" for column in range(columns)) + "\n")
        for first in range(0, rows, ROWS_AT_ONCE):
            values = random.random((min(ROWS_AT_ONCE, rows - first), columns))
            values[:, 1::2] = (1000 * values[:, 1::2]).astype(int)
            numpy.savetxt(file, values, fmt=kinds, delimiter=",")


def run(words):
    """Seconds of a clock and of the processors, and the largest resident memory, in MB, of a process."""
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    # `dbn check` ends with 1 where it finds something to tell of the data.
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(message.decode())
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place) / "large.csv"
        write(path, args.rows, args.columns)
        size = path.stat().st_size / 1e6
        print(f"{args.rows:,} rows, {args.columns} columns, {size:.0f} MB")
        contestants = {
            "import polars": [sys.executable, "-c", "import polars"],
            "polars.read_csv": [sys.executable, "-c", f"import polars; polars.read_csv({str(path)!r})"],
            "dbn check": [pathlib.Path(args.dbn).resolve(), "check", f"csv:{path}"],
        }
        found = {name: [] for name in contestants}
        for _ in range(args.rounds):
            for name, words in contestants.items():
                found[name].append(run(words))
        medians = {name: [statistics.median(figures) for figures in zip(*runs)] for name, runs in found.items()}
        for name, (clock, processors, _) in medians.items():
            most = max(memory for _, _, memory in found[name])
            print(f"{name:16} {clock:7.1f} s {processors:7.1f} s of processors {most:8,.0f} MB resident")
        (start, began, _), (theirs, busy, _), (ours, used, _) = medians.values()
        print(f"dbn check takes {ours / theirs:.2f} times as long, {used / busy:.2f} times the processors' time;")
        print(f"without the import {ours / (theirs - start):.2f} and {used / (busy - began):.2f} times")


main()
