//! Fuzzes the second opinion, by any status and any words. `crates/core/fuzz/run opinion` says how.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
#[path = "invariants/opinion.rs"]
mod invariants;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| invariants::hold(input));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("this was built without a fuzzer: run crates/core/fuzz/run opinion");
}
