//! Many different plugins of one: the same code under other names, and so with other digests.

use anyhow::{Result, ensure};

/// What the manifest of the fixture says, as its SDK writes it.
const NAME: &[u8] = br#""name":"noop""#;

/// The component under the names `p000`, `p001` and so on, which are as long as its own.
pub(crate) fn variants(component: &[u8], count: usize) -> Result<Vec<(String, Vec<u8>)>> {
    ensure!(count <= 1000, "{count} names do not have four characters each");
    let named = |number: usize| {
        let name = format!("p{number:03}");
        let variant = replaced(component, NAME, format!("\"name\":\"{name}\"").as_bytes())?;
        Ok((name, variant))
    };
    (0..count).map(named).collect()
}

/// The component as another version, which is as long as its own, 0.1.0.
pub(crate) fn version(component: &[u8], version: &str) -> Result<Vec<u8>> {
    replaced(component, br#","version":"0.1.0""#, format!(",\"version\":\"{version}\"").as_bytes())
}

/// A text of the manifest replaced by another of its length, wherever it stands: a compiler may keep a second copy among the data.
fn replaced(component: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>> {
    ensure!(old.len() == new.len(), "`{}` is not as long as `{}`", String::from_utf8_lossy(new), String::from_utf8_lossy(old));
    let places: Vec<usize> = component.windows(old.len()).enumerate().filter(|(_, window)| *window == old).map(|(place, _)| place).collect();
    ensure!(!places.is_empty(), "the component does not say `{}`", String::from_utf8_lossy(old));
    let mut other = component.to_vec();
    places.iter().for_each(|place| other[*place..*place + new.len()].copy_from_slice(new));
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
        assert!(version(component, "0.1.7").is_err() && version(br#","version":"0.1.0""#, "0.1.10").is_err());
    }
}
