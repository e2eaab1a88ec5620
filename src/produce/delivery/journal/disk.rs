//! Writes the journal's file on its own thread: a disk that hangs must not keep a run from ending.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::file::JournalFile;
use crate::host::control::Control;

/// How often a wait for the disk checks its patience.
const STEP: Duration = Duration::from_millis(10);

/// A job for the file.
enum Work {
    Append(Vec<u8>),
    Replace(Vec<u8>),
}

/// The file, and the wait for it.
#[derive(Debug)]
pub(super) struct Disk {
    control: Control,
    /// `None` once the thread has to end.
    work: Option<Sender<Work>>,
    done: Receiver<(io::Result<()>, u64)>,
    thread: Option<JoinHandle<()>>,
    length: u64,
    is_stuck: bool,
}

impl Disk {
    pub(super) fn new(mut file: JournalFile, control: Control) -> Self {
        let length = file.length();
        let (work, todo) = channel();
        let (sender, done) = channel();
        let thread = thread::spawn(move || {
            for work in todo {
                let end = match work {
                    Work::Append(line) => file.append(&line),
                    Work::Replace(text) => file.replace(&text),
                };
                // Nobody listens any more if the run ended meanwhile.
                sender.send((end, file.length())).ok();
            }
        });
        Self {
            control,
            work: Some(work),
            done,
            thread: Some(thread),
            length,
            is_stuck: false,
        }
    }

    /// Bytes of whole lines.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether the wait for the disk was given up: nobody knows what it has written.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck
    }

    /// See [`JournalFile::append`].
    ///
    /// # Errors
    /// Returns the system's error, or an error if the run has to end and the disk takes nothing.
    pub(super) fn append(&mut self, line: Vec<u8>) -> io::Result<()> {
        self.wait_for(Work::Append(line))
    }

    /// See [`JournalFile::replace`].
    ///
    /// # Errors
    /// Fails as [`Disk::append`] does.
    pub(super) fn replace(&mut self, text: Vec<u8>) -> io::Result<()> {
        self.wait_for(Work::Replace(text))
    }

    fn wait_for(&mut self, work: Work) -> io::Result<()> {
        let stuck = || io::Error::other("it took no more data when the run had to end");
        if self.is_stuck {
            return Err(stuck());
        }
        let started = Instant::now();
        let sent = self.work.as_ref().map(|thread| thread.send(work));
        let mut received = match sent {
            Some(Ok(())) => self.done.recv_timeout(STEP),
            _ => Err(RecvTimeoutError::Disconnected),
        };
        loop {
            match received {
                Ok((end, length)) => {
                    self.length = length;
                    return end;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.is_stuck = true;
                    return Err(io::Error::other("the thread that writes it panicked"));
                }
            }
            let patience = self.control.patience();
            if patience.is_some_and(|patience| started.elapsed() > patience) {
                self.is_stuck = true;
                return Err(stuck());
            }
            received = self.done.recv_timeout(STEP);
        }
    }
}

impl Drop for Disk {
    /// Ends the thread, and with it the lock on the file.
    fn drop(&mut self) {
        self.work = None;
        let thread = self.thread.take().filter(|_| !self.is_stuck);
        // The last wait has already noticed a panic of the thread.
        _ = thread.map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::control::Shutdown;

    #[test]
    fn a_disk_that_hangs_does_not_keep_the_run_from_ending() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let (file, _) = JournalFile::open(&path).expect("it is new");
        let control = Control::default();
        let mut disk = Disk::new(file, control.clone());
        disk.append(b"one\n".to_vec()).expect("there is room");
        assert_eq!((disk.length(), disk.is_stuck()), (4, false));
        // A disk that never answers.
        let (hung, done) = channel();
        disk.done = done;
        control.escalate(Shutdown::Immediate);
        let error = disk.append(b"two\n".to_vec()).expect_err("it hangs");
        let why = "it took no more data when the run had to end";
        assert_eq!((error.to_string().as_str(), disk.is_stuck()), (why, true));
        disk.append(b"three\n".to_vec())
            .expect_err("it was given up");
        drop(hung);
    }
}
