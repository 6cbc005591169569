//! The example as a reader runs it.

use std::process::Command;

#[test]
fn the_rbm_is_a_layer() {
    let run = Command::new(env!("CARGO_BIN_EXE_rbm-in-sequential")).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(text.contains("free energ"), "{text}");
}
