//! What a component may consist of before anything compiles it.

use wasmparser::{Parser, Payload};

use crate::{error::LoadError, options::CompileLimits};

/// Modules and components inside one component. A plugin in Rust has three modules.
const MAX_PARTS: usize = 1_000;

/// Refuses a component that has too much of something. Nothing is kept of what is read.
pub(super) fn check(bytes: &[u8], limits: &CompileLimits) -> Result<(), LoadError> {
    let (mut functions, mut parts) = (0_usize, 0_usize);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| LoadError::Compile(error.to_string()))?;
        if let Payload::Version { .. } = payload {
            parts += 1;
        } else if let Payload::CodeSectionStart { count, .. } = payload {
            functions = functions.saturating_add(count as usize);
        } else if let Payload::CodeSectionEntry(body) = payload {
            let range = body.range();
            within("a function", range.end.saturating_sub(range.start), "bytes", limits.max_function_bytes, "runtime.compile.max_function_bytes")?;
        }
        within("the component", functions, "functions", limits.max_functions, "runtime.compile.max_functions")?;
        within("the component", parts, "modules and components inside", MAX_PARTS, "no setting changes this")?;
    }
    Ok(())
}

fn within(what: &str, found: usize, unit: &str, most: usize, setting: &str) -> Result<(), LoadError> {
    if found <= most {
        return Ok(());
    }
    Err(LoadError::CompileBounds(format!("{what} has {found} {unit}, expected at most {most} ({setting})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str, expected: &str) {
        let limits = CompileLimits { max_functions: 3, max_function_bytes: 20, ..CompileLimits::default() };
        let found = check(&wat::parse_str(text).unwrap(), &limits).map_or_else(|error| error.to_string(), |()| "fits".to_owned());
        assert_eq!(found, expected);
    }

    #[test]
    fn functions_are_counted_over_all_modules_and_measured() {
        check_text("(component (core module (func) (func)) (component (core module (func))))", "fits");
        check_text(
            "(component (core module (func) (func)) (component (core module (func) (func))))",
            "the component cannot be compiled within bounds: the component has 4 functions, expected at most 3 (runtime.compile.max_functions)",
        );
        check_text(
            &format!("(component (core module (func {})))", "nop ".repeat(30)),
            "the component cannot be compiled within bounds: a function has 32 bytes, expected at most 20 (runtime.compile.max_function_bytes)",
        );
        check_text(
            &format!("(component {})", "(core module)".repeat(1_000)),
            "the component cannot be compiled within bounds: the component has 1001 modules and components inside, expected at most 1000 (no setting changes this)",
        );
    }
}
