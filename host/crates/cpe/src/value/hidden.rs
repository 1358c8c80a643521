//! Parameters that read empty whatever they hold: passwords, keys, and switches that fall back by themselves.
//!
//! The names of [`IGD`] and [`DEVICE`] are those that the data models TR-098 1.8 and TR-181 2.12 of the Broadband Forum mark as hidden, whose notice follows.

// Copyright (c) 2006-2017, Broadband Forum
//
// Redistribution and use in source and binary forms, with or
// without modification, are permitted provided that the following
// conditions are met:
//
// 1. Redistributions of source code must retain the above copyright
// notice, this list of conditions and the following disclaimer.
//
// 2. Redistributions in binary form must reproduce the above
// copyright notice, this list of conditions and the following
// disclaimer in the documentation and/or other materials
// provided with the distribution.
//
// 3. Neither the name of the copyright holder nor the names of its
// contributors may be used to endorse or promote products
// derived from this software without specific prior written
// permission.
//
// THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND
// CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
// INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF
// MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
// DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR
// CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
// SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT
// NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES;
// LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
// CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT,
// STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE)
// ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF
// ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
//
// The above license is used as a license under copyright only.
// Please reference the Forum IPR Policy for patent licensing terms
// <https://www.broadband-forum.org/ipr-policy>.
//
// Any moral rights which are necessary to exercise under the above
// license grant are also deemed granted under this license.

/// Below `InternetGatewayDevice.`.
const IGD: &[&str] = &[
    "DeviceInfo.TemperatureStatus.Reset",
    "DeviceInfo.TemperatureStatus.TemperatureSensor.{i}.Reset",
    "ManagementServer.Password",
    "ManagementServer.ConnectionRequestPassword",
    "ManagementServer.STUNPassword",
    "LANConfigSecurity.ConfigPassword",
    "LANDevice.{i}.WLANConfiguration.{i}.KeyPassphrase",
    "LANDevice.{i}.WLANConfiguration.{i}.WEPKey",
    "LANDevice.{i}.WLANConfiguration.{i}.WEPKey.{i}.WEPKey",
    "LANDevice.{i}.WLANConfiguration.{i}.PreSharedKey",
    "LANDevice.{i}.WLANConfiguration.{i}.PreSharedKey.{i}.PreSharedKey",
    "LANDevice.{i}.WLANConfiguration.{i}.PreSharedKey.{i}.KeyPassphrase",
    "LANDevice.{i}.WLANConfiguration.{i}.DevicePassword",
    "LANDevice.{i}.WLANConfiguration.{i}.WPS.DevicePassword",
    "WANDevice.{i}.WANDSLDiagnostics.Password",
    "User.{i}.Password",
    "SmartCardReader.{i}.Reset",
    "USBHosts.Host.{i}.Reset",
    "PeriodicStatistics.SampleSet.{i}.ForceSample",
    "FAP.GPS.AGPSServerConfig.Password",
    "FAP.PerfMgmt.Config.{i}.Password",
    "BulkData.Profile.{i}.FileTransferPassword",
    "XMPP.Connection.{i}.Password",
];

/// Below `Device.`.
const DEVICE: &[&str] = &[
    "ManagementServer.Password",
    "ManagementServer.ConnectionRequestPassword",
    "ManagementServer.STUNPassword",
    "Cellular.Interface.{i}.USIM.PIN",
    "Cellular.AccessPoint.{i}.Password",
    "MoCA.Interface.{i}.KeyPassphrase",
    "HomePlug.Interface.{i}.NetworkPassword",
    "UPA.Interface.{i}.EncryptionKey",
    "WiFi.AccessPoint.{i}.Security.WEPKey",
    "WiFi.AccessPoint.{i}.Security.PreSharedKey",
    "WiFi.AccessPoint.{i}.Security.KeyPassphrase",
    "WiFi.AccessPoint.{i}.Security.RadiusSecret",
    "WiFi.AccessPoint.{i}.Security.SecondaryRadiusSecret",
    "WiFi.AccessPoint.{i}.WPS.PIN",
    "WiFi.AccessPoint.{i}.Accounting.Secret",
    "WiFi.AccessPoint.{i}.Accounting.SecondarySecret",
    "WiFi.EndPoint.{i}.Profile.{i}.Security.WEPKey",
    "WiFi.EndPoint.{i}.Profile.{i}.Security.PreSharedKey",
    "WiFi.EndPoint.{i}.Profile.{i}.Security.KeyPassphrase",
    "WiFi.EndPoint.{i}.WPS.PIN",
    "PPP.Interface.{i}.Password",
    "LANConfigSecurity.ConfigPassword",
    "IEEE8021x.Supplicant.{i}.EAPMD5.SharedSecret",
    "Users.User.{i}.Password",
    "FAP.GPS.AGPSServerConfig.Password",
    "FAP.PerfMgmt.Config.{i}.Password",
    "BulkData.Profile.{i}.FileTransferPassword",
    "BulkData.Profile.{i}.HTTP.Password",
    "XMPP.Connection.{i}.Password",
    "IEEE1905.AL.Security.Password",
    "MQTT.Client.{i}.Password",
    "MQTT.Broker.{i}.Password",
    "MQTT.Broker.{i}.Bridge.{i}.Password",
    "DynamicDNS.Client.{i}.Password",
];

/// Below either root: what is described as empty when read without the mark, and the passwords of the voice services, which other documents define.
const BOTH: &[&str] = &[
    "WANDevice.{i}.WANConnectionDevice.{i}.WANPPPConnection.{i}.Password",
    "Services.VoiceService.{i}.VoiceProfile.{i}.Line.{i}.SIP.AuthPassword",
    "Services.VoiceService.{i}.SIP.Client.{i}.AuthPassword",
];

/// Whether a parameter reads empty in the data model with this root, whatever it holds.
#[must_use]
pub fn hidden(root: &str, name: &str) -> bool {
    let Some(below) = name.strip_prefix(root) else { return false };
    let table = if root == "InternetGatewayDevice." { IGD } else { DEVICE };
    table.iter().chain(BOTH).any(|pattern| fits(pattern, below))
}

/// Whether a name fits a pattern, in which `{i}` stands for the number of an instance, or for its alias in brackets.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.split('.'), name.split('.'));
    loop {
        match (pattern.next(), name.next()) {
            (None, None) => return true,
            (Some("{i}"), Some(instance)) if is_instance(instance) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => return false,
        }
    }
}

fn is_instance(text: &str) -> bool {
    let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    number || (text.starts_with('[') && text.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_and_names_are_not() {
        for (root, name, expected) in [
            ("Device.", "Device.WiFi.AccessPoint.1.Security.KeyPassphrase", true),
            ("Device.", "Device.WiFi.AccessPoint.[main].Security.KeyPassphrase", true),
            ("Device.", "Device.WiFi.AccessPoint.x.Security.KeyPassphrase", false),
            ("Device.", "Device.WiFi.AccessPoint.1.Security.KeyPassphrase.1", false),
            ("Device.", "Device.WiFi.AccessPoint.1.Security", false),
            ("Device.", "Device.WiFi.SSID.1.SSID", false),
            ("Device.", "InternetGatewayDevice.ManagementServer.Password", false),
            ("Device.", "Device.Services.VoiceService.1.VoiceProfile.1.Line.2.SIP.AuthPassword", true),
            ("Device.", "Device.Services.VoiceService.1.VoiceProfile.1.Line.2.SIP.AuthUserName", false),
            ("InternetGatewayDevice.", "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.PreSharedKey.1.KeyPassphrase", true),
            ("InternetGatewayDevice.", "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.WEPKeyIndex", false),
            ("InternetGatewayDevice.", "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.Password", true),
            ("InternetGatewayDevice.", "InternetGatewayDevice.Users.User.1.Password", false),
        ] {
            assert_eq!(hidden(root, name), expected, "{name} below {root}");
        }
    }
}
