//! Shapes from the types that a compiled component carries.

use wasmtime::component::types::{ComponentFunc, Type};

use super::{Case, Field, FunctionShape, Shape, UnsupportedType};

impl Shape {
    /// The shape of a component's type.
    pub fn of_component_type(ty: &Type) -> Result<Self, UnsupportedType> {
        let refused = |kind| Err(UnsupportedType { kind });
        Ok(match ty {
            Type::Bool => Self::Bool,
            Type::S8 => Self::S8,
            Type::U8 => Self::U8,
            Type::S16 => Self::S16,
            Type::U16 => Self::U16,
            Type::S32 => Self::S32,
            Type::U32 => Self::U32,
            Type::S64 => Self::S64,
            Type::U64 => Self::U64,
            Type::Float32 => Self::F32,
            Type::Float64 => Self::F64,
            Type::Char => Self::Char,
            Type::String => Self::String,
            Type::List(list) => Self::List(Box::new(Self::of_component_type(&list.ty())?)),
            Type::Option(option) => Self::Option(Box::new(Self::of_component_type(&option.ty())?)),
            Type::Record(record) => Self::Record(
                record
                    .fields()
                    .map(|field| Ok(Field { name: field.name.to_owned(), shape: Self::of_component_type(&field.ty)? }))
                    .collect::<Result<_, _>>()?,
            ),
            Type::Tuple(tuple) => Self::Tuple(tuple.types().map(|ty| Self::of_component_type(&ty)).collect::<Result<_, _>>()?),
            Type::Variant(variant) => Self::Variant(
                variant
                    .cases()
                    .map(|case| Ok(Case { name: case.name.to_owned(), payload: case.ty.as_ref().map(Self::of_component_type).transpose()? }))
                    .collect::<Result<_, _>>()?,
            ),
            Type::Enum(names) => Self::Enum(names.names().map(str::to_owned).collect()),
            Type::Flags(names) => Self::Flags(names.names().map(str::to_owned).collect()),
            Type::Result(result) => Self::Result {
                ok: result.ok().as_ref().map(Self::of_component_type).transpose()?.map(Box::new),
                err: result.err().as_ref().map(Self::of_component_type).transpose()?.map(Box::new),
            },
            Type::Map(_) => return refused("map"),
            Type::FixedLengthList(_) => return refused("fixed-length list"),
            Type::Own(_) | Type::Borrow(_) => return refused("resource"),
            Type::Future(_) => return refused("future"),
            Type::Stream(_) => return refused("stream"),
            Type::ErrorContext => return refused("error-context"),
        })
    }
}

impl FunctionShape {
    /// The shape of a component's function.
    pub fn of_component_func(func: &ComponentFunc) -> Result<Self, UnsupportedType> {
        let params =
            func.params().map(|(name, ty)| Ok(Field { name: name.to_owned(), shape: Shape::of_component_type(&ty)? })).collect::<Result<_, _>>()?;
        let result = func.results().next().as_ref().map(Shape::of_component_type).transpose()?;
        Ok(Self { params, result })
    }
}
