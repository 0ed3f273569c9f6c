//! The program: settings, wiring, HTTP, the embedded client, shutdown.
fn main() {}
