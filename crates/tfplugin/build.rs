//! Compiles the protocol definition, without a protoc on the machine.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(["proto/tfplugin6.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .client_mod_attribute("tfplugin6", "#[cfg(feature = \"testing\")]")
        .compile_fds(descriptors)?;
    Ok(())
}
