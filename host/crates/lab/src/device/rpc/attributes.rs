//! Attributes: of which changes the server is told.

use std::fmt::Write as _;

use super::{Asked, Refusal};
use crate::device::state::State;

impl Asked<'_> {
    pub(super) fn set_attributes(&self, state: &mut State) -> Result<String, Refusal> {
        let mut name = "";
        let mut changes = false;
        for field in &self.message.fields {
            match field.name {
                "Name" => name = field.text.as_str(),
                "NotificationChange" => changes = matches!(field.text.trim(), "1" | "true"),
                "Notification" if changes => {
                    let level = field.text.trim().parse().ok().filter(|level| *level <= 6).ok_or(9003)?;
                    for name in self.expand(state, name)? {
                        state.tree.notify(&name, level);
                    }
                }
                _ => {}
            }
        }
        Ok(String::new())
    }

    pub(super) fn attributes(&self, state: &State) -> Result<String, Refusal> {
        let mut found = Vec::new();
        for name in self.message.texts("string") {
            found.extend(self.expand(state, name)?);
        }
        let mut list = format!("<ParameterList soap-enc:arrayType=\"cwmp:ParameterAttributeStruct[{}]\">", self.style.count(found.len()));
        for name in found {
            let _ = write!(
                list,
                "<ParameterAttributeStruct><Name>{name}</Name><Notification>{}</Notification>\
                 <AccessList soap-enc:arrayType=\"xsd:string[1]\"><string>Subscriber</string></AccessList></ParameterAttributeStruct>",
                state.tree.notification(&name)
            );
        }
        Ok(list + "</ParameterList>")
    }
}
