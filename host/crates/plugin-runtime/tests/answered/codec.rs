//! What must hold for any JSON text as a value of any type: it is refused, or it is a value that comes back as it is. Property tests and the fuzz target call it.
//!
//! The type is the first line of the input, a letter for each type; the JSON text is the rest.

use std::str::Chars;

use plugin_runtime::shape::{Case, Field, Shape, UnknownFields};
use serde_json::Value;

/// One input.
pub(crate) fn codec(text: &str) {
    let Some((head, json)) = text.split_once('\n') else { return };
    let (Some(shape), Ok(json)) = (shape(&mut head.chars(), 0), serde_json::from_str::<Value>(json)) else { return };
    for unknown in [UnknownFields::Drop, UnknownFields::Refuse] {
        let Ok(val) = shape.encode(&json, unknown) else { continue };
        let back = shape.decode(val.clone()).expect("what came from JSON has a JSON form");
        let again = shape.encode(&back, UnknownFields::Refuse).expect("what was decoded can be encoded");
        assert_eq!(again, val, "{shape} {json} {back}");
    }
}

/// A letter for each type, followed by the types within: `rsu` is a record of a text and a number.
fn shape(letters: &mut Chars<'_>, depth: usize) -> Option<Shape> {
    if depth > 8 {
        return None;
    }
    let letter = letters.next()?;
    let mut within = || shape(letters, depth + 1);
    let names = || ["a", "b", "c"].map(str::to_owned).to_vec();
    Some(match letter {
        'b' => Shape::Bool,
        'c' => Shape::Char,
        'd' => Shape::S8,
        'u' => Shape::U64,
        'i' => Shape::S64,
        'w' => Shape::U32,
        'f' => Shape::F32,
        'F' => Shape::F64,
        's' => Shape::String,
        'e' => Shape::Enum(names()),
        'g' => Shape::Flags(names()),
        'l' => Shape::List(Box::new(within()?)),
        'o' => Shape::Option(Box::new(within()?)),
        't' => Shape::Tuple(vec![within()?, within()?]),
        'r' => Shape::Record(vec![Field { name: "a".to_owned(), shape: within()? }, Field { name: "b".to_owned(), shape: within()? }]),
        'v' => Shape::Variant(vec![Case { name: "a".to_owned(), payload: None }, Case { name: "b".to_owned(), payload: Some(within()?) }]),
        'R' => Shape::Result { ok: Some(Box::new(within()?)), err: Some(Box::new(within()?)) },
        _ => return None,
    })
}
