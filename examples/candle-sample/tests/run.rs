//! The example as a reader runs it.

use std::process::Command;

#[test]
fn ten_digits_are_drawn_into_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_candle-sample")).current_dir(&folder).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let picture = std::fs::read(folder.path().join("digits.pgm")).unwrap();
    assert!(picture.starts_with(b"P5"), "a PGM picture");
    let ink = picture.iter().filter(|&&pixel| pixel > 128).count();
    assert!(ink > 10 * 28, "strokes in it: {ink} bright pixels");
}
