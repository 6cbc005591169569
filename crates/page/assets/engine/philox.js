// The random numbers of the program: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011), as crates/kernels/src/rng.rs
// addresses it. Counter: [8 * (column / 32) + column % 8, row, step, purpose]; output word (column % 32) / 8 belongs to
// the column. Key: the seed. So the page draws what `dbn` draws.

/** What random numbers are for: the program's streams that the page draws from. */
export const Stream = { picture: 9, user: 10, missing: 20 };

/** High word of the product of two 32-bit numbers. */
function highWord(a, b) {
  const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16;
  const low = Math.imul(al, bl) >>> 16;
  const cross = ((Math.imul(ah, bl) >>> 0) + low) >>> 0;
  const other = ((Math.imul(al, bh) >>> 0) + (cross & 0xffff)) >>> 0;
  return (Math.imul(ah, bh) + (cross >>> 16) + (other >>> 16)) >>> 0;
}

/** One block: the four words of `counter` become four random words. `counter` and `key` are Uint32Arrays. */
export function philox(counter, key) {
  let c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
  for (let round = 0; round < 10; round++) {
    const high0 = highWord(c0, 0xd2511f53), low0 = Math.imul(c0, 0xd2511f53);
    const high1 = highWord(c2, 0xcd9e8d57), low1 = Math.imul(c2, 0xcd9e8d57);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  counter[0] = c0;
  counter[1] = c1;
  counter[2] = c2;
  counter[3] = c3;
}

/** A two-dimensional, infinite array of uniforms in [0, 1), addressed by row and column. */
export class Uniforms {
  /** The numbers of `stream` at `step` under `seed`, a whole number below 2^64 as a BigInt or text. */
  constructor(seed, stream, step) {
    const whole = BigInt.asUintN(64, BigInt(seed));
    this.key = new Uint32Array([Number(whole & 0xffffffffn), Number(whole >> 32n)]);
    this.step = step >>> 0;
    this.purpose = stream;
    this.counter = new Uint32Array(4);
  }

  /** The same numbers for another layer of a stack and another half-step of Gibbs sampling. */
  at(layer, halfStep) {
    this.purpose = (this.purpose & 0xff) | (layer << 8) | (halfStep << 16);
    return this;
  }

  /** The first word of a row as a uniform. */
  first(row) {
    this.draw(0, row);
    return (this.counter[0] >>> 8) / 16777216;
  }

  /** The uniform at one place. */
  one(row, column) {
    this.draw(8 * (column >>> 5) + (column & 7), row);
    return (this.counter[(column & 31) >>> 3] >>> 8) / 16777216;
  }

  draw(place, row) {
    const counter = this.counter;
    counter[0] = place;
    counter[1] = row;
    counter[2] = this.step;
    counter[3] = this.purpose;
    philox(counter, this.key);
  }

  /** Writes the uniforms of columns 0, 1, ... of a row into `out`. */
  fillRow(row, out) {
    const counter = this.counter, columns = out.length;
    for (let block = 0; block < columns; block += 32) {
      for (let lane = 0; lane < 8; lane++) {
        this.draw(block / 4 + lane, row);
        for (let word = 0, column = block + lane; word < 4 && column < columns; word++, column += 8) {
          out[column] = (counter[word] >>> 8) / 16777216;
        }
      }
    }
  }
}
