//! For libFuzzer: the first byte of an input chooses the reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    deepbelief_fuzz::any(bytes);
});
