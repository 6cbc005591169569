// The engine against exact sums: small nets, of which every state can be listed. No browser is needed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Chains } from "../../crates/page/assets/engine/chains.js";
import { Completion } from "../../crates/page/assets/engine/completion.js";
import { Net } from "../../crates/page/assets/engine/net.js";
import { Uniforms, philox } from "../../crates/page/assets/engine/philox.js";
import { classAt, softmax } from "../../crates/page/assets/engine/products.js";
import { filters, labelWeights } from "../../crates/page/assets/engine/units.js";

/** Numbers in [-1, 1), the same each time. */
function numbers(count, size, seed) {
  const out = new Float32Array(count);
  new Uniforms(BigInt(seed), 10, 0).fillRow(0, out);
  return out.map((u) => Math.fround(size * (2 * u - 1)));
}

/** An RBM of 3 pixels and 4 hidden units, with 2 labels or none; or a layer of 5 units between. */
function small({ labels = 0, deep = false } = {}) {
  const sizes = deep ? [3, 5, 4] : [3, 4], tensors = {};
  for (let l = 0; l < sizes.length - 1; l++) {
    tensors[`${l}.rec`] = numbers(sizes[l] * sizes[l + 1], 1.5, 10 * l + 1);
    if (deep && l === 0) tensors["0.gen"] = numbers(15, 1.5, 77);
    tensors[`${l}.up`] = numbers(sizes[l + 1], 1, 10 * l + 2);
    tensors[`${l}.down`] = numbers(sizes[l], 1, 10 * l + 3);
  }
  if (labels > 0) {
    tensors["label.weights"] = numbers(labels * 4, 2, 50);
    tensors["label.biases"] = numbers(labels, 1, 51);
  }
  return new Net({ sizes, classes: labels }, tensors);
}

const bits = (count, number) => Array.from({ length: count }, (_, i) => (number >> i) & 1);
const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** ln of the sum over hidden states of exp(-E(v, h, y)), term by term. */
function logWeight(net, v, y) {
  const { rec, up, down, labelWeights: w, labelBiases: b } = net.top, hidden = up.length;
  let sum = 0;
  for (let number = 0; number < 1 << hidden; number++) {
    const h = bits(hidden, number);
    let minusEnergy = dot(v, down) + dot(h, up);
    v.forEach((x, i) => h.forEach((z, k) => (minusEnergy += x * z * rec[i * hidden + k])));
    if (y >= 0) minusEnergy += b[y] + h.reduce((total, z, k) => total + z * w[y * hidden + k], 0);
    sum += Math.exp(minusEnergy);
  }
  return Math.log(sum);
}

test("random numbers are the known answers of Random123", () => {
  const answers = [
    [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]],
  ];
  for (const [counter, key, expected] of answers) {
    const words = Uint32Array.from(counter);
    philox(words, Uint32Array.from(key));
    assert.deepEqual(Array.from(words), expected);
  }
});

test("a row and its single numbers agree", () => {
  const draw = new Uniforms("18446744073709551615", 9, 7).at(2, 3), row = new Float32Array(100);
  draw.fillRow(5, row);
  row.forEach((u, column) => assert.equal(u, draw.one(5, column)));
});

test("labels and free energies are those of the sums over all states", () => {
  const labelled = small({ labels: 2 }), plain = small();
  for (let number = 0; number < 8; number++) {
    const v = bits(3, number), weights = [0, 1].map((y) => Math.exp(logWeight(labelled, v, y)));
    const { labels } = labelled.recogniseAll(v);
    labels.forEach((p, y) => assert.ok(Math.abs(p - weights[y] / (weights[0] + weights[1])) < 1e-6));
    assert.ok(Math.abs(labelled.topFreeEnergy(v) + Math.log(weights[0] + weights[1])) < 1e-5);
    assert.ok(Math.abs(plain.topFreeEnergy(v) + logWeight(plain, v, -1)) < 1e-5);
    const completion = new Completion(plain, v, [0, 0, 0], { seed: "1", probabilities: false, label: -1 });
    assert.ok(Math.abs(completion.freeEnergy() + logWeight(plain, v, -1)) < 1e-5, "of an RBM it is exact");
  }
});

/** The largest distance of shares from probabilities, in standard errors of independent draws. */
function distance(counts, probabilities) {
  const total = counts.reduce((a, b) => a + b);
  return Math.max(...counts.map((count, i) => {
    const p = probabilities[i];
    return Math.abs(count / total - p) / Math.sqrt((p * (1 - p)) / total);
  }));
}

// 400 chains, far apart in time: draws are independent. Of 8 or 16 cells the largest is beyond 4.5 standard errors with
// a probability below 2e-4, and the seeds are fixed.
const CHAINS = 400, BETWEEN = 25, TIMES = 20;

test("dreams have the probabilities of the states, labels free", () => {
  const net = small({ labels: 2 }), chains = new Chains(net, CHAINS, null, "3"), counts = new Array(16).fill(0);
  for (let time = 0; time < TIMES; time++) {
    for (let step = 0; step < BETWEEN; step++) chains.advance();
    chains.penultimate.forEach((v, chain) => counts[8 * chains.labels[chain] + v[0] + 2 * v[1] + 4 * v[2]]++);
  }
  const exact = softmax(Array.from({ length: 16 }, (_, state) => logWeight(net, bits(3, state & 7), state >> 3)));
  const far = distance(counts, exact);
  assert.ok(far < 4.5, `${far} standard errors`);
});

test("a temperature and a held unit change the distribution as they should", () => {
  const net = small(), hot = new Chains(net, CHAINS, null, "4"), counts = new Array(8).fill(0);
  hot.temperature = 2;
  hot.held = { hidden: [[1, 1]], penultimate: [] };
  for (let time = 0; time < TIMES; time++) {
    for (let step = 0; step < BETWEEN; step++) hot.advance();
    hot.penultimate.forEach((v) => counts[v[0] + 2 * v[1] + 4 * v[2]]++);
  }
  // exp(-E / 2) summed over the hidden states that have unit 1 on.
  const { rec, up, down } = net.top;
  const exact = softmax(Array.from({ length: 8 }, (_, state) => {
    const v = bits(3, state);
    let sum = dot(v, down) / 2;
    for (let k = 0; k < 4; k++) {
      const x = (up[k] + v.reduce((total, value, i) => total + value * rec[i * 4 + k], 0)) / 2;
      sum += k === 1 ? x : Math.log1p(Math.exp(x));
    }
    return sum;
  }));
  const far = distance(counts, exact);
  assert.ok(far < 4.5, `${far} standard errors`);
});

test("completions of an RBM have the probabilities of what is missing given the rest", () => {
  const net = small({ labels: 2 }), counts = [0, 0, 0, 0];
  for (let chain = 0; chain < 4000; chain++) {
    const options = { seed: String(chain), probabilities: false, label: -1 };
    const completion = new Completion(net, [0, 1, 0], [1, 0, 1], options);
    for (let step = 0; step < 25; step++) completion.advance();
    assert.equal(completion.pixels[1], 1);
    counts[completion.pixels[0] + 2 * completion.pixels[2]]++;
  }
  const weight = (v) => Math.log(Math.exp(logWeight(net, v, 0)) + Math.exp(logWeight(net, v, 1)));
  const far = distance(counts, softmax([0, 1, 2, 3].map((state) => weight([state & 1, 1, state >> 1]))));
  assert.ok(far < 4.5, `${far} standard errors`);
});

test("weights of deeper units are carried to the pixels both ways", () => {
  const net = small({ deep: true, labels: 2 }), unit = 2;
  const { rec, gen } = filters(net, 2, unit), [lower, top] = net.layers;
  for (let pixel = 0; pixel < 3; pixel++) {
    let [up, down] = [0, 0];
    for (let j = 0; j < 5; j++) {
      up += lower.rec[pixel * 5 + j] * top.rec[j * 4 + unit];
      down += top.rec[j * 4 + unit] * lower.gen[j * 3 + pixel];
    }
    assert.ok(Math.abs(rec[pixel] - up) < 1e-5 && Math.abs(gen[pixel] - down) < 1e-5);
  }
  assert.deepEqual(Array.from(labelWeights(net, unit)), [net.top.labelWeights[2], net.top.labelWeights[6]]);
});

test("a class of probability zero is never drawn", () => {
  for (let step = 0; step < 1000; step++) {
    const u = step / 1000;
    assert.equal(classAt([0, 0.5, 0.5, 0], u), u < 0.5 ? 1 : 2);
  }
});
