// Sums over the active units: what a layer gives another one. Weights are row-major [from, to], in Float32Arrays.

/** `out = bias + states weights`. States that are off cost nothing, as in the kernels of the program. */
export function inputs(states, weights, bias, out) {
  const columns = out.length;
  out.set(bias);
  for (let i = 0; i < states.length; i++) {
    const x = states[i];
    if (x === 0) continue;
    addRow(out, weights, i * columns, columns, x);
  }
}

/** Adds `x` times a row of weights. */
export function addRow(out, weights, start, columns, x) {
  if (x === 1) {
    for (let j = 0; j < columns; j++) out[j] += weights[start + j];
  } else {
    for (let j = 0; j < columns; j++) out[j] += x * weights[start + j];
  }
}

/** `out = weights x`: row by row, for passes against the direction of the weights. */
export function against(weights, x, out) {
  const columns = x.length;
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let j = 0, at = i * columns; j < columns; j++, at++) sum += weights[at] * x[j];
    out[i] = sum;
  }
}

/** The transpose of `weights` [rows, columns]. */
export function transpose(weights, rows, columns) {
  const out = new Float32Array(weights.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = weights[i * columns + j];
  }
  return out;
}

/** 1 / (1 + exp(-x)). */
export function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

/** ln(1 + exp(x)), which overflows nowhere. */
export function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Each input becomes its probability, in place. */
export function toProbabilities(x) {
  for (let j = 0; j < x.length; j++) x[j] = sigmoid(x[j]);
  return x;
}

/** States with these probabilities: on where the uniform is below. */
export function toStates(probabilities, uniforms, out) {
  for (let j = 0; j < out.length; j++) out[j] = uniforms[j] < probabilities[j] ? 1 : 0;
  return out;
}

/** States of units with inputs `x` at a temperature, without the division of the logistic function. */
export function statesOf(x, uniforms, temperature, out) {
  const slope = -1 / temperature;
  for (let j = 0; j < out.length; j++) {
    const u = uniforms[j];
    out[j] = u + u * Math.exp(slope * x[j]) < 1 ? 1 : 0;
  }
  return out;
}

/** Scores become probabilities: exp(score / temperature) over their sum. */
export function softmax(scores, temperature = 1) {
  let largest = -Infinity, sum = 0;
  for (const score of scores) largest = Math.max(largest, score);
  const out = Float64Array.from(scores, (score) => Math.exp((score - largest) / temperature));
  for (const p of out) sum += p;
  return out.map((p) => p / sum);
}

/** The class that a uniform falls on when it is spread by their probabilities. */
export function classAt(probabilities, uniform) {
  let left = 0, chosen = 0;
  for (const p of probabilities) left += p;
  left *= uniform;
  for (let c = 0; c < probabilities.length; c++) {
    if (probabilities[c] > 0) {
      chosen = c;
      if (left < probabilities[c]) break;
    }
    left -= probabilities[c];
  }
  return chosen;
}
