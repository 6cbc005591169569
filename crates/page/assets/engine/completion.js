// Completion: what is missing in a picture is drawn given the rest, by passes up through the net, a Gibbs step at the
// top and a pass down. The numbers are those of the first chain of `dbn impute` (crates/stack/src/complete.rs), which
// starts from what the file has where a value is missing.

import { Stream, Uniforms } from "./philox.js";
import { classAt, inputs, sigmoid, softmax, softplus, toProbabilities, toStates } from "./products.js";

// The place of the pixels' random numbers among the layers, and how many steps the program counts.
const LAST = 255;
export const MOST_STEPS = 60000;

export class Completion {
  /**
   * `pixels` with values in [0, 1] and `missing`, 1 where a pixel has none. `probabilities`: whether a chain puts the
   * probability of a missing pixel where it is missing, as training did, or its state. `label`: clamped, or -1.
   */
  constructor(net, pixels, missing, { seed, probabilities, label }) {
    Object.assign(this, { net, missing, seed, probabilities, clamped: label, step: 0, label });
    // What is missing starts as noise, so that nothing is said of it.
    const noise = new Float32Array(pixels.length);
    new Uniforms(seed, Stream.user, 0).fillRow(0, noise);
    this.pixels = Float32Array.from(pixels, (value, i) => (missing[i] ? Math.round(noise[i]) : value));
    this.shown = Float32Array.from(this.pixels);
  }

  /** One pass up, a step at the top, and one down. */
  advance() {
    const { net, missing } = this;
    const draw = new Uniforms(this.seed, Stream.missing, 0), below = net.depth - 1, halfStep = this.step;
    const sampled = (p, layer) => {
      const u = new Float32Array(p.length);
      draw.at(layer, halfStep).fillRow(0, u);
      return toStates(p, u, new Uint8Array(p.length));
    };
    const way = (units, weights, bias) => {
      const p = new Float32Array(bias.length);
      inputs(units, weights, bias, p);
      return p;
    };
    let units = this.pixels;
    for (let l = 0; l < below; l++) units = sampled(toProbabilities(way(units, net.layers[l].rec, net.layers[l].up)), l);
    const x = net.topInputs(units);
    if (net.classes > 0) {
      const u = draw.at(below + 1, halfStep).one(0, 0);
      this.label = this.clamped >= 0 ? this.clamped : classAt(softmax(net.labelScores(x)), u);
      net.addLabel(x, this.label);
    }
    units = sampled(toProbabilities(x), below);
    for (let l = below; l > 0; l--) {
      // The units under the top come last among the layers' numbers.
      const p = toProbabilities(way(units, net.layers[l].gen, net.layers[l].down));
      units = sampled(p, l === 1 ? below + 2 : l - 1 + below + 2);
    }
    const p = toProbabilities(way(units, net.layers[0].gen, net.layers[0].down));
    const u = new Float32Array(p.length);
    draw.at(LAST, halfStep).fillRow(0, u);
    for (let i = 0; i < p.length; i++) {
      if (!missing[i]) continue;
      this.pixels[i] = this.probabilities ? p[i] : u[i] < p[i] ? 1 : 0;
      this.shown[i] = p[i];
    }
    this.step++;
  }

  /**
   * How improbable the net finds the picture: minus the mean of ln w of crates/stack/src/bound.rs, whose ln Z is left
   * out. Of an RBM it is its free energy; of a deeper net a bound, of `draws` passes up.
   */
  freeEnergy(draws = 8) {
    const { net } = this, count = net.depth === 1 ? 1 : draws;
    let sum = 0;
    for (let number = 0; number < count; number++) sum += this.energyOfDraw(number);
    return sum / count;
  }

  energyOfDraw(number) {
    const { net } = this, draw = new Uniforms(this.seed, Stream.user, this.step);
    let below = this.shown, energy = 0;
    for (let l = 0; l < net.depth - 1; l++) {
      const { rec, gen, up, down } = net.layers[l];
      const x = new Float32Array(up.length), u = new Float32Array(up.length), above = new Uint8Array(up.length);
      inputs(below, rec, up, x);
      draw.at(l, number).fillRow(0, u);
      for (let j = 0; j < x.length; j++) above[j] = u[j] < sigmoid(x[j]) ? 1 : 0;
      const back = new Float32Array(down.length);
      inputs(above, gen, down, back);
      energy += logProbability(above, x) - logProbability(below, back);
      below = above;
    }
    return energy + net.topFreeEnergy(below);
  }
}

/** ln p of states, or of the values of pixels, under independent units with these inputs. */
function logProbability(states, x) {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += states[j] * x[j] - softplus(x[j]);
  return sum;
}
