// The page of a table: values are given by mouse and by keyboard, and the others follow as `dbn sample --given` says.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import axe from "axe-core";
import { Uniforms } from "../../crates/page/assets/engine/philox.js";
import { answer, dbn, inFolder, opened, until } from "./harness.mjs";

const TREES = [["oak", 0.8, 180, 80], ["fir", 0.4, 150, 60], ["elm", 0.1, 120, 40]];

/** A table of trees whose colour, size and weight depend on their kind. */
function table() {
  const draw = new Uniforms(1n, 10, 0), lines = ["colour,big,height,weight,kind"];
  for (let row = 0; row < 2000; row++) {
    const u = (column) => draw.one(row, column), [kind, big, height, weight] = TREES[Math.min(2, Math.floor(3 * u(0)))];
    const colours = { oak: ["red", "red", "red", "blue"], fir: ["green", "green", "red", "blue"], elm: ["blue", "blue", "green", "blue"] };
    const bell = (column) => u(column) + u(column + 1) + u(column + 2) - 1.5;
    lines.push([colours[kind][Math.floor(4 * u(1))], u(2) < big ? "yes" : "no", (height + 16 * bell(3)).toFixed(1), (weight + 12 * bell(6)).toFixed(1), kind].join(","));
  }
  const file = inFolder("trees.csv");
  writeFileSync(file, lines.join("\n") + "\n");
  return file;
}

let made = null;

function page() {
  if (!made) {
    const run = inFolder("trees");
    dbn("stack", "--data", `csv:${table()}`, "--label-column", "kind", "--layers", "20,30", "--epochs", "100", "--out", run);
    made = inFolder("trees.html");
    dbn("page", run, "--out", made);
  }
  return made;
}

/** Clicks a level of a column. */
const level = (column, name) => `[aria-label="${column}"] .row:has(.class:text-is("${name}"))`;

test("what is given moves the others, as the program says", () =>
  opened({}, async (tab) => {
    const free = await answer(tab, "given", "(last) => last.done");
    assert.equal(free.draws, 80000);
    await tab.click(level("colour", "red"));
    await tab.click(level("big", "yes"));
    const given = await answer(tab, "given", "(last) => last.done && last.id === 3");
    const out = inFolder("given.csv");
    dbn("sample", inFolder("trees"), "--given", "colour=red,big=yes", "--count", "4000", "--steps", "100", "--out", out);
    const heights = readFileSync(out, "utf8").trim().split("\n").slice(1).map((line) => Number(line.split(",")[2]));
    const mean = heights.reduce((a, b) => a + b) / heights.length;
    const { offset, scale } = await tab.evaluate("deepbelief.model.columns[2]"), ours = offset + scale * given.moments[2].mean;
    console.log(`height given red and big: ${ours.toFixed(1)} on the page, ${mean.toFixed(1)} by dbn sample`);
    // Heights spread by some 20: five standard errors of 4,000 independent rows, a little more for those of the page.
    assert.ok(Math.abs(ours - mean) < 2, `${ours} and ${mean}`);
    assert.ok(given.labels[given.labels.indexOf(Math.max(...given.labels))] > 0.6);
  }, page()));

test("a number is given by its slider, and all are freed again", () =>
  opened({}, async (tab) => {
    await answer(tab, "given");
    const slider = tab.locator('[aria-label="weight"] input[type=range]');
    await slider.focus();
    await tab.keyboard.press("Home");
    await until(tab, "document.getElementById('draws').textContent.startsWith('1 given')");
    const { labels } = await answer(tab, "given", "(last) => last.done && last.id > 1");
    assert.equal(labels.indexOf(Math.max(...labels)), await tab.evaluate("deepbelief.model.classNames.indexOf('elm')"));
    await tab.click("#free");
    await until(tab, "document.getElementById('draws').textContent.startsWith('Nothing given')");
  }, page()));

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 375]) {
    test(`axe-core finds no fault in the page of a table, ${colorScheme}, ${width} px`, () =>
      opened({ colorScheme, viewport: { width, height: 800 } }, async (tab) => {
        await answer(tab, "given");
        await tab.click(level("colour", "red"));
        const across = await tab.evaluate("[document.documentElement.scrollWidth, innerWidth]");
        assert.ok(across[0] <= across[1], `the page is ${across[0]} px wide`);
        await tab.evaluate(axe.source);
        const { violations } = await tab.evaluate("axe.run()");
        assert.deepEqual(violations.map(({ id, impact, nodes }) => `${impact}: ${id} at ${nodes.map((node) => node.target).join("; ")}`), []);
      }, page()));
  }
}
