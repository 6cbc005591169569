// Where the engine starts: in a worker it answers at once, in the page it waits to be called.

import { serve } from "./server.js";

if (typeof document === "undefined") {
  const receive = serve((message) => postMessage(message));
  onmessage = (event) => receive(event.data);
} else {
  globalThis.deepbelief = { serve };
}
