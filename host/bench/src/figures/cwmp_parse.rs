//! `cwmp_parse_us`: reading the envelope of an Inform of 2 KB.

use std::{hint::black_box, time::Instant};

use anyhow::{Context, Result, ensure};
use cpe::soap::{Limits, Message, read};

use crate::{
    harness::{report::Measured, statistics::median},
    setup::Setup,
};

/// The parameters that an Inform carries.
const PARAMETERS: [(&str, &str, &str); 9] = [
    ("Device.RootDataModelVersion", "string", "2.12"),
    ("Device.DeviceInfo.HardwareVersion", "string", "B2"),
    ("Device.DeviceInfo.SoftwareVersion", "string", "4.1.7"),
    ("Device.DeviceInfo.ProvisioningCode", "string", ""),
    ("Device.ManagementServer.ParameterKey", "string", "0123456789abcdef"),
    ("Device.ManagementServer.ConnectionRequestURL", "string", "http://198.51.100.7:7547/a8f3"),
    ("Device.ManagementServer.AliasBasedAddressing", "boolean", "0"),
    ("Device.DeviceInfo.UpTime", "unsignedInt", "86400"),
    ("Device.IP.Interface.1.IPv4Address.1.IPAddress", "string", "198.51.100.7"),
];

#[allow(clippy::unused_async, reason = "every figure is measured in a future")]
pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let text = inform();
    let limits = Limits::default();
    let envelope = read(text.as_bytes(), None, &limits).context("the Inform")?;
    ensure!(matches!(envelope.message, Message::Inform(_)), "the envelope is no Inform");
    let mut times = Vec::new();
    for _ in 0..setup.counts.rounds.max(3) {
        let begun = Instant::now();
        for _ in 0..setup.counts.calls {
            black_box(read(black_box(text.as_bytes()), None, &limits)?);
        }
        #[allow(clippy::cast_precision_loss, reason = "some thousand calls")]
        times.push(begun.elapsed().as_secs_f64() * 1e6 / setup.counts.calls as f64);
    }
    let note = format!("parse: an Inform of {} bytes with {} parameters", text.len(), PARAMETERS.len());
    Ok(Measured { values: vec![("cwmp_parse_us", median(&times).context("nothing was read")?)], note: Some(note), facts: Vec::new() })
}

fn inform() -> String {
    let parameter = |(name, kind, value): (&str, &str, &str)| {
        format!("<ParameterValueStruct><Name>{name}</Name><Value xsi:type=\"xsd:{kind}\">{value}</Value></ParameterValueStruct>")
    };
    let parameters: String = PARAMETERS.map(parameter).concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap-env:Envelope xmlns:soap-env=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:soap-enc=\"http://schemas.xmlsoap.org/soap/encoding/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:cwmp=\"urn:dslforum-org:cwmp-1-2\"><soap-env:Header>\
         <cwmp:ID soap-env:mustUnderstand=\"1\">1</cwmp:ID></soap-env:Header><soap-env:Body><cwmp:Inform><DeviceId><Manufacturer>Norrland</Manufacturer>\
         <OUI>00D09E</OUI><ProductClass>NR-2200</ProductClass><SerialNumber>0000000001</SerialNumber></DeviceId>\
         <Event soap-enc:arrayType=\"cwmp:EventStruct[1]\"><EventStruct><EventCode>2 PERIODIC</EventCode><CommandKey></CommandKey></EventStruct></Event>\
         <MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2031-05-01T12:00:00Z</CurrentTime><RetryCount>0</RetryCount>\
         <ParameterList soap-enc:arrayType=\"cwmp:ParameterValueStruct[{}]\">{parameters}</ParameterList></cwmp:Inform></soap-env:Body></soap-env:Envelope>",
        PARAMETERS.len()
    )
}
