//! Values of random types through a real component that returns what it is given: JSON, `Val`, the canonical ABI, and back.

use std::fmt::Write as _;

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use wasmtime::{
    Engine, Store,
    component::{Component, Linker, Val, types::ComponentItem},
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser_tests::Resolve;

use super::{super::*, shapes, values};

/// How many types are tried, each with as many values.
const TYPES: usize = 40;
const VALUES: usize = 8;

#[test]
fn a_value_of_a_random_type_survives_a_component() {
    let engine = Engine::default();
    let mut runner = TestRunner::deterministic();
    for _ in 0..TYPES {
        let shape = shapes().new_tree(&mut runner).unwrap().current();
        let component = Component::from_binary(&engine, &echo(&shape)).unwrap();
        let (found, index) = exported(&component);
        // The two ways to a shape agree: WIT was printed from the first, the second was read from the component.
        assert_eq!(found.params[0].shape, padded(&shape), "{shape}");
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let echo = instance.get_func(&mut store, index).unwrap();
        for _ in 0..VALUES {
            let val = values(&shape).new_tree(&mut runner).unwrap().current();
            let json = found.params[0].shape.decode(padded_value(val)).unwrap();
            let argument = found.params[0].shape.encode(&json, UnknownFields::Refuse).unwrap();
            let mut results = [Val::Bool(false)];
            echo.call(&mut store, &[argument], &mut results).unwrap();
            let [result] = results;
            assert_eq!(found.result.as_ref().unwrap().decode(result).unwrap(), json, "{shape}");
        }
    }
}

/// Seventeen flat values and more travel in memory, both ways in the same form: so a function that returns its pointer returns its argument.
fn padded(shape: &Shape) -> Shape {
    let mut all = vec![shape.clone()];
    all.extend(std::iter::repeat_n(Shape::U64, 17));
    Shape::Tuple(all)
}

fn padded_value(val: Val) -> Val {
    let mut all = vec![val];
    all.extend((0..17).map(|index| Val::U64(u64::MAX - index)));
    Val::Tuple(all)
}

fn exported(component: &Component) -> (FunctionShape, wasmtime::component::ComponentExportIndex) {
    let instance = component.get_export_index(None, "acme:echo/echo").unwrap();
    let (item, index) = component.get_export(Some(&instance), "echo").unwrap();
    let ComponentItem::ComponentFunc(ty) = item else { panic!("expected a function") };
    (FunctionShape::of_component_func(&ty).unwrap(), index)
}

fn echo(shape: &Shape) -> Vec<u8> {
    let mut declared = Declared::default();
    let name = declared.name(&padded(shape));
    let wit =
        format!("package acme:echo;\ninterface echo {{\n{}echo: func(x: {name}) -> {name};\n}}\nworld plugin {{ export echo; }}", declared.text);
    let mut resolve = Resolve::default();
    let package = resolve.push_source("echo.wit", &wit).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let module = r#"(module
        (memory (export "memory") 16)
        (global $next (mut i32) (i32.const 1024))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 3))))
        (func (export "acme:echo/echo#echo") (param i32) (result i32) (local.get 0)))"#;
    let mut bytes = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&bytes).unwrap().validate(true).encode().unwrap()
}

/// WIT declarations of the types that must have a name.
#[derive(Default)]
struct Declared {
    text: String,
    count: usize,
}

impl Declared {
    fn name(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::List(of) => format!("list<{}>", self.name(of)),
            Shape::Option(of) => format!("option<{}>", self.name(of)),
            Shape::Tuple(of) => format!("tuple<{}>", of.iter().map(|of| self.name(of)).collect::<Vec<_>>().join(", ")),
            Shape::Result { ok, err } => {
                let ok = ok.as_ref().map_or("_".to_owned(), |ok| self.name(ok));
                match err {
                    Some(err) => format!("result<{ok}, {}>", self.name(err)),
                    None if ok == "_" => "result".to_owned(),
                    None => format!("result<{ok}>"),
                }
            }
            Shape::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|field| format!("{}: {}", field.name, self.name(&field.shape))).collect();
                self.declare("record", &fields)
            }
            Shape::Variant(cases) => {
                let case = |case: &Case| match &case.payload {
                    None => case.name.clone(),
                    Some(payload) => format!("{}({})", case.name, self.name(payload)),
                };
                let cases: Vec<_> = cases.iter().map(case).collect();
                self.declare("variant", &cases)
            }
            Shape::Enum(names) => self.declare("enum", names),
            Shape::Flags(names) => self.declare("flags", names),
            Shape::Bool
            | Shape::S8
            | Shape::U8
            | Shape::S16
            | Shape::U16
            | Shape::S32
            | Shape::U32
            | Shape::S64
            | Shape::U64
            | Shape::F32
            | Shape::F64
            | Shape::Char
            | Shape::String => shape.to_string(),
        }
    }

    fn declare(&mut self, kind: &str, items: &[String]) -> String {
        let name = format!("type-{}", self.count);
        self.count += 1;
        writeln!(self.text, "{kind} {name} {{ {} }}", items.join(", ")).unwrap();
        name
    }
}
