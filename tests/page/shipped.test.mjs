// The page in models/pages is the one that `dbn page` makes of the shipped net today.

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inflate, fromBase64 } from "../../crates/page/assets/engine/weights.js";
import { page } from "./harness.mjs";

test("the shipped page is what dbn page makes, and small enough to mail", async () => {
  const shipped = join(import.meta.dirname, "../../models/pages/mnist-dbn-final.html");
  const cut = /(<script id="weights"[^>]*>)([^<]*)/, [ours, theirs] = [shipped, page()].map((path) => readFileSync(path, "utf8"));
  const advice = "make it again: dbn page models/mnist-dbn-final.safetensors --out models/pages/mnist-dbn-final.html";
  assert.ok(ours.replace(cut, "$1") === theirs.replace(cut, "$1"), advice);
  // Another compressor may have packed the same weights.
  const weights = await Promise.all([ours, theirs].map((html) => inflate(fromBase64(html.match(cut)[2]))));
  assert.ok(Buffer.compare(...weights.map((bytes) => Buffer.from(bytes))) === 0, advice);
  assert.ok(statSync(shipped).size < 6e6);
});
