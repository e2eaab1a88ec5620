//! The buffer that librdkafka writes an error text to.

use std::ffi::{CStr, c_char};

/// Holds a reason in librdkafka's words.
pub(in crate::cluster::native) struct ErrorBuffer([c_char; 512]);

impl Default for ErrorBuffer {
    fn default() -> Self {
        Self([0; 512])
    }
}

impl ErrorBuffer {
    pub(in crate::cluster::native) fn start(&mut self) -> *mut c_char {
        self.0.as_mut_ptr()
    }

    pub(in crate::cluster::native) fn size(&self) -> usize {
        self.0.len()
    }

    pub(in crate::cluster::native) fn text(&self) -> String {
        let bytes = self.0.map(c_char::cast_unsigned);
        let text = CStr::from_bytes_until_nul(&bytes);
        text.map_or_else(|_| String::new(), |text| text.to_string_lossy().into())
    }
}
