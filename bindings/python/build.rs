//! What macOS asks of a module that takes Python's symbols from what loads it. maturin asks for it too, but not
//! `cargo build --workspace`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    pyo3_build_config::add_extension_module_link_args();
}
