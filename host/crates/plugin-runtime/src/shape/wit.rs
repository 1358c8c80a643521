//! Shapes from WIT text.

use wit_parser::{Function, Resolve, Type, TypeDefKind};

use super::{Case, Field, FunctionShape, Shape, UnsupportedType};

/// The shape of a function that a WIT interface declares.
pub(crate) fn shape_of_wit(resolve: &Resolve, function: &Function) -> Result<FunctionShape, UnsupportedType> {
    let params =
        function.params.iter().map(|param| Ok(Field { name: param.name.clone(), shape: shape(resolve, &param.ty)? })).collect::<Result<_, _>>()?;
    Ok(FunctionShape { params, result: function.result.as_ref().map(|ty| shape(resolve, ty)).transpose()? })
}

fn shape(resolve: &Resolve, ty: &Type) -> Result<Shape, UnsupportedType> {
    Ok(match ty {
        Type::Bool => Shape::Bool,
        Type::S8 => Shape::S8,
        Type::U8 => Shape::U8,
        Type::S16 => Shape::S16,
        Type::U16 => Shape::U16,
        Type::S32 => Shape::S32,
        Type::U32 => Shape::U32,
        Type::S64 => Shape::S64,
        Type::U64 => Shape::U64,
        Type::F32 => Shape::F32,
        Type::F64 => Shape::F64,
        Type::Char => Shape::Char,
        Type::String => Shape::String,
        Type::ErrorContext => return Err(UnsupportedType { kind: "error-context" }),
        Type::Id(id) => defined(resolve, &resolve.types[*id].kind)?,
    })
}

fn defined(resolve: &Resolve, kind: &TypeDefKind) -> Result<Shape, UnsupportedType> {
    let boxed = |ty: &Type| Ok(Box::new(shape(resolve, ty)?));
    Ok(match kind {
        TypeDefKind::Type(ty) => shape(resolve, ty)?,
        TypeDefKind::Record(record) => Shape::Record(
            record.fields.iter().map(|field| Ok(Field { name: field.name.clone(), shape: shape(resolve, &field.ty)? })).collect::<Result<_, _>>()?,
        ),
        TypeDefKind::Variant(variant) => Shape::Variant(
            variant
                .cases
                .iter()
                .map(|case| Ok(Case { name: case.name.clone(), payload: case.ty.as_ref().map(|ty| shape(resolve, ty)).transpose()? }))
                .collect::<Result<_, _>>()?,
        ),
        TypeDefKind::Tuple(tuple) => Shape::Tuple(tuple.types.iter().map(|ty| shape(resolve, ty)).collect::<Result<_, _>>()?),
        TypeDefKind::Enum(names) => Shape::Enum(names.cases.iter().map(|case| case.name.clone()).collect()),
        TypeDefKind::Flags(names) => Shape::Flags(names.flags.iter().map(|flag| flag.name.clone()).collect()),
        TypeDefKind::Option(ty) => Shape::Option(boxed(ty)?),
        TypeDefKind::List(ty) => Shape::List(boxed(ty)?),
        TypeDefKind::Result(result) => {
            Shape::Result { ok: result.ok.as_ref().map(boxed).transpose()?, err: result.err.as_ref().map(boxed).transpose()? }
        }
        TypeDefKind::Resource | TypeDefKind::Handle(_) => return Err(UnsupportedType { kind: "resource" }),
        TypeDefKind::Map(..) => return Err(UnsupportedType { kind: "map" }),
        TypeDefKind::FixedLengthList(..) => return Err(UnsupportedType { kind: "fixed-length list" }),
        TypeDefKind::Future(_) => return Err(UnsupportedType { kind: "future" }),
        TypeDefKind::Stream(_) => return Err(UnsupportedType { kind: "stream" }),
        TypeDefKind::Unknown => return Err(UnsupportedType { kind: "unknown type" }),
    })
}
