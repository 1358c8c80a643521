//! Numbers between Rust (unsigned) and SQL (signed 64 bits), in one place.

/// The SQL form. Numbers beyond the signed range (an instant in 292,000 years) become its end.
pub(crate) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The Rust form. No column holds negative numbers: the schema refuses them.
pub(crate) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A count as SQL form.
pub(crate) fn count_to_sql(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
