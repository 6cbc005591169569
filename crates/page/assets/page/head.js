// What both kinds of pages begin with: the header of the file, the words on top, the engine.

import { byId, counted, element } from "./elements.js";
import { Link } from "./link.js";

export const header = JSON.parse(byId("header").textContent);

/** Names of the classes, numbers where they have none. */
export const classNames = () => Array.from({ length: header.classes }, (_, label) => header.class_names[label] ?? String(label));

/** Leaves of the words in the page those that hold of the model: `data-if` names what must be true of it. */
function adapt() {
  const deep = header.sizes.length > 2, labels = header.classes > 0;
  const untied = header.tensors.some(({ name }) => name.endsWith(".gen"));
  const starts = header.starts_at_examples === true;
  const holds = { deep, rbm: !deep, labels, unlabelled: !labels, untied, starts };
  for (const node of document.querySelectorAll("[data-if]")) {
    if (!node.dataset.if.split(" ").every((word) => holds[word])) node.remove();
  }
}

/** Says what the model is. */
export function introduce() {
  adapt();
  const { named_sizes: sizes, classes, data, facts, name } = header;
  const kind = sizes.length > 2 ? "A deep belief net" : "A restricted Boltzmann machine";
  const labels = classes > 0 ? ` and ${counted(classes)} labels` : "";
  byId("name").textContent = name;
  byId("summary").textContent =
    `${kind} of ${sizes.map(counted).join(" – ")} units${labels}` + (data ? `, trained on ${data}.` : ".");
  byId("facts").append(...facts.flatMap(([fact, value]) => [element("dt", {}, fact), element("dd", {}, value)]));
  byId("facts").hidden = facts.length === 0;
}

/** Opens the engine, and calls `ready` with the link to it when it has read the weights. */
export function open(model, ready) {
  const link = new Link();
  // For those who want the numbers: the last answer of the engine of each kind, and what it is asked.
  Object.assign(globalThis.deepbelief, { link, model });
  link.on("failed", ({ what }) => {
    byId("loading").hidden = true;
    byId("trouble").hidden = false;
    byId("trouble").textContent = `Something went wrong: ${what}`;
  });
  link.on("opening", ({ share }) => (byId("loaded").value = share));
  link.on("opened", () => {
    ready(link);
    byId("loading").hidden = true;
    document.body.classList.add("ready");
  });
  link.send("open", { header, weights: byId("weights").textContent });
}
