//! The example as a reader runs it.

use std::process::Command;

#[test]
fn the_head_learns_over_the_frozen_net() {
    let run = Command::new(env!("CARGO_BIN_EXE_candle-frozen-encoder")).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let (_, rest) = text.split_once("is wrong in ").unwrap();
    let numbers: Vec<u32> = rest.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // Half of the digits have a hole or nearly so: guessing is wrong in four of ten.
    assert!(numbers.len() == 2 && 10 * numbers[0] < numbers[1], "{text}");
}
