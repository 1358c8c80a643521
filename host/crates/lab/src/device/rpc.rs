//! What a device does when it is asked something, with all that may be wrong with it.

mod attributes;
mod names;

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use super::{
    envelope::{Refused, Style},
    kind::Kind,
    model::Access,
    options::{DeviceOptions, Faults, Later, Lie},
    soap::Message,
    state::State,
    transfer::Transfer,
    tree::Parameter,
};

/// The requests that a device knows.
const METHODS: [&str; 14] = [
    "GetRPCMethods",
    "SetParameterValues",
    "GetParameterValues",
    "GetParameterNames",
    "SetParameterAttributes",
    "GetParameterAttributes",
    "AddObject",
    "DeleteObject",
    "Download",
    "Upload",
    "Reboot",
    "FactoryReset",
    "ScheduleInform",
    "CancelTransfer",
];

/// The longest parameter key.
const MAX_KEY: usize = 32;

/// A request that was refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u32,
    pub(super) parameters: Vec<Refused>,
}

impl From<u32> for Refusal {
    fn from(code: u32) -> Self {
        Self { code, parameters: Vec::new() }
    }
}

/// One request to a device.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) options: &'a DeviceOptions,
    pub(super) faults: &'a Faults,
    pub(super) style: Style<'a>,
    pub(super) message: &'a Message,
}

impl Asked<'_> {
    /// Does it and says what the answer contains.
    pub(super) fn act(&self, state: &mut State) -> Result<String, Refusal> {
        state.settle();
        match self.message.method.as_str() {
            "GetRPCMethods" => Ok(self.methods()),
            "SetParameterValues" => self.set(state),
            "GetParameterValues" => self.get(state),
            "GetParameterNames" => self.names(state),
            "SetParameterAttributes" => self.set_attributes(state),
            "GetParameterAttributes" => self.attributes(state),
            "AddObject" => self.add(state),
            "DeleteObject" => self.delete(state),
            "Download" | "Upload" => self.transfer(state),
            "Reboot" => {
                state.after.reboot = Some(self.message.text("CommandKey").to_owned());
                Ok(String::new())
            }
            "FactoryReset" => {
                state.after.factory_reset = true;
                Ok(String::new())
            }
            "ScheduleInform" => self.schedule(state),
            "CancelTransfer" => {
                let key = self.message.text("CommandKey");
                state.transfers.retain(|transfer| transfer.key != key);
                Ok(String::new())
            }
            _ => Err(9000.into()),
        }
    }

    fn methods(&self) -> String {
        let mut list = format!("<MethodList soap-enc:arrayType=\"xsd:string[{}]\">", self.style.count(METHODS.len()));
        for method in METHODS {
            let _ = write!(list, "<string>{method}</string>");
        }
        list + "</MethodList>"
    }

    fn set(&self, state: &mut State) -> Result<String, Refusal> {
        let names: Vec<&str> = self.message.texts("Name").collect();
        let values: Vec<_> = self.message.fields.iter().filter(|field| field.name == "Value").collect();
        let key = self.message.text("ParameterKey");
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        if self.faults.at_most.is_some_and(|most| names.len() > most) {
            return Err(9004.into());
        }
        if self.faults.no_parameter_key && !key.is_empty() {
            return Err(9003.into());
        }
        if names.len() != values.len() || names.is_empty() || distinct.len() != names.len() || key.len() > MAX_KEY {
            return Err(9003.into());
        }
        let pairs = || names.iter().copied().zip(&values);
        let refused = pairs().filter_map(|(name, value)| Some((name.to_owned(), self.refuses(state, name, value.kind.as_deref(), &value.text)?)));
        let refused: Vec<Refused> = refused.collect();
        if !refused.is_empty() {
            return Err(Refusal { code: 9003, parameters: refused });
        }
        for (name, value) in pairs() {
            if self.faults.missing.as_ref().is_some_and(|missing| missing.has(name)) {
                continue;
            }
            match (&self.faults.lie, self.faults.status1) {
                (Some(Lie::Everything), _) => {}
                (Some(Lie::About(part)), _) if name.contains(part.as_str()) => {}
                (_, Some(Later::Reboot | Later::End)) => state.stage(name, &value.text, None),
                _ if self.faults.applies_after_ms > 0 => state.stage(name, &value.text, Some(Duration::from_millis(self.faults.applies_after_ms))),
                _ => state.tree.write(name, &value.text),
            }
        }
        key.clone_into(&mut state.tree.key);
        Ok(format!("<Status>{}</Status>", u8::from(self.faults.status1.is_some())))
    }

    /// The code with which a value is refused.
    fn refuses(&self, state: &State, name: &str, kind: Option<&str>, value: &str) -> Option<u32> {
        if let Some((code, part)) = &self.faults.refuses
            && name.contains(part.as_str())
        {
            return Some(*code);
        }
        if let Some(missing) = &self.faults.missing
            && missing.has(name)
        {
            return (!missing.silent).then_some(9005);
        }
        match state.tree.leaf(name) {
            None => Some(9005),
            Some(leaf) if !leaf.is_writable() => Some(9008),
            Some(leaf) if kind.is_some_and(|kind| kind != leaf.kind.xsd()) => Some(9006),
            Some(leaf) => (!leaf.kind.takes(value) || self.dislikes(leaf.kind, value)).then_some(9007),
        }
    }

    /// Whether this device does not take this form of a value that others take.
    fn dislikes(&self, kind: Kind, value: &str) -> bool {
        (kind == Kind::Boolean && self.faults.digits_only && value.len() > 1)
            || (kind == Kind::DateTime && self.faults.whole_seconds && value.contains('.'))
    }

    fn get(&self, state: &State) -> Result<String, Refusal> {
        let mut found = Vec::new();
        if self.faults.at_most.is_some_and(|most| self.message.texts("string").count() > most) {
            return Err(9004.into());
        }
        for name in self.message.texts("string") {
            for name in self.expand(state, name)? {
                found.push(self.parameter(state, name)?);
            }
        }
        Ok(self.style.parameters(&found))
    }

    /// A parameter as the device shows it.
    fn parameter(&self, state: &State, name: String) -> Result<Parameter, Refusal> {
        show(state, self.options, self.faults, name).ok_or_else(|| 9005.into())
    }

    /// The parameters that a name or a partial path means.
    fn expand(&self, state: &State, name: &str) -> Result<Vec<String>, Refusal> {
        let missing = |name: &str| self.faults.missing.as_ref().filter(|missing| missing.has(name));
        if name.is_empty() || name.ends_with('.') {
            let path = if name.is_empty() { self.options.model.root() } else { name };
            let names = state.tree.under(path).ok_or(9005)?;
            return Ok(names.into_iter().filter(|name| missing(name).is_none()).collect());
        }
        match missing(name) {
            Some(missing) if missing.silent => Ok(Vec::new()),
            Some(_) => Err(9005.into()),
            None if state.tree.leaf(name).is_none() => Err(9005.into()),
            None => Ok(vec![name.to_owned()]),
        }
    }

    fn add(&self, state: &mut State) -> Result<String, Refusal> {
        let number = state.tree.add(self.message.text("ObjectName")).ok_or(9005)?;
        self.message.text("ParameterKey").clone_into(&mut state.tree.key);
        Ok(format!("<InstanceNumber>{number}</InstanceNumber><Status>0</Status>"))
    }

    fn delete(&self, state: &mut State) -> Result<String, Refusal> {
        if !state.tree.delete(self.message.text("ObjectName")) {
            return Err(9005.into());
        }
        self.message.text("ParameterKey").clone_into(&mut state.tree.key);
        Ok("<Status>0</Status>".to_owned())
    }

    fn transfer(&self, state: &mut State) -> Result<String, Refusal> {
        let transfer = Transfer::asked(self.message).ok_or(9003)?;
        if !transfer.url.starts_with("http://") {
            return Err(9013.into());
        }
        state.transfers.push(transfer);
        Ok("<Status>1</Status><StartTime>0001-01-01T00:00:00Z</StartTime><CompleteTime>0001-01-01T00:00:00Z</CompleteTime>".to_owned())
    }

    fn schedule(&self, state: &mut State) -> Result<String, Refusal> {
        let delay: u32 = self.message.text("DelaySeconds").trim().parse().ok().filter(|delay| *delay > 0).ok_or(9003)?;
        state.scheduled.push((tokio::time::Instant::now() + Duration::from_secs(delay.into()), self.message.text("CommandKey").to_owned()));
        Ok(String::new())
    }
}

/// A parameter as a device with these faults shows it.
pub(super) fn show(state: &State, options: &DeviceOptions, faults: &Faults, name: String) -> Option<Parameter> {
    let leaf = state.tree.leaf(&name)?;
    let value = match leaf.access {
        Access::Hidden if !faults.shows_hidden => String::new(),
        Access::Hidden | Access::Read | Access::Write => state.tree.value(&name, options)?,
    };
    let value = if faults.other_forms { leaf.kind.other_form(&value) } else { value };
    let value = if faults.reverses_lists { leaf.kind.reversed(&value) } else { value };
    Some(Parameter { name, xsd: leaf.kind.xsd(), value })
}
