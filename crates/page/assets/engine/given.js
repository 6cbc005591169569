// A table: some columns are given, and Gibbs chains draw the others, to see how they are then distributed.
//
// A column's units take inputs x from the layer above, biases among them: a binary one is on with 1 / (1 + exp(-x)), a
// spin is 1 with that of 2 x, one level of a category is on with exp(x) over their sum (which holds of categorical units,
// and of independent ones of which exactly one is on), a Gaussian number has mean x / g and variance 1 / g. See
// crates/rbm/src/units.

import { Stream, Uniforms } from "./philox.js";
import { classAt, inputs, sigmoid, softmax, toProbabilities, toStates } from "./products.js";

/** Bars of a histogram of numbers. */
export const BARS = 30;

/** A normal number from two uniforms (Box & Muller 1958). */
function normal(u, w) {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * w);
}

export class Given {
  /** `given`: values of units by column number; `label`: a class, or -1. */
  constructor(net, given, label, { seed, chains }) {
    const { columns, hidden } = net.header;
    Object.assign(this, { net, given, columns, kinds: hidden, chains, seed, clamped: label, step: 0, draws: 0 });
    this.rows = Array.from({ length: chains }, (_, chain) => this.start(chain));
    this.shares = columns.map((column) => new Float64Array(column.levels?.length ?? BARS));
    this.moments = columns.map(() => [0, 0]);
    this.labels = new Float64Array(net.classes);
  }

  uniforms(count, layer, chain) {
    const u = new Float32Array(count);
    new Uniforms(this.seed, Stream.user, this.step).at(layer, 0).fillRow(chain, u);
    return u;
  }

  /** A row that knows what is given, and of the rest what the biases say. */
  start(chain) {
    const row = new Float32Array(this.net.sizes[0]);
    this.draw(row, this.net.layers[0].down, chain);
    return row;
  }

  /** Draws the free columns from inputs, and puts the given ones in. Returns what each column's chances were. */
  draw(row, x, chain) {
    const units = row.length, u = this.uniforms(2 * units, 255, chain), { columns, given, net } = this;
    return columns.map((column, number) => {
      const { at, kind, size } = column, held = given[number];
      if (held) {
        row.set(held, at);
        return null;
      }
      if (kind === "categorical") {
        const chances = softmax(x.subarray(at, at + size)), level = classAt(chances, u[at]);
        for (let i = 0; i < size; i++) row[at + i] = i === level ? 1 : 0;
        return chances;
      }
      if (kind === "number") {
        const g = Math.exp(net.precisions?.[at] ?? 0);
        row[at] = x[at] / g + normal(u[at], u[units + at]) / Math.sqrt(g);
        return row[at];
      }
      const p = sigmoid(kind === "spin" ? 2 * x[at] : x[at]), on = u[at] < p;
      row[at] = on ? 1 : kind === "spin" ? -1 : 0;
      return kind === "probability" ? p : [1 - p, p];
    });
  }

  /** States of the top units, whatever they are. */
  top(x, u, w) {
    const states = new Float32Array(x.length), precisions = this.net.topPrecisions;
    let at = 0;
    for (const { kind, sites } of this.kinds) {
      for (const end = at + sites; at < end; at++) {
        if (kind === "gaussian") {
          const g = Math.exp(precisions?.[at] ?? 0);
          states[at] = x[at] / g + normal(u[at], w[at]) / Math.sqrt(g);
        } else if (kind === "spin") {
          states[at] = u[at] < sigmoid(2 * x[at]) ? 1 : -1;
        } else {
          states[at] = u[at] < sigmoid(x[at]) ? 1 : 0;
        }
      }
    }
    return states;
  }

  /** One step of every chain: up, at the top, and down. `counts`: whether it is counted. */
  advance(counts) {
    this.step++;
    const { net } = this, below = net.depth - 1;
    const way = (units, weights, bias) => {
      const x = new Float32Array(bias.length);
      inputs(units, weights, bias, x);
      return x;
    };
    this.rows.forEach((row, chain) => {
      const sampled = (x, layer) => toStates(toProbabilities(x), this.uniforms(x.length, layer, chain), new Uint8Array(x.length));
      let units = row;
      for (let l = 0; l < below; l++) units = sampled(way(units, net.layers[l].rec, net.layers[l].up), l);
      const x = net.topInputs(units);
      if (net.classes > 0) {
        const chances = softmax(net.labelScores(x));
        const label = this.clamped >= 0 ? this.clamped : classAt(chances, this.uniforms(1, below + 1, chain)[0]);
        net.addLabel(x, label);
        if (counts) chances.forEach((p, y) => (this.labels[y] += p));
      }
      units = this.top(x, this.uniforms(x.length, below, chain), this.uniforms(x.length, below + 100, chain));
      for (let l = below; l > 0; l--) units = sampled(way(units, net.layers[l].gen, net.layers[l].down), below + 2 + l);
      const chances = this.draw(row, way(units, net.layers[0].gen, net.layers[0].down), chain);
      if (counts) chances.forEach((chance, number) => this.count(number, chance));
    });
    if (counts) this.draws += this.chains;
  }

  count(number, chance) {
    if (chance === null) return;
    const shares = this.shares[number];
    if (typeof chance !== "number") {
      chance.forEach((p, level) => (shares[level] += p));
      return;
    }
    const { low, high } = this.columns[number], bar = Math.floor(((chance - low) / (high - low)) * BARS);
    shares[Math.min(BARS - 1, Math.max(0, bar))]++;
    this.moments[number][0] += chance;
    this.moments[number][1] += chance * chance;
  }

  /** Shares of levels and bars, means and deviations of numbers in the units of the model, and of labels. */
  result() {
    const { draws } = this;
    return {
      draws,
      shares: this.shares.map((shares) => Array.from(shares, (share) => share / draws)),
      moments: this.moments.map(([sum, squares]) => {
        const mean = sum / draws;
        return { mean, deviation: Math.sqrt(Math.max(0, squares / draws - mean * mean)) };
      }),
      labels: Array.from(this.labels, (p) => p / draws),
    };
  }
}
