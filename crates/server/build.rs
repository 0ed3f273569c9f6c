//! The client's files are part of the binary: a new one must lead to a new binary.

fn main() {
    println!("cargo::rerun-if-changed=../../web");
}
