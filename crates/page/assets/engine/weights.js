// The weights as the page holds them: float16 numbers, their low bytes before their high bytes, deflated, in base64.
// crates/page/src/weights.rs writes them.

/** The float of sixteen bits: sign, five bits of exponent, ten of fraction. */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >>> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bytes that a base64 text stands for. */
export function fromBase64(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The bytes that deflated bytes stand for. */
export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** All tensors of a page, by their names. `tensors` lists name, shape and type, in the order in which they lie; `progress`
    is called with the share of the bytes that is read. */
export async function readTensors(tensors, text, progress = () => {}) {
  const bytes = await inflate(fromBase64(text));
  const table = Float32Array.from({ length: 65536 }, (_, bits) => fromHalf(bits));
  const out = {};
  let at = 0;
  for (const { name, shape, type } of tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = new Float32Array(count);
    if (type === "f16") {
      for (let i = 0; i < count; i++) values[i] = table[bytes[at + i] | (bytes[at + count + i] << 8)];
      at += 2 * count;
    } else {
      const view = new DataView(bytes.buffer, at, 4 * count);
      for (let i = 0; i < count; i++) values[i] = view.getFloat32(4 * i, true);
      at += 4 * count;
    }
    out[name] = values;
    progress(at / bytes.length);
  }
  if (at !== bytes.length) throw new Error("the weights of this page are damaged: make it again with dbn page");
  return out;
}
