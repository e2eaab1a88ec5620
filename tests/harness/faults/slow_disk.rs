//! A slow disk under a journal: each write to it takes as long as the test says.
//!
//! It needs a C compiler, as the build of kreplay does.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::super::run::Run;

/// Delays `write` to files with `journal` in their paths, half before and half after.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
ssize_t write(int fd, const void *bytes, size_t count) {
    ssize_t (*system)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    const char *us = getenv("SLOW_DISK_US");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    useconds_t half = us && strstr(path, "journal") ? atoi(us) / 2 : 0;
    const char *hung = getenv("HUNG_DISK");
    if (hung && strstr(path, "journal") && access(hung, F_OK) == 0) {
        char entered[4096];
        snprintf(entered, sizeof entered, "%s.entered", hung);
        FILE *marker = fopen(entered, "w");
        if (marker) fclose(marker);
        while (access(hung, F_OK) == 0) usleep(10000);
    }
    if (half) usleep(half);
    ssize_t written = system(fd, bytes, count);
    if (half) usleep(half);
    return written;
}
"#;

/// Makes journals slow; the library for that goes with it.
pub(crate) struct SlowDisk {
    folder: TempDir,
    write: Duration,
}

impl fmt::Debug for SlowDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} a write", self.write)
    }
}

impl SlowDisk {
    /// A disk on which a write takes this long.
    ///
    /// # Panics
    /// Panics if `cc` does not compile the library.
    pub(crate) fn new(write: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let source = folder.path().join("slow.c");
        std::fs::write(&source, SOURCE).expect("the folder is writable");
        let disk = Self { folder, write };
        let compiled = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(disk.library())
            .arg(&source)
            .arg("-ldl")
            .status();
        let compiled = compiled.is_ok_and(|status| status.success());
        assert!(compiled, "`cc` does not compile {}", source.display());
        disk
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("slow.so")
    }

    /// Puts a run's journal on this disk, which hangs as long as a file `hung` exists; a write that has begun
    /// to hang creates a file `hung.entered`.
    pub(crate) fn hanging(&self, run: Run, hung: &Path) -> Run {
        run.env("LD_PRELOAD", self.library()).env("HUNG_DISK", hung)
    }

    /// Puts a run's journal on this disk.
    pub(crate) fn under(&self, run: Run) -> Run {
        if self.write.is_zero() {
            return run;
        }
        run.env("LD_PRELOAD", self.library())
            .env("SLOW_DISK_US", self.write.as_micros().to_string())
    }
}
