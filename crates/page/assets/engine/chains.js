// Dreams: Gibbs chains in the top RBM, shown by one pass down (Hinton, Osindero & Teh 2006, section 7). The order of
// draws is that of crates/stack/src/generate.rs, so that the chains are those of `dbn sample` with the same seed.

import { Stream, Uniforms } from "./philox.js";
import { classAt, inputs, softmax, statesOf, toProbabilities, toStates } from "./products.js";

// Half-steps of Gibbs sampling that the program counts.
const HIDDEN = 1, PENULTIMATE = 2, LABEL = 3;

export class Chains {
  /**
   * `count` chains; with `labels`, one a chain, these are clamped, else the labels move too. Chains start at noise, or
   * at states drawn from `starts`: for each chain probabilities of the units under the top.
   */
  constructor(net, count, labels, seed, starts = null) {
    const units = net.sizes[net.depth - 1], hidden = net.sizes[net.depth];
    Object.assign(this, { net, count, seed, step: 0, clamped: labels !== null, temperature: 1, starts });
    this.x = { hidden: new Float32Array(hidden), penultimate: new Float32Array(units) };
    this.u = { hidden: new Float32Array(hidden), penultimate: new Float32Array(units) };
    this.hidden = this.states(hidden);
    this.penultimate = this.states(units);
    this.labels = labels ? Int32Array.from(labels) : new Int32Array(count);
    // Units that the viewer holds on or off: [unit, state] of the two levels.
    this.held = { hidden: [], penultimate: [] };
    const draw = this.draw();
    for (let chain = 0; chain < count; chain++) {
      draw.at(0, PENULTIMATE).fillRow(chain, this.u.penultimate);
      if (starts) toStates(starts[chain], this.u.penultimate, this.penultimate[chain]);
      else statesOf(net.top.down, this.u.penultimate, 1, this.penultimate[chain]);
      if (!labels && net.classes > 0) {
        this.labels[chain] = classAt(new Float64Array(net.classes).fill(1), draw.at(0, LABEL).one(chain, 0));
      }
    }
  }

  states(units) {
    return Array.from({ length: this.count }, () => new Uint8Array(units));
  }

  draw() {
    return new Uniforms(this.seed, Stream.picture, this.step);
  }

  /** One Gibbs step of every chain: top units, then those under them, then the label. */
  advance() {
    this.step++;
    const { net, x, u, temperature } = this, draw = this.draw();
    for (let chain = 0; chain < this.count; chain++) {
      const h = this.hidden[chain], pen = this.penultimate[chain];
      inputs(pen, net.top.rec, net.top.up, x.hidden);
      net.addLabel(x.hidden, this.labels[chain]);
      draw.at(0, HIDDEN).fillRow(chain, u.hidden);
      statesOf(x.hidden, u.hidden, temperature, h);
      for (const [unit, state] of this.held.hidden) h[unit] = state;
      inputs(h, net.top.gen, net.top.down, x.penultimate);
      draw.at(0, PENULTIMATE).fillRow(chain, u.penultimate);
      statesOf(x.penultimate, u.penultimate, temperature, pen);
      for (const [unit, state] of this.held.penultimate) pen[unit] = state;
      if (net.classes > 0 && !this.clamped) {
        const p = softmax(net.labelInputs(h), temperature);
        this.labels[chain] = classAt(p, draw.at(0, LABEL).one(chain, 0));
      }
    }
  }

  /** Probabilities of the pixels of one chain after a pass down with sampled hidden levels, as `dbn sample` shows. */
  show(chain) {
    const { net } = this;
    if (net.depth === 1) {
      // The units under the top are the pixels.
      if (this.step === 0 && this.starts) return Float32Array.from(this.penultimate[chain]);
      const p = new Float32Array(net.sizes[0]);
      if (this.step === 0) p.set(net.top.down);
      else inputs(this.hidden[chain], net.top.gen, net.top.down, p);
      return toProbabilities(p);
    }
    const draw = this.draw();
    let units = this.penultimate[chain];
    for (let l = net.depth - 2; l >= 0; l--) {
      const p = new Float32Array(net.sizes[l]);
      inputs(units, net.layers[l].gen, net.layers[l].down, p);
      toProbabilities(p);
      if (l === 0) return p;
      const u = new Float32Array(p.length);
      draw.at(l, 0).fillRow(chain, u);
      units = toStates(p, u, new Uint8Array(p.length));
    }
  }
}
