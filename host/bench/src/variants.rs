//! Many different plugins of one: the same code under other names, and so with other digests.

use anyhow::{Result, ensure};

/// What the manifest of the fixture says, as its SDK writes it.
const NAME: &[u8] = br#""name":"noop""#;

/// The component under the names `p000`, `p001` and so on, which are as long as its own.
pub(crate) fn variants(component: &[u8], count: usize) -> Result<Vec<(String, Vec<u8>)>> {
    ensure!(count <= 1000, "{count} names do not have four characters each");
    let places: Vec<usize> = component.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME).map(|(place, _)| place).collect();
    ensure!(places.len() == 1, "the component says {} times that its name is `noop`, expected once", places.len());
    let begin = places[0] + NAME.len() - b"noop\"".len();
    let named = |number: usize| {
        let name = format!("p{number:03}");
        let mut variant = component.to_vec();
        variant[begin..begin + name.len()].copy_from_slice(name.as_bytes());
        (name, variant)
    };
    Ok((0..count).map(named).collect())
}

/// The component as another version, which is as long as its own.
pub(crate) fn version(component: &[u8], version: &str) -> Result<Vec<u8>> {
    const BEFORE: &[u8] = br#","version":""#;
    ensure!(version.len() == 5, "`{version}` is not as long as 0.1.0");
    let places: Vec<usize> = component.windows(BEFORE.len()).enumerate().filter(|(_, window)| *window == BEFORE).map(|(place, _)| place).collect();
    ensure!(places.len() == 1, "the component says its version {} times, expected once", places.len());
    let begin = places[0] + BEFORE.len();
    let mut other = component.to_vec();
    ensure!(other.get(begin + 5) == Some(&b'"'), "the component's version has not five characters");
    other[begin..begin + 5].copy_from_slice(version.as_bytes());
    Ok(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_name_and_nothing_else_changes() {
        let component = br#"before {"name":"noop","version"} after"#;
        let made = variants(component, 2).unwrap();
        assert_eq!(made[1].0, "p001");
        assert_eq!(String::from_utf8(made[1].1.clone()).unwrap(), r#"before {"name":"p001","version"} after"#);
        assert!(variants(b"nothing", 1).is_err());
        assert!(variants(component, 1001).is_err());
        let other = version(br#"{"name":"noop","version":"0.1.0","#, "0.1.7").unwrap();
        assert_eq!(other, br#"{"name":"noop","version":"0.1.7","#);
        assert!(version(component, "0.1.7").is_err() && version(&other, "0.1.10").is_err());
    }
}
