//! Objects, texts and lists of librdkafka, owned by Rust.

use std::ffi::{CStr, c_char};

/// An object of librdkafka that is destroyed when it is dropped.
pub(in crate::cluster::native) struct Owned<T> {
    ptr: *mut T,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// `None` for a null pointer, which is not destroyed.
    ///
    /// # Safety
    /// A pointer that is not null must point to an object that belongs to the caller, and `destroy` must be
    /// the function that librdkafka names for it.
    pub(in crate::cluster::native) unsafe fn new(
        ptr: *mut T,
        destroy: unsafe extern "C" fn(*mut T),
    ) -> Option<Self> {
        match ptr.is_null() {
            true => None,
            false => Some(Self { ptr, destroy }),
        }
    }

    /// The object, which lives as long as `self`.
    pub(in crate::cluster::native) fn ptr(&self) -> *mut T {
        self.ptr
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the caller of `new` promised an object of ours and its destructor; it is destroyed only
        // here.
        unsafe { (self.destroy)(self.ptr) }
    }
}

/// Copies a text of librdkafka; empty for a null pointer.
///
/// # Safety
/// `text` must be null or end with a NUL, and must outlive the call.
pub(in crate::cluster::native) unsafe fn text(text: *const c_char) -> String {
    match text.is_null() {
        true => String::new(),
        // SAFETY: as the caller promises.
        false => unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned(),
    }
}

/// A list of librdkafka as a slice: librdkafka returns a null pointer for an empty list.
///
/// # Safety
/// `list` must be null or point to `count` pointers that live through `'a`.
pub(in crate::cluster::native) unsafe fn slice<'a, T>(
    list: *mut *const T,
    count: usize,
) -> &'a [*const T] {
    match list.is_null() {
        true => &[],
        // SAFETY: as the caller promises.
        false => unsafe { std::slice::from_raw_parts(list, count) },
    }
}

/// Keeps programs that are started from now on from inheriting open files: otherwise they would inherit the
/// pipes that librdkafka makes, and with them the ends of connections.
pub(crate) fn keep_descriptors() {
    let Ok(open) = std::fs::read_dir("/dev/fd") else {
        return;
    };
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    for number in numbers.filter(|number| *number > 2) {
        // SAFETY: the call takes only numbers and touches no memory. It refuses a descriptor that has been
        // closed meanwhile (EBADF), and the flag is right as well for one that has been opened meanwhile.
        unsafe {
            nix::libc::fcntl(number, nix::libc::F_SETFD, nix::libc::FD_CLOEXEC);
        }
    }
}

/// How many files and connections the process may have open (`ulimit -n`).
pub(crate) fn most_descriptors() -> usize {
    let mut limit = nix::libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the call writes to the structure that it is given, which lives through it. It cannot fail for
    // this limit; the limit would then stay 0.
    unsafe { nix::libc::getrlimit(nix::libc::RLIMIT_NOFILE, &raw mut limit) };
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

/// The versions of the C libraries that are linked into kreplay, as the libraries report them:
/// librdkafka's, then OpenSSL's.
pub(crate) fn linked_versions() -> [String; 2] {
    // SAFETY: both take no pointer and return a text of the library's own, which is never freed
    // (rdkafka.h, rd_kafka_version_str; OPENSSL_VERSION_NUMBER(3)).
    let (librdkafka, openssl) = unsafe {
        (
            rdkafka::bindings::rd_kafka_version_str(),
            openssl_sys::OpenSSL_version(openssl_sys::OPENSSL_VERSION),
        )
    };
    // SAFETY: as above; both end with a NUL.
    [librdkafka, openssl].map(|version| unsafe { text(version) })
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    static DESTROYED: AtomicU32 = AtomicU32::new(0);

    unsafe extern "C" fn destroy(ptr: *mut u8) {
        assert!(!ptr.is_null());
        DESTROYED.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn null_is_not_destroyed_and_a_pointer_is_destroyed_once() {
        let mut object = 0;
        // SAFETY: the destructor does not look at what it is given.
        let (nothing, something) = unsafe {
            (
                Owned::new(ptr::null_mut(), destroy),
                Owned::new(&raw mut object, destroy),
            )
        };
        assert!(nothing.is_none() && something.is_some());
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 0);
        drop((nothing, something));
        assert_eq!(DESTROYED.load(Ordering::SeqCst), 1);
    }
}
