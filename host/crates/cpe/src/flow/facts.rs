//! What a device says of itself and what is kept of it: one document per device, written when it changes and only then.

use std::net::IpAddr;

use engine::port::Document;
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    contract::{Device, Parameter},
    input::ConnectionRequest,
};
use crate::{acs::Contact, device::DeviceKey, quirks::Quirks, soap::Inform};

/// The collection of what is known of devices; the ids are the text forms of their keys.
pub const DEVICE_COLLECTION: &str = "cpe-device";

/// How many parameters of an Inform a run begins with, and of how many bytes in all. More would save nothing.
const MAX_PARAMETERS: usize = 256;
const MAX_PARAMETER_BYTES: usize = 64 << 10;

/// The longest text that is kept of what a device says of itself.
const MAX_TEXT: usize = 256;

/// What is kept of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// The text form of its key.
    pub id: String,
    /// What it says of itself.
    pub device: Device,
    /// Where it listens for connection requests.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub connection_request_url: String,
    /// Where it contacted the host from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
    /// Whether it proved who it is.
    #[serde(default)]
    pub proven: bool,
    /// What it was given to ask of whoever wakes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_request: Option<ConnectionRequest>,
    /// When it contacted the host for the first time.
    pub first_seen: u64,
}

impl Facts {
    /// What a contact says.
    pub(crate) fn of(contact: &Contact, quirks: &Quirks) -> Self {
        let inform = &*contact.inform;
        Self {
            id: contact.device.to_string(),
            device: device(inform, quirks),
            connection_request_url: short(inform.parameter("ManagementServer.ConnectionRequestURL").unwrap_or_default()),
            peer: Some(contact.peer.ip()),
            proven: contact.proof.is_own(),
            connection_request: None,
            first_seen: contact.at.0,
        }
    }

    /// A number that changes when what the device says changes.
    pub(crate) fn digest(&self) -> u64 {
        let Self { id: _, device, connection_request_url, peer, proven, connection_request: _, first_seen: _ } = self;
        let Device { oui, product_class, serial, manufacturer, model, hardware_version, software_version, root } = device;
        let texts = [oui, product_class, serial, manufacturer, model, hardware_version, software_version, root, connection_request_url];
        let mut hasher = blake3::Hasher::new();
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(peer.filter(|peer| is_way(connection_request_url, *peer)).map(|peer| peer.to_string()).unwrap_or_default().as_bytes());
        hasher.update(&[u8::from(*proven)]);
        number(&hasher.finalize())
    }

    /// What another contact of the same device says, with what only the host knows.
    pub(crate) fn renewed(self, earlier: Self) -> Self {
        // A device that says nothing of where it listens listens where it did.
        let connection_request_url =
            if self.connection_request_url.is_empty() { earlier.connection_request_url } else { self.connection_request_url };
        Self {
            connection_request_url,
            proven: self.proven || earlier.proven,
            connection_request: earlier.connection_request.or(self.connection_request),
            first_seen: earlier.first_seen,
            ..self
        }
    }

    pub(crate) fn document(&self) -> Document {
        let Device { oui, product_class, serial, manufacturer, model, software_version, root, .. } = &self.device;
        let texts = [
            ("serial", serial),
            ("oui", oui),
            ("product-class", product_class),
            ("manufacturer", manufacturer),
            ("model", model),
            ("software-version", software_version),
            ("root", root),
        ];
        let attributes =
            texts.into_iter().filter(|(_, text)| (1..=MAX_TEXT).contains(&text.len())).map(|(name, text)| (name, text.clone())).collect();
        Document { collection: DEVICE_COLLECTION, id: self.id.clone(), rank: self.first_seen, body: json!(self), attributes }
    }
}

/// Whether a device that comes from an address can be woken there: what it listens at is that address, or a name. Others come and go with every translation.
fn is_way(url: &str, peer: IpAddr) -> bool {
    let host = url.parse::<Uri>().ok().and_then(|url| url.host().map(|host| host.trim_matches(['[', ']']).to_owned()));
    host.is_some_and(|host| host.parse::<IpAddr>().map_or(true, |address| address.to_canonical() == peer.to_canonical()))
}

/// The first eight bytes of a hash.
pub(crate) fn number(hash: &blake3::Hash) -> u64 {
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// A number for a text.
pub(crate) fn digest_of(text: &str) -> u64 {
    number(&blake3::hash(text.as_bytes()))
}

/// The device of an Inform, as contracts know it.
pub(crate) fn device(inform: &Inform, quirks: &Quirks) -> Device {
    let of = |name: &str| short(inform.parameter(name).unwrap_or_default());
    let id = &inform.device;
    let named = of("DeviceInfo.ModelName");
    Device {
        oui: short(&id.oui).to_uppercase(),
        product_class: short(&id.product_class),
        serial: short(&id.serial),
        manufacturer: short(&id.manufacturer),
        model: if named.is_empty() { short(&id.product_class) } else { named },
        hardware_version: of("DeviceInfo.HardwareVersion"),
        software_version: of("DeviceInfo.SoftwareVersion"),
        // Where the parameters do not show it, the newer one.
        root: quirks.parameter_root.clone().unwrap_or_else(|| inform.root().unwrap_or("Device.").to_owned()),
    }
}

/// The model and the firmware by which quirks are found.
pub(crate) fn model_and_firmware(inform: &Inform) -> (&str, &str) {
    let of = |name: &str| inform.parameter(name).unwrap_or_default();
    (of("DeviceInfo.ModelName"), of("DeviceInfo.SoftwareVersion"))
}

/// The parameters of an Inform that a run begins with. No secret is among them.
pub(crate) fn parameters(inform: &Inform, quirks: &Quirks) -> Vec<Parameter> {
    let mut bytes = 0;
    let few = inform.parameters.iter().take(MAX_PARAMETERS);
    few.take_while(|parameter| {
        bytes += parameter.name.len() + parameter.value.len();
        bytes <= MAX_PARAMETER_BYTES
    })
    .map(|parameter| Parameter::sent(parameter, quirks))
    .collect()
}

/// As much of a text as is kept, cut on a character boundary.
fn short(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// The key of a document of facts or state.
pub(crate) fn key(id: &str) -> Option<DeviceKey> {
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_is_news_only_where_the_device_may_be_woken_there() {
        for (url, one, other, news) in [
            ("http://192.168.1.1:7547/", "192.0.2.7", "192.0.2.8", false),
            ("http://192.0.2.7:7547/", "192.0.2.7", "192.0.2.7", false),
            ("http://192.0.2.7:7547/", "192.0.2.8", "192.0.2.7", true),
            ("http://[2001:db8::7]:7547/", "2001:db8::8", "2001:db8::7", true),
            ("http://cpe.example.com/", "192.0.2.7", "192.0.2.8", true),
            ("", "192.0.2.7", "192.0.2.8", false),
        ] {
            let of = |peer: &str| Facts {
                id: String::new(),
                device: Device::default(),
                connection_request_url: url.to_owned(),
                peer: Some(peer.parse().unwrap()),
                proven: true,
                connection_request: None,
                first_seen: 0,
            };
            assert_eq!(of(one).digest() != of(other).digest(), news, "{url} {one} {other}");
        }
    }
}
