//! What kreplay needs from the operating system: files that it writes, child processes, signals, the
//! terminal.

pub(crate) mod clock;
pub(crate) mod console;
pub(crate) mod control;
pub(crate) mod outputs;
pub(crate) mod patience;
pub(crate) mod process;
pub(crate) mod signals;
pub(crate) mod visible;
