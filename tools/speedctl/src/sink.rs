//! Where rows go, and where the faults in the middle happen: cut, slow, silent or killed after a number of
//! rows.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use crate::faults::{Faults, kill_self, sleep_forever};

/// How much of the stderr noise goes with one row.
const NOISE_PER_ROW: usize = 4096;

/// A buffered output that counts its rows.
pub(crate) struct RowSink<'a> {
    out: BufWriter<Box<dyn Write>>,
    /// How many bytes may still be written before the output is cut.
    room: u64,
    rows: u64,
    noise: usize,
    faults: &'a Faults,
}

impl<'a> RowSink<'a> {
    /// Wraps an output; half of the stderr noise has been written by then.
    pub(crate) fn new(out: Box<dyn Write>, faults: &'a Faults) -> Self {
        let cut = faults.number("cut").or(faults.number("cut-fail"));
        Self {
            out: BufWriter::with_capacity(1 << 16, out),
            room: cut.unwrap_or(u64::MAX),
            rows: 0,
            noise: faults.noise_while_writing(),
            faults,
        }
    }

    /// Writes what comes before the rows; breaks if the output is cut there.
    pub(crate) fn head(&mut self, bytes: &[u8]) -> io::Result<ControlFlow<()>> {
        let flow = self.write(bytes)?;
        self.strike()?;
        Ok(flow)
    }

    /// Writes one row; breaks when the output is cut there.
    pub(crate) fn row(&mut self, bytes: &[u8]) -> io::Result<ControlFlow<()>> {
        let flow = self.write(bytes)?;
        if flow.is_continue() {
            self.rows += 1;
            self.make_noise(NOISE_PER_ROW)?;
            self.strike()?;
        }
        Ok(flow)
    }

    /// Flushes and returns how many rows were written. A fault that waits for more rows than there are strikes here.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.make_noise(usize::MAX)?;
        self.out.flush()?;
        if self.faults.number("kill-self").is_some() {
            kill_self();
        }
        if self.faults.number("silent-after").is_some() {
            sleep_forever();
        }
        Ok(self.rows)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<ControlFlow<()>> {
        let fits = usize::try_from(self.room)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.out.write_all(&bytes[..fits])?;
        self.room = self.room.saturating_sub(fits as u64);
        if fits < bytes.len() {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn strike(&mut self) -> io::Result<()> {
        if self.faults.number("kill-self") == Some(self.rows) {
            self.out.flush()?;
            kill_self();
        }
        if self.faults.number("silent-after") == Some(self.rows) {
            self.out.flush()?;
            sleep_forever();
        }
        if let Some(pause_ms) = self.faults.number("slow") {
            self.out.flush()?;
            thread::sleep(Duration::from_millis(pause_ms));
        }
        Ok(())
    }

    fn make_noise(&mut self, most: usize) -> io::Result<()> {
        let now = self.noise.min(most);
        self.noise -= now;
        crate::faults::write_noise(now)
    }
}
