//! Any text as the path of a request, below a prefix that is granted.
#![no_main]

#[path = "../../../host/crates/plugin-runtime/src/host/http/path.rs"]
#[allow(dead_code, reason = "of the module, only what decides is used")]
mod path;

use libfuzzer_sys::fuzz_target;

const PREFIX: &str = "/granted";

fuzz_target!(|text: &str| {
    let Ok(normal) = path::normalise(text) else { return };
    assert!(normal.starts_with('/'), "{text:?} became {normal:?}");
    assert_eq!(path::normalise(&normal).ok().as_ref(), Some(&normal), "{text:?} is not made normal at once");
    if path::below(&normal, PREFIX) {
        stays_below(&normal);
    }
});

/// However often a server decodes it, and whichever slash it knows: the path stays below its prefix.
fn stays_below(normal: &str) {
    let mut seen = normal.to_owned();
    for _ in 0..4 {
        assert!(seen.starts_with(PREFIX), "{normal:?} leaves the prefix as {seen:?}");
        let mut depth = 0_u32;
        for segment in seen.split(['/', '\\']).filter(|segment| !["", "."].contains(segment)) {
            depth = if segment == ".." { depth - 1 } else { depth + 1 };
            assert!(depth > 0, "{normal:?} climbs out of the prefix as {seen:?}");
        }
        seen = decoded(&seen);
    }
}

fn decoded(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => (out.push(byte), at += 3).1,
            None => (out.push(bytes[at]), at += 1).1,
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
