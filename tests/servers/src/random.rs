//! Names and secrets that no other instance has.

/// 128 bits in hexadecimal digits.
///
/// # Panics
///
/// When the system has no random numbers.
pub(crate) fn token() -> String {
    bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Random bytes.
///
/// # Panics
///
/// When the system has none.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}
