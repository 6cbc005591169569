// The page draws the samples of `dbn sample`: bit for bit from the same weights, and nearly so from float16 ones.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MODEL, answer, dbn, inFolder, opened, page, readNpy, root } from "./harness.mjs";

/** The float16 number next to a float, as a float. */
function toHalf(value) {
  const magnitude = Math.abs(value);
  if (magnitude === 0) return value;
  // Numbers of one exponent are so far apart; below the normal ones all are.
  const spacing = 2 ** (Math.max(-14, Math.floor(Math.log2(magnitude))) - 10), scaled = value / spacing, down = Math.floor(scaled);
  const odd = Math.abs(down) % 2 === 1, rest = scaled - down;
  return (rest > 0.5 || (rest === 0.5 && odd) ? down + 1 : down) * spacing;
}

/** The shipped net with weights that float16 holds, as a checkpoint. */
function rounded() {
  const bytes = readFileSync(join(root, MODEL)), length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)), start = 8 + length;
  for (const [name, tensor] of Object.entries(header)) {
    if (!/w_rec|w_gen|label_w/.test(name)) continue;
    for (let at = start + tensor.data_offsets[0]; at < start + tensor.data_offsets[1]; at += 4) {
      bytes.writeFloatLE(toHalf(bytes.readFloatLE(at)), at);
    }
  }
  const file = inFolder("rounded.safetensors");
  writeFileSync(file, bytes);
  return file;
}

/** What `dbn sample` draws: grey values of ten chains, and their labels. */
function drawn(model, label, seed, steps) {
  const out = inFolder("samples.npy"), clamp = label === "each" ? ["--label", "all", "--count", "1"] : ["--count", "10"];
  dbn("sample", model, ...clamp, "--steps", String(steps), "--seed", seed, "--out", out);
  return { values: readNpy(out).values, labels: readNpy(out.replace(".npy", ".labels.npy")).values };
}

/** The same of the page. */
async function dreamt(tab, label, seed, steps) {
  await tab.click(`#dream-labels [data-value="${label}"]`);
  await tab.fill("#dream-seed", seed);
  await tab.locator("#dream-seed").blur();
  await tab.click("#dream-restart");
  await answer(tab, "dreamt", "(last) => last.step === 0");
  for (let step = 0; step < steps; ) {
    const leap = steps - step >= 100 ? 100 : 1;
    await tab.click(leap === 100 ? "#dream-leap" : "#dream-step");
    step += leap;
    await answer(tab, "dreamt", `(last) => last.step === ${step}`);
  }
  return answer(tab, "dreamt");
}

const share = (a, b, same) => a.filter((x, i) => same(x, b[i])).length / a.length;
const isOn = (p) => p > 0.5;

// A seed above 2^53, which is no number of a script, too.
const CASES = [["each", "1", 1], ["each", "1", 10], ["free", "18446744073709551615", 100], ["each", "7", 300]];

test("from the same weights, the samples are those of the program", () =>
  opened({}, async (tab) => {
    const model = rounded();
    for (const [label, seed, steps] of CASES) {
      const ours = await dreamt(tab, label, seed, steps), theirs = drawn(model, label, seed, steps);
      const grey = ours.pictures.map((p) => 255 * p);
      const equal = share(grey, theirs.values, (a, b) => Math.abs(a - b) < 0.01);
      console.log(`same weights, ${label}, seed ${seed}, ${steps} steps: ${(100 * equal).toFixed(3)} % of the pixels are equal`);
      assert.equal(equal, 1);
      assert.deepEqual(ours.labels, theirs.labels);
    }
  }, page()));

test("from float16 weights, nearly", () =>
  opened({}, async (tab) => {
    for (const [label, seed, steps] of CASES) {
      const ours = await dreamt(tab, label, seed, steps), theirs = drawn(MODEL, label, seed, steps);
      const equal = share(ours.pictures, theirs.values, (a, b) => isOn(a) === isOn(b / 255));
      console.log(`float16, ${label}, seed ${seed}, ${steps} steps: ${(100 * equal).toFixed(2)} % of the bits are equal`);
      assert.ok(equal > (steps <= 10 ? 0.99 : 0.8), `${equal}`);
    }
  }));
