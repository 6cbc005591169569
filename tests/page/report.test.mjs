// The report of a run of each kind, opened as a person does: no error, no request, values under the pointer, filters in
// the order asked for, nothing wider than the screen, no serious fault by axe-core.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import axe from "axe-core";
import { dbn, inFolder, opened } from "./harness.mjs";

/** Three noisy patterns of nine bits, with their class. */
function bits() {
  const patterns = ["111000000", "000111000", "000000111"];
  const lines = Array.from({ length: 300 }, (_, row) => {
    const flipped = [...patterns[row % 3]].map((bit, place) => ((row * 7 + place * 13) % 11 === 0 ? 1 - bit : bit));
    return [...flipped, ["<b>one", "two & more", "three"][row % 3]].join(",");
  });
  writeFileSync(inFolder("bits.csv"), lines.join("\n") + "\n");
}

/** A table with columns of several kinds. */
function people() {
  const row = (k) => [20 + ((k * 7) % 60), k % 2 ? "f" : "m", ["A", "B", "AB", "0"][k % 4], (1.5 + (k % 10) / 50).toFixed(2)];
  writeFileSync(inFolder("people.csv"), ["age,sex,<i>blood,height", ...Array.from({ length: 200 }, (_, k) => row(k).join(","))].join("\n") + "\n");
}

/** An alignment of six sites, of which two go together. */
function sequences() {
  const letters = "ACDE";
  const row = (k) => [k % 4, (k * 7) % 4, k % 4, (k * 3) % 4, (k >> 2) % 4, 1].map((place) => letters[place]).join("");
  writeFileSync(inFolder("family.fasta"), Array.from({ length: 200 }, (_, k) => `>s${k}\n${row(k)}\n`).join(""));
}

const at = (name) => inFolder(name);
const read = ["--data", `csv:${at("bits.csv")}`, "--label-column", "last"];
bits();
people();
sequences();
dbn("pretrain", ...read, "--hidden", "12", "--epochs", "8", "--image-size", "3x3", "--out", at("rbm"));
dbn("stack", ...read, "--layers", "12,10,16", "--epochs", "4", "--image-size", "3x3", "--out", at("stack"));
dbn("tune", at("stack"), ...read, "--top-steps", "3x1", "--out", at("tune"));
dbn("finetune", at("stack"), ...read, "--epochs", "3", "--out", at("finetune"));
dbn("pretrain", "--data", `csv:${at("people.csv")}`, "--hidden", "8", "--epochs", "5", "--out", at("table"));
dbn("pretrain", "--data", `fasta:${at("family.fasta")}`, "--alphabet", "ACDE-", "--hidden", "6", "--epochs", "5", "--out", at("alignment"));

for (const run of ["rbm", "stack", "tune", "finetune", "table", "alignment"]) {
  const file = at(`${run}/report.html`);
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 375]) {
      test(`${run}, ${colorScheme}, ${width} px`, () =>
        opened({ colorScheme, viewport: { width, height: 800 } }, async (tab) => {
          const across = await tab.evaluate("[document.documentElement.scrollWidth, innerWidth]");
          assert.ok(across[0] <= across[1], `the page is ${across[0]} px wide`);
          await tab.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))");
          await tab.evaluate(axe.source);
          const { violations } = await tab.evaluate("axe.run()");
          const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
          assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes[0].html]), []);
        }, file));
    }
  }

  test(`${run}: the pointer reads the values of metrics.jsonl`, () =>
    opened({}, async (tab) => {
      const chart = tab.locator(".chart").first();
      await chart.scrollIntoViewIfNeeded();
      const box = await chart.boundingBox();
      await tab.mouse.move(box.x + 0.97 * box.width, box.y + 0.5 * box.height);
      const tip = await chart.locator(".tip").innerText();
      const lines = readFileSync(at(`${run}/metrics.jsonl`), "utf8").trim().split("\n").map(JSON.parse);
      const layer = lines.filter((line) => (line.layer ?? 0) === 0).at(-1);
      const figure = await chart.getAttribute("data-figure");
      assert.match(tip, new RegExp(`^epoch ${layer.epoch}\n`));
      const value = layer[`${figure}_valid`] ?? layer[figure] ?? layer[`${figure}_train`];
      const times = figure === "label_error" ? 100 : 1;
      const shown = String(Number((value * times).toPrecision(6))).replace("-", "\u2212");
      assert.ok(tip.includes(shown), `${shown} in ${tip}`);
      await tab.keyboard.press("Tab");
    }, file));
}

test("filters are sorted as asked", () =>
  opened({}, async (tab) => {
    const box = tab.locator(".filters").first();
    const order = async () => (await box.getAttribute("data-order")).split(",").map(Number);
    assert.deepEqual(await order(), [0, 1, 2, 3, 4]);
    await box.locator('button[data-order="norm"]').click();
    const { norm, class: classes } = JSON.parse(await box.getAttribute("data-filters"));
    const byNorm = norm.map((_, unit) => unit).sort((a, b) => norm[b] - norm[a] || a - b);
    assert.deepEqual(await order(), byNorm.slice(0, 5));
    await box.locator('button[data-order="class"]').click();
    const found = await order();
    assert.deepEqual(found.map((unit) => classes[unit]), found.map((unit) => classes[unit]).sort((a, b) => a - b));
    await box.locator("canvas").hover({ position: { x: 20, y: 20 } });
    assert.match(await box.locator(".told").innerText(), /^unit \d+, norm .*, most active for /);
  }, at("rbm/report.html")));

test("an alignment shows its logos and its couplings", () =>
  opened({}, async (tab) => {
    const pictures = tab.locator("#drawn img");
    assert.equal(await pictures.count(), 2);
    for (const width of await pictures.evaluateAll((all) => all.map((picture) => picture.naturalWidth))) assert.ok(width > 200);
  }, at("alignment/report.html")));

test("several runs are compared on one page", () => {
  dbn("report", at("rbm"), at("stack"), "--out", at("compare.html"));
  return opened({}, async (tab) => {
    assert.match(await tab.locator("h1").innerText(), /2 runs compared/);
    assert.ok((await tab.locator(".chart").count()) > 3);
  }, at("compare.html"));
});
