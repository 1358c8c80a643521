//! Columns as values for guests: the types that the interface has, and as text those that are common beside them.

use std::{error::Error, fmt::Write as _};

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
};
use tokio_postgres::types::{FromSql, Kind, Type};

use crate::sql::Value;

type Wrong = Box<dyn Error + Sync + Send>;

/// A column's value in the form of the interface.
#[derive(Debug)]
pub(super) struct Cell(pub(super) Value);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Wrong> {
        let text = || String::from_sql(&Type::TEXT, raw).map(Value::Text);
        let value = match *base(ty) {
            Type::BOOL => Value::Boolean(bool::from_sql(ty, raw)?),
            Type::INT2 => Value::Integer(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(ty, raw)?),
            Type::OID => Value::Integer(u32::from_sql(ty, raw)?.into()),
            Type::FLOAT4 => Value::real(f32::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Value::real(f64::from_sql(ty, raw)?),
            Type::NUMERIC => Value::Text(numeric(raw)?),
            Type::UUID => Value::Text(uuid(raw)?),
            Type::BYTEA => Value::bytes(raw),
            // The first byte is the version of the form.
            Type::JSONB => Value::Text(std::str::from_utf8(raw.get(1..).ok_or("no JSON")?)?.to_owned()),
            Type::DATE => Value::Text(Date::from_sql(ty, raw)?.to_string()),
            Type::TIME => Value::Text(Time::from_sql(ty, raw)?.to_string()),
            Type::TIMESTAMP => Value::Text(DateTime::from_sql(ty, raw)?.to_string()),
            Type::TIMESTAMPTZ => Value::Text(Timestamp::from_sql(ty, raw)?.to_string()),
            _ => text()?,
        };
        Ok(Self(value))
    }

    fn from_sql_null(_ty: &Type) -> Result<Self, Wrong> {
        Ok(Self(Value::Null))
    }

    fn accepts(ty: &Type) -> bool {
        let base = base(ty);
        let known = [
            Type::BOOL,
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::OID,
            Type::FLOAT4,
            Type::FLOAT8,
            Type::NUMERIC,
            Type::UUID,
            Type::BYTEA,
            Type::JSON,
            Type::JSONB,
            Type::DATE,
            Type::TIME,
            Type::TIMESTAMP,
            Type::TIMESTAMPTZ,
            Type::TEXT,
            Type::VARCHAR,
            Type::BPCHAR,
            Type::NAME,
        ];
        known.contains(base) || matches!(base.kind(), Kind::Enum(_)) || base.name() == "citext"
    }
}

/// The type under a domain.
fn base(ty: &Type) -> &Type {
    if let Kind::Domain(under) = ty.kind() { base(under) } else { ty }
}

fn uuid(raw: &[u8]) -> Result<String, Wrong> {
    let bytes: [u8; 16] = raw.try_into()?;
    let digits = bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    Ok([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"))
}

/// A number in PostgreSQL's form: digits to the base 10000, the weight of the first, the sign, and how many decimals are shown.
fn numeric(raw: &[u8]) -> Result<String, Wrong> {
    let mut words = raw.chunks_exact(2).map(|two| i16::from_be_bytes([two[0], two[1]]));
    let mut next = || words.next().ok_or("a number that is cut off");
    let (count, weight, sign, scale) = (next()?, next()?, next()?.cast_unsigned(), next()?);
    match sign {
        0xC000 => return Ok("NaN".to_owned()),
        0xD000 => return Ok("Infinity".to_owned()),
        0xF000 => return Ok("-Infinity".to_owned()),
        _ => {}
    }
    let groups: Vec<i16> = words.take(usize::try_from(count)?).collect();
    let group = |at: i32| usize::try_from(i32::from(weight) - at).ok().and_then(|at| groups.get(at)).copied().unwrap_or(0);
    let mut text = if sign == 0x4000 { "-".to_owned() } else { String::new() };
    write!(text, "{}", group(i32::from(weight.max(0))))?;
    for at in (0..i32::from(weight.max(0))).rev() {
        write!(text, "{:04}", group(at))?;
    }
    let decimals = usize::try_from(scale)?;
    if decimals > 0 {
        let digits: String = (1..=decimals.div_ceil(4)).map(|at| format!("{:04}", group(-i32::try_from(at).unwrap_or(i32::MAX)))).collect();
        write!(text, ".{}", &digits[..decimals])?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_server_writes_them() {
        let raw = |words: &[i16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        let cases: &[(&[i16], &str)] = &[
            (&[0, 0, 0, 0], "0"),
            (&[2, 1, 0, 0, 1, 2], "10002"),
            (&[1, 1, 0, 0, 5], "50000"),
            (&[2, 0, 0x4000, 2, 12, 3400], "-12.34"),
            (&[1, -1, 0, 4, 12], "0.0012"),
            (&[1, -2, 0, 6, 500], "0.000005"),
            (&[1, 0, 0, 3, 7], "7.000"),
        ];
        for (words, text) in cases {
            assert_eq!(numeric(&raw(words)).unwrap(), *text, "{words:?}");
        }
        numeric(&[0, 1]).unwrap_err();
    }
}
