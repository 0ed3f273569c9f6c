//! Generated files, tidy checks, benches and the gate.
fn main() {}
