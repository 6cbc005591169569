//! The checkpoints of the repository are those that `models/SHA256SUMS` and `models/README.md` list.

use std::path::Path;

#[test]
fn shipped_checkpoints_are_those_that_are_listed() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let text = |name: &str| std::fs::read_to_string(models.join(name)).unwrap();
    let (sums, page) = (text("SHA256SUMS"), text("README.md"));
    let listed: Vec<(&str, &str)> = sums.lines().map(|line| line.split_once("  ").unwrap()).collect();
    for (hash, name) in &listed {
        let bytes = std::fs::read(models.join(name)).unwrap();
        assert_eq!(deepbelief_data::sha256(&bytes), *hash, "{name}");
        let size = bytes.len().to_string();
        let row =
            page.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap_or_else(|| panic!("{name}"));
        assert!(row.replace(',', "").contains(&format!("| {size} |")), "{size} bytes: {row}");
    }
    let there = std::fs::read_dir(&models).unwrap().flatten();
    let there = there.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "safetensors")).count();
    assert_eq!(there, listed.len());
}
