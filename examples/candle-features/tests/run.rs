//! The example as a reader runs it.

use std::process::Command;

#[test]
fn features_tell_more_than_pixels() {
    let run = Command::new(env!("CARGO_BIN_EXE_candle-features")).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let wrong = |name: &str| -> u32 {
        let line = text.lines().find(|line| line.contains(&format!("their {name}"))).unwrap();
        line.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
    };
    assert!(wrong("features") < wrong("pixels"), "{text}");
}
