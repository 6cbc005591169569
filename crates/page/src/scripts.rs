//! The scripts of the page: modules joined into one text.
//!
//! In the file there is nothing to import from, so modules are laid one after the other, each after those that it
//! imports, without their imports and the word `export`. All share one scope: no two may have a name of their own in
//! common, which a browser refuses to run, and the tests with it.

/// The engine: random numbers, the net, and what answers the page. It alone runs in the worker.
pub(crate) fn engine() -> String {
    joined(&[
        include_str!("../assets/engine/philox.js"),
        include_str!("../assets/engine/products.js"),
        include_str!("../assets/engine/weights.js"),
        include_str!("../assets/engine/net.js"),
        include_str!("../assets/engine/chains.js"),
        include_str!("../assets/engine/completion.js"),
        include_str!("../assets/engine/given.js"),
        include_str!("../assets/engine/units.js"),
        include_str!("../assets/engine/server.js"),
        include_str!("../assets/engine/start.js"),
    ])
}

/// What one sees and touches of a model of pictures.
pub(crate) fn pictures() -> String {
    joined(&[
        include_str!("../assets/page/elements.js"),
        include_str!("../assets/page/colours.js"),
        include_str!("../assets/page/pictures.js"),
        include_str!("../assets/page/pad.js"),
        include_str!("../assets/page/activity.js"),
        include_str!("../assets/page/link.js"),
        include_str!("../assets/page/head.js"),
        include_str!("../assets/page/recognise.js"),
        include_str!("../assets/page/dream.js"),
        include_str!("../assets/page/complete.js"),
        include_str!("../assets/page/touch.js"),
        include_str!("../assets/page/main.js"),
    ])
}

/// What one sees and touches of a model of a table.
pub(crate) fn table() -> String {
    joined(&[
        include_str!("../assets/page/elements.js"),
        include_str!("../assets/page/link.js"),
        include_str!("../assets/page/head.js"),
        include_str!("../assets/page/table.js"),
        include_str!("../assets/page/table-main.js"),
    ])
}

fn joined(modules: &[&str]) -> String {
    let mut out = String::new();
    for module in modules {
        for line in module.lines().filter(|line| !line.starts_with("import ")) {
            out.push_str(line.strip_prefix("export ").unwrap_or(line));
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_become_one_script() {
        let modules = ["export function a() {}\n", "import { a } from \"./a.js\";\n\nexport const b = a();\n"];
        assert_eq!(joined(&modules), "function a() {}\n\nconst b = a();\n");
    }

    /// A closing tag or an import over several lines would break the file.
    #[test]
    fn scripts_can_stand_in_a_page() {
        for script in [engine(), pictures(), table()] {
            assert!(!script.to_lowercase().contains("</script") && !script.contains("<!--"));
            assert!(!script.contains(" from \"./"), "an import is left");
        }
    }
}
