// Float16 weights give the labels of F32 ones: of all 10,000 test digits, by the engine of the page itself.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MODEL, dbn, inFolder, page, predicted, readNpy } from "./harness.mjs";

const engine = join(import.meta.dirname, "../../crates/page/assets/engine");
const { Net } = await import(join(engine, "net.js"));
const { readTensors } = await import(join(engine, "weights.js"));

test("float16 weights give at least 9,990 of 10,000 digits the label of F32 ones", async () => {
  const html = readFileSync(page(), "utf8"), part = (id) => html.match(new RegExp(`<script id="${id}"[^>]*>([^<]*)<`))[1];
  const header = JSON.parse(part("header")), net = new Net(header, await readTensors(header.tensors, part("weights")));
  const [pixels, table] = [inFolder("digits.npy"), inFolder("digits.csv")];
  dbn("encode", MODEL, "--depth", "0", "--split", "test", "--out", pixels);
  dbn("classify", MODEL, "--split", "test", "--out", table);
  const theirs = predicted(table);
  const { shape, values } = readNpy(pixels), truth = readNpy(pixels.replace(".npy", ".labels.npy")).values;
  assert.deepEqual(shape, [10000, 784]);
  let same = 0, wrong = 0;
  for (let digit = 0; digit < 10000; digit++) {
    const { labels } = net.recogniseAll(values.slice(784 * digit, 784 * (digit + 1)));
    const label = labels.indexOf(Math.max(...labels));
    if (label === theirs[digit]) same++;
    if (label !== truth[digit]) wrong++;
  }
  console.log(`float16 labels: ${same} of 10000 are those of F32, ${wrong} are wrong`);
  assert.ok(same >= 9990, `${same}`);
});
