//! What may stand in a JSON string (RFC 8259, section 7): plain characters, eight of which are looked at
//! at once, and escapes.

use super::given_up::{GivenUp, JsonResult};

/// How many of the eight bytes, from the first one on, are plain characters of a string. The borrow of
/// a subtraction reaches only bytes behind the first that is not plain.
pub(super) fn plain_bytes(eight: &[u8; 8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let word = u64::from_le_bytes(*eight);
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = is_zero(word ^ (ONES * b'"' as u64));
    let backslash = is_zero(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    ((quote | backslash | control) & HIGH).trailing_zeros() as usize / 8
}

pub(super) fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// What an escape of one character stands for.
#[inline]
pub(super) fn single(byte: u8) -> JsonResult<u8> {
    match SINGLE[byte as usize] {
        0 => Err(GivenUp),
        plain => Ok(plain),
    }
}

/// By the character behind the backslash (RFC 8259, section 7); 0 where there is none.
static SINGLE: [u8; 256] = {
    let mut plain = [0; 256];
    plain[b'"' as usize] = b'"';
    plain[b'\\' as usize] = b'\\';
    plain[b'/' as usize] = b'/';
    plain[b'b' as usize] = 0x08;
    plain[b'f' as usize] = 0x0c;
    plain[b'n' as usize] = b'\n';
    plain[b'r' as usize] = b'\r';
    plain[b't' as usize] = b'\t';
    plain
};

/// The four digits of an escape.
pub(super) fn hex(bytes: &[u8]) -> JsonResult<u32> {
    let digits = bytes.get(..4).ok_or(GivenUp)?;
    digits.iter().try_fold(0, |number, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(GivenUp)?;
        Ok(number << 4 | digit)
    })
}

/// The character that `bytes` begin with an escape of, and the escape's length: two of them where
/// the character takes a pair of surrogates.
pub(super) fn code_point(bytes: &[u8]) -> JsonResult<(char, usize)> {
    let first = hex(&bytes[2..])?;
    if !(0xd800..0xdc00).contains(&first) {
        return Ok((char::from_u32(first).ok_or(GivenUp)?, 6));
    }
    let second = match bytes.get(6..8) {
        Some(b"\\u") => hex(&bytes[8..])?,
        _ => return Err(GivenUp),
    };
    let low = second.checked_sub(0xdc00).ok_or(GivenUp)?;
    let joined = char::from_u32(0x10000 + ((first - 0xd800) << 10) + low);
    let is_pair = low < 0x400;
    Ok((joined.filter(|_| is_pair).ok_or(GivenUp)?, 12))
}

/// A string without its escapes, from its text between the quotes; none when serde_json has no string
/// for it.
pub(super) fn unescaped(raw: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{raw}\"")).ok()
}

/// A name with half of a surrogate pair becomes one that no two such names share: none may take the
/// place of another.
pub(super) fn name(raw: &str) -> String {
    let replaced = || raw.replace('\\', char::REPLACEMENT_CHARACTER.encode_utf8(&mut [0; 4]));
    unescaped(raw).unwrap_or_else(replaced)
}
