//! The binary: an allocator, and the program.

use std::process::ExitCode;

/// librdkafka allocates for each record; this allocator serves its C code too and halves the cost.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kreplay::main()
}
