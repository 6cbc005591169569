//! Compiles the CUDA kernels to PTX where the feature asks for them.

fn main() {
    println!("cargo:rerun-if-changed=kernels");
    #[cfg(feature = "cuda")]
    cuda();
}

/// `kernels/*.cu` become constants of a Rust file. Fused multiply-add is off, so that a kernel's
/// arithmetic is the CPU's.
#[cfg(feature = "cuda")]
fn cuda() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let ptx = cudaforge::KernelBuilder::new()
        .source_dir("kernels")
        .args(["-std=c++17", "-O3", "-fmad=false"])
        .build_ptx()
        .and_then(|ptx| ptx.write(out.join("ptx.rs")));
    if let Err(error) = ptx {
        panic!("the CUDA kernels were not compiled: {error}; `just cuda-toolchain` installs a compiler");
    }
}
