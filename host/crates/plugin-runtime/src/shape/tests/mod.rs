//! The codec in both directions over random types and values, its errors, and the rules of evolution.

mod echo;

use proptest::prelude::*;
use serde_json::{Value, json};
use wasmtime::component::Val;

use super::*;

fn field(name: &str, shape: Shape) -> Field {
    Field { name: name.to_owned(), shape }
}

fn case(name: &str, payload: Option<Shape>) -> Case {
    Case { name: name.to_owned(), payload }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("name-{index}")).collect()
}

fn numbered<T>(items: Vec<T>, make: impl Fn(String, T) -> T2<T>) -> Vec<T2<T>> {
    items.into_iter().enumerate().map(|(index, item)| make(format!("name-{index}"), item)).collect()
}

type T2<T> = (String, T);

/// Random types, up to four levels deep.
fn shapes() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            Shape::Bool,
            Shape::S8,
            Shape::U8,
            Shape::S16,
            Shape::U16,
            Shape::S32,
            Shape::U32,
            Shape::S64,
            Shape::U64,
            Shape::F32,
            Shape::F64,
            Shape::Char,
            Shape::String,
        ]),
        (1_usize..5).prop_map(|count| Shape::Enum(names(count))),
        (1_usize..33).prop_map(|count| Shape::Flags(names(count))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| Shape::List(Box::new(of))),
            inner.clone().prop_map(|of| Shape::Option(Box::new(of))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Shape::Tuple),
            prop::collection::vec(inner.clone(), 1..4)
                .prop_map(|of| Shape::Record(numbered(of, |n, s| (n, s)).into_iter().map(|(name, shape)| Field { name, shape }).collect())),
            prop::collection::vec(prop::option::of(inner.clone()), 1..4)
                .prop_map(|of| Shape::Variant(numbered(of, |n, p| (n, p)).into_iter().map(|(name, payload)| Case { name, payload }).collect())),
            (prop::option::of(inner.clone()), prop::option::of(inner))
                .prop_map(|(ok, err)| Shape::Result { ok: ok.map(Box::new), err: err.map(Box::new) }),
        ]
    })
}

fn boxed<S: Strategy<Value = Val> + 'static>(strategy: S) -> BoxedStrategy<Val> {
    strategy.boxed()
}

fn payload(shape: Option<&Shape>) -> BoxedStrategy<Option<Box<Val>>> {
    match shape {
        None => Just(None).boxed(),
        Some(shape) => values(shape).prop_map(|val| Some(Box::new(val))).boxed(),
    }
}

/// Random values of a type; floats are finite, their other values have a test of their own.
fn values(shape: &Shape) -> BoxedStrategy<Val> {
    match shape {
        Shape::Bool => boxed(any::<bool>().prop_map(Val::Bool)),
        Shape::S8 => boxed(any::<i8>().prop_map(Val::S8)),
        Shape::U8 => boxed(any::<u8>().prop_map(Val::U8)),
        Shape::S16 => boxed(any::<i16>().prop_map(Val::S16)),
        Shape::U16 => boxed(any::<u16>().prop_map(Val::U16)),
        Shape::S32 => boxed(any::<i32>().prop_map(Val::S32)),
        Shape::U32 => boxed(any::<u32>().prop_map(Val::U32)),
        Shape::S64 => boxed(any::<i64>().prop_map(Val::S64)),
        Shape::U64 => boxed(any::<u64>().prop_map(Val::U64)),
        Shape::F32 => boxed(any::<f32>().prop_filter("finite", |f| f.is_finite()).prop_map(Val::Float32)),
        Shape::F64 => boxed(any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Val::Float64)),
        Shape::Char => boxed(any::<char>().prop_map(Val::Char)),
        Shape::String => boxed(any::<String>().prop_map(Val::String)),
        Shape::List(of) => boxed(prop::collection::vec(values(of), 0..4).prop_map(Val::List)),
        Shape::Tuple(of) => boxed(of.iter().map(values).collect::<Vec<_>>().prop_map(Val::Tuple)),
        Shape::Record(fields) => {
            let names: Vec<_> = fields.iter().map(|field| field.name.clone()).collect();
            let all = fields.iter().map(|field| values(&field.shape)).collect::<Vec<_>>();
            boxed(all.prop_map(move |vals| Val::Record(names.iter().cloned().zip(vals).collect())))
        }
        Shape::Variant(cases) => {
            let each = cases.iter().map(|case| {
                let name = case.name.clone();
                boxed(payload(case.payload.as_ref()).prop_map(move |payload| Val::Variant(name.clone(), payload)))
            });
            prop::strategy::Union::new(each).boxed()
        }
        Shape::Enum(names) => boxed(prop::sample::select(names.clone()).prop_map(Val::Enum)),
        Shape::Flags(names) => boxed(prop::sample::subsequence(names.clone(), 0..=names.len()).prop_map(Val::Flags)),
        Shape::Option(of) => boxed(prop::option::of(values(of)).prop_map(|val| Val::Option(val.map(Box::new)))),
        Shape::Result { ok, err } => {
            let (ok, err) = (payload(ok.as_deref()), payload(err.as_deref()));
            prop_oneof![ok.prop_map(|val| Val::Result(Ok(val))), err.prop_map(|val| Val::Result(Err(val)))].boxed()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Value to JSON text to value: nothing is lost on the way through the journal.
    #[test]
    fn a_value_survives_the_journal((shape, val) in shapes().prop_flat_map(|shape| { let vals = values(&shape); (Just(shape), vals) })) {
        let json = shape.decode(val.clone()).unwrap();
        let text = serde_json::to_string(&json).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &json);
        let back = shape.encode(&read, UnknownFields::Refuse).unwrap();
        prop_assert_eq!(&back, &val, "{} {}", shape, text);
        // And the other way round: the JSON form is unique.
        prop_assert_eq!(shape.decode(back).unwrap(), json);
    }

    /// Whatever a value is written over, and whether it comes parsed or as text: what is there afterwards is the value and nothing else.
    #[test]
    fn nothing_shows_of_what_a_value_is_written_over(
        (shape, val, before, other) in (shapes(), shapes()).prop_flat_map(|(shape, other)| {
            let (val, before, other) = (values(&shape), values(&shape), values(&other));
            (Just(shape), val, before, other)
        })
    ) {
        let json = shape.decode(val.clone()).unwrap();
        let text = json.to_string();
        for mut over in [BLANK, before, other] {
            shape.write(&json, &mut over, &Rules::new(UnknownFields::Refuse)).unwrap();
            prop_assert_eq!(&over, &val, "{} {}", shape, text);
            shape.write(&mut serde_json::Deserializer::from_str(&text), &mut over, &Rules::new(UnknownFields::Refuse)).unwrap();
            prop_assert_eq!(&over, &val, "{} {}", shape, text);
        }
    }

    /// A value of one type is either refused by another or is a value of it: the codec never panics and never makes up a value.
    #[test]
    fn a_foreign_value_is_refused_or_means_the_same((shape, other, val) in (shapes(), shapes()).prop_flat_map(|(shape, other)| { let vals = values(&shape); (Just(shape), Just(other), vals) })) {
        let json = shape.decode(val).unwrap();
        if let Ok(encoded) = other.encode(&json, UnknownFields::Refuse) {
            prop_assert!(other.decode(encoded).is_ok());
        }
    }

    /// A type goes together with itself in both directions.
    #[test]
    fn a_type_has_no_difference_from_itself(shape in shapes()) {
        for direction in [Direction::ToPlugin, Direction::ToHost] {
            prop_assert_eq!(compare("x", &shape, &shape, direction), vec![]);
        }
    }
}

#[test]
fn floats_that_json_cannot_say_are_refused_with_their_path() {
    let shape = Shape::Record(vec![field("levels", Shape::List(Box::new(Shape::F64)))]);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let val = Val::Record(vec![("levels".to_owned(), Val::List(vec![Val::Float64(0.5), Val::Float64(bad)]))]);
        assert_eq!(shape.decode(val).unwrap_err().to_string(), format!("$.levels[1]: {bad} has no JSON form: expected a finite number"));
    }
    assert!(Shape::F32.decode(Val::Float32(f32::NAN)).is_err());
    assert_eq!(Shape::F32.encode(&json!(1e300), UnknownFields::Drop).unwrap_err().to_string(), "$: expected a number that fits f32, found 1e+300");
}

#[test]
fn integers_are_exact_beyond_two_to_the_53() {
    for (shape, text) in [(Shape::U64, "18446744073709551615"), (Shape::U64, "9007199254740993"), (Shape::S64, "-9223372036854775808")] {
        let json: Value = serde_json::from_str(text).unwrap();
        let val = shape.encode(&json, UnknownFields::Refuse).unwrap();
        assert_eq!(shape.decode(val).unwrap().to_string(), text);
    }
}

#[test]
fn the_json_form_of_each_type_is_the_documented_one() {
    let check = |shape: Shape, val: Val, expected: Value| {
        assert_eq!(shape.decode(val.clone()).unwrap(), expected);
        assert_eq!(shape.encode(&expected, UnknownFields::Refuse).unwrap(), val);
    };
    let some = |val: Val| Val::Option(Some(Box::new(val)));
    let nested = Shape::Option(Box::new(Shape::Option(Box::new(Shape::U8))));
    check(nested.clone(), Val::Option(None), Value::Null);
    check(nested.clone(), some(Val::Option(None)), json!({ "some": null }));
    check(nested, some(some(Val::U8(1))), json!({ "some": 1 }));
    let variant = Shape::Variant(vec![case("plain", None), case("full", Some(Shape::U8))]);
    check(variant.clone(), Val::Variant("plain".to_owned(), None), json!("plain"));
    check(variant, Val::Variant("full".to_owned(), Some(Box::new(Val::U8(3)))), json!({ "full": 3 }));
    let record = Shape::Record(vec![field("a-b", Shape::Option(Box::new(Shape::Char))), field("c", Shape::Tuple(vec![Shape::Bool, Shape::U8]))]);
    let tuple = Val::Tuple(vec![Val::Bool(true), Val::U8(2)]);
    check(record.clone(), Val::Record(vec![("a-b".into(), Val::Option(None)), ("c".into(), tuple.clone())]), json!({ "c": [true, 2] }));
    check(record, Val::Record(vec![("a-b".into(), some(Val::Char('ß'))), ("c".into(), tuple)]), json!({ "a-b": "ß", "c": [true, 2] }));
    let result = Shape::Result { ok: None, err: Some(Box::new(Shape::String)) };
    check(result.clone(), Val::Result(Ok(None)), json!({ "ok": null }));
    check(result, Val::Result(Err(Some(Box::new(Val::String("no".into()))))), json!({ "err": "no" }));
    check(Shape::Flags(names(3)), Val::Flags(vec!["name-0".into(), "name-2".into()]), json!(["name-0", "name-2"]));
}

#[test]
fn what_does_not_fit_is_refused_with_place_and_expectation() {
    let shape = Shape::Record(vec![
        field("items", Shape::List(Box::new(Shape::Record(vec![field("id", Shape::U8)])))),
        field("kind", Shape::Enum(vec!["a".to_owned(), "b".to_owned()])),
        field("set", Shape::Flags(names(2))),
    ]);
    let check = |json: Value, expected: &str| assert_eq!(shape.encode(&json, UnknownFields::Refuse).unwrap_err().to_string(), expected);
    check(json!({}), "$.items: expected list<record { id: u8 }>, found nothing");
    check(json!({ "items": [{ "id": 1 }, { "id": 256 }] }), "$.items[1].id: expected an integer that fits u8, found 256");
    check(json!({ "items": [{ "id": 1.5 }] }), "$.items[0].id: expected an integer that fits u8, found 1.5");
    check(json!({ "items": 1 }), "$.items: expected an array, found 1");
    check(json!({ "items": [], "kind": "c" }), "$.kind: unknown case `c`, expected one of: a, b");
    check(json!({ "items": [], "kind": "a", "set": ["name-0", "name-0"] }), "$.set[1]: `name-0` is given twice");
    check(json!({ "items": [], "kind": "a", "set": [], "other": 1 }), "$.other: unknown field, expected one of: items, kind, set");
    let dropped = shape.encode(&json!({ "items": [], "kind": "a", "set": [], "other": 1 }), UnknownFields::Drop);
    assert!(dropped.is_ok());
}

#[test]
fn what_has_one_case_has_one_field() {
    let check = |shape: &Shape, json: Value, expected: &str| {
        assert_eq!(shape.encode(&json, UnknownFields::Drop).unwrap_err().to_string(), expected);
    };
    let variant = Shape::Variant(vec![case("plain", None), case("full", Some(Shape::U8))]);
    let wanted = r#"$: expected "case" or {"case": payload} with one of: plain, full, found"#;
    check(&variant, json!({}), &format!("{wanted} an object with the fields "));
    check(&variant, json!({ "full": 1, "plain": null }), &format!("{wanted} an object with the fields full, plain"));
    check(&variant, json!(["full"]), &format!("{wanted} an array of 1 elements"));
    check(&variant, json!({ "empty": 1 }), "$: unknown case `empty`, expected one of: plain, full");
    check(&variant, json!("full"), "$.full: expected u8, found nothing");
    check(&variant, json!({ "plain": null }), "$.plain: this case has no payload");
    check(&variant, json!({ "full": "x" }), "$.full: expected an integer that fits u8, found \"x\"");
    let result = Shape::Result { ok: None, err: Some(Box::new(Shape::String)) };
    check(&result, json!({ "ok": 1 }), "$.ok: expected null, found 1");
    check(&result, json!({ "err": 1 }), "$.err: expected a string, found 1");
    check(&result, json!({ "no": 1 }), "$: expected {\"ok\": ..} or {\"err\": ..}, found an object with the fields no");
    let nested = Shape::Option(Box::new(Shape::Option(Box::new(Shape::U8))));
    check(&nested, json!(1), "$: expected null or {\"some\": ..}, found 1");
    check(&nested, json!({ "some": "x" }), "$.some: expected an integer that fits u8, found \"x\"");
    // As text, the number of fields shows only at the end.
    let twice = &mut serde_json::Deserializer::from_str(r#"{"full": 1, "plain": null}"#);
    let mut over = BLANK;
    let error = variant.write(twice, &mut over, &Rules::new(UnknownFields::Drop)).unwrap_err();
    assert_eq!(error.to_string(), "$: expected one field, found several");
    let tuple = Shape::Tuple(vec![Shape::Bool, Shape::Bool]);
    check(&tuple, json!([true]), "$: expected an array of 2 elements, found an array of 1 elements");
    check(&tuple, json!([true, true, 3]), "$: expected an array of 2 elements, found an array of 3 elements");
}

fn check_evolution(direction: Direction, host: Shape, plugin: Shape, expected: &[&str]) {
    let found: Vec<_> = compare("request", &host, &plugin, direction).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{direction:?} {host} {plugin}");
}

#[test]
fn a_contract_evolves_by_the_rules_and_no_further() {
    use Direction::{ToHost, ToPlugin};
    let optional = || Shape::Option(Box::new(Shape::String));
    let one = || Shape::Record(vec![field("id", Shape::String)]);
    let with = |name: &str, shape: Shape| Shape::Record(vec![field("id", Shape::String), field(name, shape)]);
    for direction in [ToPlugin, ToHost] {
        check_evolution(direction, with("note", optional()), one(), &[]);
        check_evolution(direction, one(), with("note", optional()), &[]);
        let missing = "request.note: a required field is missing\n  host:   string\n  plugin: (absent)";
        check_evolution(direction, with("note", Shape::String), one(), &[missing]);
        let changed = "request.note: the type changed\n  host:   string\n  plugin: u32";
        check_evolution(direction, with("note", Shape::String), with("note", Shape::U32), &[changed]);
    }
    let required = "request.note: the plugin requires a field that the host does not send\n  host:   (absent)\n  plugin: string";
    check_evolution(ToPlugin, one(), with("note", Shape::String), &[required]);
    check_evolution(ToHost, one(), with("note", Shape::String), &[]);

    let cases = |last: &str| Shape::Variant(vec![case("a", None), case(last, Some(Shape::U8))]);
    check_evolution(ToPlugin, cases("b"), cases("c"), &[]);
    check_evolution(ToHost, cases("b"), cases("c"), &["request.c: the host does not know this case\n  host:   (absent)\n  plugin: c(u8)"]);
    check_evolution(
        ToHost,
        Shape::Enum(names(1)),
        Shape::Enum(names(2)),
        &["request.name-1: the host does not know this case\n  host:   (absent)\n  plugin: name-1"],
    );
    check_evolution(ToPlugin, Shape::Enum(names(1)), Shape::Enum(names(2)), &[]);
    let payload = |payload| Shape::Variant(vec![case("a", payload)]);
    check_evolution(ToPlugin, payload(None), payload(Some(Shape::U8)), &["request.a: the payload changed\n  host:   (absent)\n  plugin: u8"]);
    let tuple = |count| Shape::Tuple(vec![Shape::U8; count]);
    check_evolution(ToPlugin, tuple(1), tuple(2), &["request: the type changed\n  host:   tuple<u8>\n  plugin: tuple<u8, u8>"]);
    check_evolution(ToPlugin, Shape::String, optional(), &["request: the type changed\n  host:   string\n  plugin: option<string>"]);
}
