// Columns given others, against exact sums and integrals: a net of which every state can be listed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BARS, Given } from "../../crates/page/assets/engine/given.js";
import { Net } from "../../crates/page/assets/engine/net.js";
import { Uniforms } from "../../crates/page/assets/engine/philox.js";

/** Numbers in [-size, size), the same each time. */
function numbers(count, size, seed) {
  const out = new Float32Array(count);
  new Uniforms(BigInt(seed), 10, 0).fillRow(0, out);
  return out.map((u) => size * (2 * u - 1));
}

const COLUMNS = [
  { name: "category", kind: "categorical", at: 0, size: 3, levels: ["a", "b", "c"] },
  { name: "bit", kind: "binary", at: 3, size: 1, levels: ["no", "yes"] },
  { name: "spin", kind: "spin", at: 4, size: 1, levels: ["-1", "1"] },
  { name: "number", kind: "number", at: 5, size: 1, low: -6, high: 6 },
];
const HIDDEN = 4;

function net(hidden = [{ kind: "bernoulli", sites: HIDDEN }]) {
  return new Net({ sizes: [6, HIDDEN], classes: 0, columns: COLUMNS, hidden }, {
    "0.rec": numbers(6 * HIDDEN, 1, 1), "0.up": numbers(HIDDEN, 1, 2), "0.down": numbers(6, 1, 3),
    "visible.log_precision": Float32Array.from([0, 0, 0, 0, 0, Math.log(1.7)]),
  });
}

/** Unnormalised probabilities of all discrete states with hidden units of values `low` and 1, the number integrated out
    or held. */
function listed({ layers: [{ rec, up, down }] }, low, number = null) {
  const g = 1.7, states = [];
  for (let level = 0; level < 3; level++) for (const bit of [0, 1]) for (const spin of [-1, 1]) for (let h = 0; h < 1 << HIDDEN; h++) {
    const units = Array.from({ length: HIDDEN }, (_, k) => ((h >> k) & 1 ? 1 : low));
    const x = (i) => down[i] + units.reduce((sum, z, k) => sum + rec[i * HIDDEN + k] * z, 0);
    let log = x(level) + bit * x(3) + spin * x(4) + units.reduce((sum, z, k) => sum + z * up[k], 0);
    log += number === null ? x(5) ** 2 / (2 * g) : number * x(5);
    states.push({ level, bit, spin, weight: Math.exp(log), mean: x(5) / g });
  }
  return states;
}

/** The expectation of `of` over the states that `fits`. */
function expected(states, of, fits = () => true) {
  const meant = states.filter(fits), total = meant.reduce((sum, state) => sum + state.weight, 0);
  return meant.reduce((sum, state) => sum + state.weight * of(state), 0) / total;
}

/** What the engine says. */
function drawn(model, given) {
  const rows = new Given(model, given, -1, { seed: "5", chains: 200 });
  for (let step = 0; step < 30; step++) rows.advance(false);
  for (let step = 0; step < 1000; step++) rows.advance(true);
  return rows.result();
}

// 200,000 rows, of which neighbours in time are dependent: 0.015 is some ten standard errors of independent ones, five
// where one in four is. The seed is fixed.
const near = (got, want, what) => assert.ok(Math.abs(got - want) < 0.015, `${what}: ${got}, exactly ${want}`);

test("with nothing given, columns have their own distributions", () => {
  const model = net(), { shares, moments, draws } = drawn(model, COLUMNS.map(() => null)), states = listed(model, 0);
  assert.equal(draws, 200000);
  for (let level = 0; level < 3; level++) near(shares[0][level], expected(states, (s) => Number(s.level === level)), `level ${level}`);
  near(shares[1][1], expected(states, (s) => s.bit), "bit");
  near(shares[2][1], expected(states, (s) => Number(s.spin === 1)), "spin");
  near(moments[3].mean, expected(states, (s) => s.mean), "mean");
  const squares = expected(states, (s) => s.mean ** 2 + 1 / 1.7) - expected(states, (s) => s.mean) ** 2;
  near(moments[3].deviation, Math.sqrt(squares), "deviation");
  near(shares[3].reduce((a, b) => a + b), 1, "bars");
  assert.equal(shares[3].length, BARS);
});

test("given a level and a number, the others follow", () => {
  const model = net(), { shares } = drawn(model, [[0, 1, 0], null, null, [0.8]]), states = listed(model, 0, 0.8);
  const fits = (s) => s.level === 1;
  near(shares[1][1], expected(states, (s) => s.bit, fits), "bit");
  near(shares[2][1], expected(states, (s) => Number(s.spin === 1), fits), "spin");
  assert.deepEqual(shares[0], [0, 0, 0], "what is given is not counted");
});

test("hidden spins and Gaussian units are drawn as such", () => {
  const spins = net([{ kind: "spin", sites: HIDDEN }]), states = listed(spins, -1);
  near(drawn(spins, COLUMNS.map(() => null)).shares[1][1], expected(states, (s) => s.bit), "under spins");
  // Gaussian hidden units of precision 1, integrated out: exp(sum over k of (up + v w)^2 / 2). The number is held.
  const model = net([{ kind: "gaussian", sites: HIDDEN }]), { rec, up, down } = model.layers[0], exact = [];
  for (let level = 0; level < 3; level++) for (const bit of [0, 1]) for (const spin of [-1, 1]) {
    const v = [0, 1, 2].map((l) => Number(l === level)).concat(bit, spin, 0.5);
    let log = v.reduce((sum, value, i) => sum + value * down[i], 0);
    for (let k = 0; k < HIDDEN; k++) log += v.reduce((sum, value, i) => sum + value * rec[i * HIDDEN + k], up[k]) ** 2 / 2;
    exact.push({ level, bit, spin, weight: Math.exp(log) });
  }
  const { shares } = drawn(model, [null, null, null, [0.5]]);
  near(shares[1][1], expected(exact, (s) => s.bit), "bit under Gaussian units");
  near(shares[0][2], expected(exact, (s) => Number(s.level === 2)), "level under Gaussian units");
});
