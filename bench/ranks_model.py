#!/usr/bin/env python3
"""How fast many ranks would be: the LogGP model of one all-reduce a step, with compute times measured on this machine.

`bench/ranks_model.py --rate R`, where R is the samples a second that one rank learns with exact sums (`bench/ranks.py`).
The compute time of a rank is its rows over R, scaled by the number of weights: what a rank does of its own does not depend
on the others. Beside it each step costs an all-reduce. The update of all weights, which no rank shares, is left out: with
it the shares would be higher, as it takes as long on one rank.

All-reduce of m bytes over P ranks (Thakur, Rabenseifner & Gropp, Int. J. High Perform. Comput. Appl. 19:49, 2005), the
better of

    recursive doubling      ceil(log2 P) (L + m G + m g)
    reduce-scatter, gather  2 ceil(log2 P) L + 2 m G (P - 1) / P + m g (P - 1) / P

with latency L of a message, its overheads among it, time G a byte, and g the time to add a byte up (`--adding`; an
assumption, of memory that moves 8 GB a second). LogGP: Alexandrov,
Ionescu, Schauser & Scheiman, SPAA 1995.

Annealing (`dbn eval`) and sampling split the chains. In a Gibbs step of an RBM the ranks add up a few counts twice, one for
each product with the weights: 2 ceil(log2 P) L, whatever the size of the layers. `--chain-step S` is the seconds in which
one rank takes one chain through one step, annealing included: the seconds of `dbn eval` with more temperatures less those
with fewer, over chains, further temperatures and directions.

Networks, as they are published; neither has been measured here.

| network | L | G |
|---|---|---|
| 10 GbE, TCP | 20 us: twice the 10 us, program to program, that Larsen, Sarangam, Huggahalli & Kulkarni found at best (Int. J. Parallel Program. 37:556, 2009) | 10 Gb/s, the line |
| 100 Gb/s InfiniBand | 1.5 us (MVAPICH-Aptus, Ohio State University, 2008) | 100 Gb/s, the line |

R is of one rank as it is started: of a rank of 16 threads it is larger, and so are the rows that it wants.
"""

import argparse
import math

NETWORKS = {"10 GbE": (20e-6, 8 / 10e9), "100 Gb/s": (1.5e-6, 8 / 100e9)}
LAYERS = ((784, 500), (784, 2_000), (2_000, 2_000))
ROWS = (64, 256, 1_024, 4_096, 16_384)
CHAINS = (1, 10, 100, 1_000)
RANKS = (2, 4, 8, 16, 32, 64)


def all_reduce(ranks, size, latency, per_byte, adding):
    if ranks == 1:
        return 0.0
    rounds = math.ceil(math.log2(ranks))
    share = (ranks - 1) / ranks
    doubling = rounds * (latency + size * (per_byte + adding))
    halving = 2 * rounds * latency + share * size * (2 * per_byte + adding)
    return min(doubling, halving)


def efficiency(weights, rows, ranks, args, network):
    """Speed a rank, as a share of that of one rank with as many rows."""
    latency, per_byte = NETWORKS[network]
    compute = rows * weights / (784 * 500) / args.rate
    talk = all_reduce(ranks, 4 * weights, latency, per_byte, args.adding)
    return compute / (compute + talk)


def least(share, wanted=0.9):
    """The smallest number for which `share` of it is as wanted."""
    low, high = 1, 1 << 30
    while low < high:
        middle = (low + high) // 2
        if share(middle) >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


def chains_efficiency(chains, ranks, args, network):
    """Gibbs steps a rank, as a share of those of one rank with as many chains."""
    compute = chains * args.chain_step
    return compute / (compute + 2 * math.ceil(math.log2(ranks)) * NETWORKS[network][0])


def print_shares(head, rows):
    print(head + " | ".join(map(str, RANKS)) + " |")
    print("|---" * (head.count("|") - 1 + len(RANKS)) + "|")
    for name, shares in rows:
        print(f"| {name} | " + " | ".join(f"{share:.2f}" for share in shares) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, required=True, help="samples a second of a rank, 784 x 500")
    parser.add_argument("--adding", type=float, default=1 / 8e9, help="seconds to add a byte up")
    parser.add_argument("--chain-step", type=float, help="seconds of a chain's Gibbs step on one rank")
    args = parser.parse_args()
    for network in NETWORKS:
        print(f"\n{network}: efficiency at rows a rank, on {', '.join(map(str, RANKS))} ranks\n")
        cells = [(v * h, f"{v} x {h} | {rows:,}", rows) for v, h in LAYERS for rows in ROWS]
        shares = [(name, [efficiency(w, rows, r, args, network) for r in RANKS]) for w, name, rows in cells]
        print_shares("| layer | rows a rank | ", shares)
        wanted = [(least(lambda n, w=v * h: efficiency(w, n, 64, args, network)), f"{v} x {h}") for v, h in LAYERS]
        print(f"\n90 % at 64 ranks from so many rows a rank: {', '.join(f'{n:,} ({layer})' for n, layer in wanted)}")
        if args.chain_step:
            print(f"\n{network}: annealing and sampling, efficiency at chains a rank\n")
            shares = [(f"{n:,}", [chains_efficiency(n, r, args, network) for r in RANKS]) for n in CHAINS]
            print_shares("| chains a rank | ", shares)
            print(f"\n90 % at 64 ranks from {least(lambda n: chains_efficiency(n, 64, args, network)):,} chains a rank")


if __name__ == "__main__":
    main()
