// Single units: the weights of one, carried to the pixels, and what it adds to a picture when it is switched on.

import { addRow, against } from "./products.js";

/**
 * The weights of a unit by the way up (`rec`) and by the way down (`gen`). Those of deeper units are carried to the
 * pixels by the products of the weights between, as if all units were linear. Both are the same in an RBM.
 */
export function filters(net, level, unit) {
  const { rec, gen } = ownWeights(net, level, unit);
  let up = rec, down = gen;
  for (let l = level - 2; l >= 0; l--) {
    const below = new Float32Array(net.sizes[l]), generated = new Float32Array(net.sizes[l]);
    against(net.layers[l].rec, up, below);
    for (let i = 0; i < down.length; i++) addRow(generated, net.layers[l].gen, i * below.length, below.length, down[i]);
    [up, down] = [below, generated];
  }
  return { rec: up, gen: down };
}

/** The weights between a unit and those just below it, both ways. */
function ownWeights(net, level, unit) {
  const layer = net.layers[level - 1], [below, above] = [net.sizes[level - 1], net.sizes[level]];
  const rec = Float32Array.from({ length: below }, (_, i) => layer.rec[i * above + unit]);
  return { rec, gen: layer.gen.slice(unit * below, (unit + 1) * below) };
}

/** What the labels give a top unit and take from it. */
export function labelWeights(net, unit) {
  const units = net.sizes[net.depth];
  return Float32Array.from({ length: net.classes }, (_, y) => net.top.labelWeights[y * units + unit]);
}

/** Of every unit of a level: the norm of its weights, and how far its two sets point apart, 1 - cosine. */
export function survey(net, level) {
  const { rec, gen } = net.layers[level - 1], [below, above] = [net.sizes[level - 1], net.sizes[level]];
  const norms = new Float32Array(above), differences = new Float32Array(above);
  for (let unit = 0; unit < above; unit++) {
    let ups = 0, downs = 0, both = 0;
    for (let i = 0; i < below; i++) {
      const up = rec[i * above + unit], down = gen[unit * below + i];
      ups += up * up;
      downs += down * down;
      both += up * down;
    }
    norms[unit] = Math.sqrt(ups);
    const product = Math.sqrt(ups * downs);
    differences[unit] = product > 0 ? Math.max(0, 1 - both / product) : 0;
  }
  return { norms, differences };
}

/**
 * The pictures that units of a level generate with one of them off and with it on. Others may be switched, as
 * [unit, state].
 */
export function whatItAdds(net, level, unit, units, switched) {
  const changed = Float32Array.from(units);
  for (const [other, state] of switched) changed[other] = state;
  const [without, on] = [0, 1].map((state) => {
    changed[unit] = state;
    return net.decode(changed, level);
  });
  return { without, on };
}
