//! Fuzzes reading a webhook's body, of any bytes. `crates/core/fuzz/run body` says how.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
#[path = "invariants/body.rs"]
mod invariants;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| invariants::hold(input));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("this was built without a fuzzer: run crates/core/fuzz/run body");
}
