//! GetParameterNames: what there is below a path.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{Asked, Refusal};
use crate::device::state::State;

impl Asked<'_> {
    pub(super) fn names(&self, state: &State) -> Result<String, Refusal> {
        let path = self.message.text("ParameterPath");
        let next_level = matches!(self.message.text("NextLevel").trim(), "1" | "true");
        if next_level && !path.is_empty() && !path.ends_with('.') {
            return Err(9003.into());
        }
        let mut found = BTreeSet::new();
        if path.is_empty() && next_level {
            found.insert(self.options.model.root().to_owned());
        } else {
            for name in self.expand(state, path)? {
                let below = name.get(path.len()..).unwrap_or_default();
                let ends: Vec<usize> = below.match_indices('.').map(|(at, _)| path.len() + at + 1).collect();
                if next_level {
                    found.insert(ends.first().map_or(name.clone(), |end| name[..*end].to_owned()));
                } else {
                    found.extend(ends.iter().map(|end| name[..*end].to_owned()));
                    found.insert(name);
                }
            }
            if !next_level && path.ends_with('.') {
                found.insert(path.to_owned());
            }
        }
        let mut list = format!("<ParameterList soap-enc:arrayType=\"cwmp:ParameterInfoStruct[{}]\">", self.style.count(found.len()));
        for name in found {
            let object = name.ends_with('.');
            let writable = if object { state.tree.is_writable_object(&name) } else { state.tree.leaf(&name).is_some_and(|leaf| leaf.is_writable()) };
            let _ = write!(list, "<ParameterInfoStruct><Name>{name}</Name><Writable>{}</Writable></ParameterInfoStruct>", u8::from(writable));
        }
        Ok(list + "</ParameterList>")
    }
}
