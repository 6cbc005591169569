// The deep belief net: directed layers under the top RBM (Hinton, Osindero & Teh 2006), as crates/stack/src/dbn.rs.
//
//   p(v, h1, ..., hN) = p(v | h1) p(h1 | h2) ... p(hN-1, hN)
//
// A layer of weights has `rec` [below, above] for the way up and `gen` [above, below] for the way down, the biases `up`
// of the units above and `down` of those below. Level l of units: 0 the pixels, 1 the first hidden units, and so on.

import { addRow, against, inputs, sigmoid, softmax, softplus, toProbabilities, transpose } from "./products.js";

export class Net {
  /** From the header of the page and its tensors. */
  constructor(header, tensors) {
    this.header = header;
    this.sizes = header.sizes;
    this.classes = header.classes;
    this.depth = header.sizes.length - 1;
    this.layers = [];
    for (let l = 0; l < this.depth; l++) {
      const [below, above] = [this.sizes[l], this.sizes[l + 1]];
      const rec = tensors[`${l}.rec`];
      // Where the two sets are one, as in a net that is not tuned, the page holds it once.
      const tied = !tensors[`${l}.gen`];
      const gen = tied ? transpose(rec, below, above) : tensors[`${l}.gen`];
      this.layers.push({ rec, gen, tied, up: tensors[`${l}.up`], down: tensors[`${l}.down`] });
    }
    this.top = this.layers[this.depth - 1];
    this.top.labelWeights = tensors["label.weights"];
    this.top.labelBiases = tensors["label.biases"];
    // ln g of Gaussian units: numbers of a table, units of the top.
    this.precisions = tensors["visible.log_precision"];
    this.topPrecisions = tensors["top.log_precision"];
  }

  /** Probabilities of every level below the top units on the way up from `pixels`. */
  recognise(pixels) {
    const levels = [Float32Array.from(pixels)];
    for (let l = 0; l < this.depth - 1; l++) {
      const x = new Float32Array(this.sizes[l + 1]);
      inputs(levels[l], this.layers[l].rec, this.layers[l].up, x);
      levels.push(toProbabilities(x));
    }
    return levels;
  }

  /** Inputs of the top units by the units under them, with their biases, without a label. */
  topInputs(penultimate) {
    const x = new Float32Array(this.sizes[this.depth]);
    inputs(penultimate, this.top.rec, this.top.up, x);
    return x;
  }

  /** Minus the free energy of each label, but for what all share: b_y + sum_k softplus(x_k + w_yk). */
  labelScores(x) {
    const { labelWeights, labelBiases } = this.top, units = x.length;
    return Float64Array.from({ length: this.classes }, (_, y) => {
      let sum = labelBiases[y];
      for (let k = 0, at = y * units; k < units; k++, at++) sum += softplus(x[k] + labelWeights[at]);
      return sum;
    });
  }

  /** All levels, the top units averaged over the labels, and the labels' probabilities and scores. */
  recogniseAll(pixels) {
    const levels = this.recognise(pixels), x = this.topInputs(levels[this.depth - 1]);
    if (this.classes === 0) {
      levels.push(toProbabilities(x));
      return { levels, labels: new Float64Array(0), scores: new Float64Array(0) };
    }
    const scores = this.labelScores(x), labels = softmax(scores), top = new Float32Array(x.length);
    for (let y = 0; y < this.classes; y++) {
      if (labels[y] < 1e-9) continue;
      const w = this.top.labelWeights.subarray(y * x.length, (y + 1) * x.length);
      for (let k = 0; k < x.length; k++) top[k] += labels[y] * sigmoid(x[k] + w[k]);
    }
    levels.push(top);
    return { levels, labels, scores };
  }

  /** Free energy of the top RBM, over its hidden units and labels, in nats. */
  topFreeEnergy(penultimate) {
    const x = this.topInputs(penultimate);
    let hidden = 0, visible = 0;
    if (this.classes > 0) {
      const scores = this.labelScores(x), largest = Math.max(...scores);
      hidden = largest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0));
    } else {
      for (const input of x) hidden += softplus(input);
    }
    for (let i = 0; i < penultimate.length; i++) visible += this.top.down[i] * penultimate[i];
    return -visible - hidden;
  }

  /** Probabilities of the pixels by the way down from units of a level, each level handing its probabilities on. */
  decode(units, level) {
    let above = units;
    for (let l = level - 1; l >= 0; l--) {
      const x = new Float32Array(this.sizes[l]);
      inputs(above, this.layers[l].gen, this.layers[l].down, x);
      above = toProbabilities(x);
    }
    return above;
  }

  /** Scores of the labels given top units: b_y + sum_k h_k w_yk. */
  labelInputs(h) {
    const { labelWeights, labelBiases } = this.top, scores = new Float64Array(this.classes);
    against(labelWeights, h, scores);
    for (let y = 0; y < this.classes; y++) scores[y] += labelBiases[y];
    return scores;
  }

  /** Adds what a clamped label gives the top units. */
  addLabel(x, label) {
    if (this.classes > 0) addRow(x, this.top.labelWeights, label * x.length, x.length, 1);
  }
}
