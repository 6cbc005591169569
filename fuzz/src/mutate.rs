//! Mutations of files: bits and bytes, numbers that headers have trouble with, parts cut, doubled,
//! moved between files, digits and brackets of text.

/// Pseudo-random numbers, the same on every machine (xorshift64*; Vigna 2016).
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// One of several things.
    ///
    /// # Panics
    /// If there are none.
    pub fn of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }
}

/// Longest input.
const LONGEST: usize = 1 << 16;

const NUMBERS: [u64; 14] =
    [0, 1, 2, 127, 128, 255, 256, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, i64::MAX as u64, u64::MAX];

const WORDS: [&str; 22] = [
    "99999999999999999999",
    "-1",
    "0",
    "1e999",
    "nan",
    "inf",
    "[",
    "]",
    "{",
    "}",
    "\"",
    ",",
    ":",
    "\n",
    "\r\n",
    "\\u0000",
    "../",
    "/",
    "\u{feff}",
    "é",
    "4294967296",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// Changes `bytes` in one to eight places; `other` may lend a part.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let more = if random.below(2) == 0 { 0 } else { random.below(6) };
    for _ in 0..=more {
        let length = bytes.len();
        let at = random.below(length + 1).min(if random.below(2) == 0 { length } else { random.below(256) });
        let span = |random: &mut Random, length: usize| random.below(length + 1).min(1 + random.below(64));
        match random.below(9) {
            0 | 1 if at < length => bytes[at] ^= 1 << random.below(8),
            2 if at < length => bytes[at] = random.below(256) as u8,
            3 => {
                let number = *random.of(&NUMBERS);
                let width = *random.of(&[1, 2, 4, 8]);
                let mut number = number.to_le_bytes()[..width].to_vec();
                if random.below(2) == 0 {
                    number.reverse();
                }
                if at + width <= length {
                    bytes[at..at + width].copy_from_slice(&number);
                }
            }
            4 => {
                let end = at + span(random, length - at);
                bytes.drain(at..end);
            }
            5 => {
                let part = bytes[at..at + span(random, length - at)].to_vec();
                let to = random.below(length + 1);
                bytes.splice(to..to, part);
            }
            6 => {
                let from = random.below(other.len() + 1);
                let part = other[from..from + span(random, other.len() - from)].to_vec();
                let end = if random.below(2) == 0 { at } else { (at + part.len()).min(length) };
                bytes.splice(at..end, part);
            }
            7 => {
                let word = random.of(&WORDS).bytes();
                let end = (at + random.below(3)).min(length);
                bytes.splice(at..end, word);
            }
            _ if random.below(8) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes.truncate(LONGEST);
}
