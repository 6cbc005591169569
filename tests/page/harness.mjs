// What the tests of the page share: the page of the shipped net, made by `dbn`, in a headless Chromium.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

export const root = resolve(import.meta.dirname, "../..");
/** The shipped net, from the root, where the program runs. */
export const MODEL = "models/mnist-dbn-final.safetensors";

/** A folder of its own, removed at the end. */
export const folder = mkdtempSync(join(tmpdir(), "dbn-page-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Runs the program. */
export function dbn(...words) {
  const program = process.env.DBN ?? join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/dbn");
  return execFileSync(program, ["--quiet", ...words], { encoding: "utf8", cwd: root, maxBuffer: 1 << 28 });
}

/** A file in the folder. */
export const inFolder = (name) => join(folder, name);

let made = null;

/** The page of the shipped net. */
export function page() {
  if (!made) {
    made = inFolder("page.html");
    dbn("page", MODEL, "--out", made);
  }
  return made;
}

/** Chromium, with nothing that calls home. */
export async function browser() {
  const flags = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });
}

/**
 * Opens a page, calls `use` with it, and then refuses whatever the page should not have done: messages on the console,
 * errors, requests. `options` are those of Playwright's contexts, and `first`, a script that runs before the page's.
 */
export async function opened({ first, ...options }, use, file = page()) {
  const chromium = await browser();
  try {
    const context = await chromium.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
    const tab = await context.newPage(), wrong = [];
    tab.on("console", (message) => wrong.push(`${message.type()}: ${message.text()}`));
    tab.on("pageerror", (error) => wrong.push(String(error.stack)));
    tab.on("request", (request) => {
      if (!/^(blob|data):/.test(request.url()) && request.url() !== `file://${file}`) wrong.push(`request: ${request.url()}`);
    });
    if (first) await tab.addInitScript(first);
    await tab.goto(`file://${file}`);
    await tab.waitForSelector("body.ready");
    await use(tab);
    assert.deepEqual(wrong, []);
  } finally {
    await chromium.close();
  }
}

/** Draws strokes on a pad by the mouse: lists of points in [0, 1]. */
export async function draw(tab, pad, ...strokes) {
  const box = await tab.locator(pad).boundingBox();
  for (const [first, ...rest] of strokes) {
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    await tab.mouse.move(...at(first));
    await tab.mouse.down();
    for (const point of rest) await tab.mouse.move(...at(point), { steps: 12 });
    await tab.mouse.up();
  }
}

/** The value of an expression as soon as it is true. Playwright's own waiting would need `eval`, which the page forbids. */
export async function until(tab, expression, seconds = 60) {
  const end = Date.now() + 1000 * seconds;
  while (Date.now() < end) {
    const value = await tab.evaluate(expression);
    if (value) return value;
    await tab.waitForTimeout(20);
  }
  throw new Error(`not within ${seconds} seconds: ${expression}`);
}

/** The last answer of the engine of a kind as soon as `holds`, the text of a function, is true of it. */
export function answer(tab, kind, holds = "() => true") {
  const plain = "(value) => (ArrayBuffer.isView(value) ? Array.from(value) : value)";
  const copy = `Object.fromEntries(Object.entries(last).map(([key, value]) => [key, (${plain})(value)]))`;
  return until(tab, `(() => { const last = deepbelief.link.last.${kind}; return last && (${holds})(last) && ${copy}; })()`);
}

/** Values of an .npy file of floats or whole numbers. */
export function readNpy(path) {
  const bytes = readFileSync(path), length = bytes.readUInt16LE(8), header = bytes.toString("latin1", 10, 10 + length);
  const type = header.match(/'descr': '([^']+)'/)[1];
  const shape = header.match(/'shape': \(([^)]*)\)/)[1].split(",").filter((part) => part.trim()).map(Number);
  const count = shape.reduce((product, size) => product * size, 1), start = 10 + length;
  const read = { "<f4": ["readFloatLE", 4], "<f8": ["readDoubleLE", 8], "<i8": ["readBigInt64LE", 8], "<u4": ["readUInt32LE", 4] }[type];
  assert.ok(read, `${path} holds ${type}`);
  const values = Array.from({ length: count }, (_, i) => Number(bytes[read[0]](start + i * read[1])));
  return { shape, values };
}

/** Writes floats [rows, columns] as an .npy file. */
export function writeNpy(path, rows, columns, values) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = text.padEnd(128 - 11) + "\n", bytes = Buffer.alloc(128 + 4 * values.length);
  bytes.write("\x93NUMPY\x01\x00", 0, "latin1");
  bytes.writeUInt16LE(header.length, 8);
  bytes.write(header, 10, "latin1");
  values.forEach((value, i) => bytes.writeFloatLE(value, 128 + 4 * i));
  writeFileSync(path, bytes);
}

/** The labels that `dbn classify` gives the rows of an .npy file. */
export function classified(path) {
  const out = inFolder("labels.csv");
  dbn("classify", MODEL, "--data", `npy:${path}`, "--out", out);
  return predicted(out);
}

/** The labels in a table of `dbn classify`. */
export function predicted(path) {
  const [header, ...lines] = readFileSync(path, "utf8").trim().split("\n"), column = header.split(",").indexOf("predicted");
  return lines.map((line) => Number(line.split(",")[column]));
}
