// The link to the engine: a worker where the browser allows one, else the engine in the page itself.

import { byId } from "./elements.js";

export class Link {
  constructor() {
    this.listeners = {};
    this.last = {};
    try {
      const url = URL.createObjectURL(new Blob([byId("engine").textContent], { type: "text/javascript" }));
      const worker = new Worker(url);
      worker.onmessage = (event) => this.take(event.data);
      worker.onerror = (event) => {
        // Some browsers refuse a worker only after it was made.
        event.preventDefault();
        if (!this.opened) this.stayHere();
      };
      this.post = (message) => worker.postMessage(message);
      this.where = "worker";
    } catch {
      this.stayHere();
    }
  }

  stayHere() {
    const receive = globalThis.deepbelief.serve((message) => setTimeout(() => this.take(message)));
    this.post = receive;
    this.where = "page";
    if (this.first) this.post(this.first);
  }

  /** Calls `listener` with each message of a kind. */
  on(kind, listener) {
    (this.listeners[kind] ??= []).push(listener);
  }

  send(kind, message = {}) {
    const whole = { kind, ...message };
    if (kind === "open") this.first = whole;
    this.post(whole);
  }

  take(message) {
    if (message.kind === "opened") this.opened = true;
    this.last[message.kind] = message;
    for (const listener of this.listeners[message.kind] ?? []) listener(message);
  }
}
