//! A device made of a map: it does what the standard says, or what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    device::{DeviceId, DeviceKey},
    soap::{Answer, DeviceRpc, EventCode, Fault, Inform, ParameterFault, ParameterInfo, ParameterValue, Rpc, Transfer},
    value::hidden,
};

/// What is wrong with a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    Nothing,
    /// It says that it applied what it did not.
    Lies,
    /// The same of one parameter.
    LiesAbout(&'static str),
    /// The same, the first time.
    LiesOnce,
    /// It does not have some parameters.
    Lacks(Vec<&'static str>),
    /// It applies values when the session is over, and says so.
    AppliesLater,
    /// It applies values when it restarts, and says so.
    AppliesAtRestart,
    /// It says that it applies values later, and never does.
    NeverApplies,
    /// It refuses values.
    Refuses(u32, &'static str, Option<&'static str>),
    /// It writes values in other ways than it was given them.
    Rewrites,
    /// It leaves before it answers this, after having done it or not.
    LeavesDuring {
        method: &'static str,
        done: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) wrong: Wrong,
    pub(crate) events: Vec<(String, String)>,
    /// What it was asked, in the order of asking.
    pub(crate) asked: Vec<String>,
    /// What it is to apply.
    later: Vec<(String, String)>,
    pub(crate) restarts: u32,
    /// Every value that it was sent, also those that it did not apply.
    pub(crate) sent: Vec<(String, String)>,
    /// What it says by itself after its Inform.
    pub(crate) says: Vec<DeviceRpc>,
    instances: BTreeMap<String, u32>,
    lied: bool,
}

/// What became of a request.
pub(crate) enum Reply {
    Answer(Answer),
    Fault(Fault),
    /// It is gone.
    Gone,
}

impl Device {
    pub(crate) fn new(serial: &str, root: &str) -> Self {
        let values = [
            ("DeviceInfo.ModelName", "R-1"),
            ("DeviceInfo.SoftwareVersion", "1.0"),
            ("DeviceInfo.HardwareVersion", "A"),
            ("ManagementServer.ConnectionRequestURL", "http://192.0.2.7:7547/"),
            ("ManagementServer.ConnectionRequestUsername", ""),
            ("ManagementServer.ConnectionRequestPassword", ""),
            ("ManagementServer.ParameterKey", ""),
        ];
        let mut values: BTreeMap<String, String> = values.into_iter().map(|(name, value)| (format!("{root}{name}"), value.to_owned())).collect();
        for number in 1..=9 {
            values.insert(format!("{root}Config.P{number}"), "old".to_owned());
        }
        values.insert(format!("{root}Config.Enable"), "0".to_owned());
        values.insert(format!("{root}Config.MAC"), String::new());
        for name in ["WiFi.AccessPoint.1.Security.KeyPassphrase", "LANDevice.1.WLANConfiguration.1.KeyPassphrase"] {
            values.insert(format!("{root}{name}"), String::new());
        }
        let id = DeviceId { manufacturer: "Acme".to_owned(), oui: "00D09E".to_owned(), product_class: "R".to_owned(), serial: serial.to_owned() };
        Self {
            id,
            values,
            wrong: Wrong::Nothing,
            events: vec![("0 BOOTSTRAP".to_owned(), String::new())],
            asked: Vec::new(),
            later: Vec::new(),
            restarts: 0,
            sent: Vec::new(),
            says: Vec::new(),
            instances: BTreeMap::new(),
            lied: false,
        }
    }

    pub(crate) fn with(mut self, wrong: Wrong) -> Self {
        if let Wrong::Lacks(names) = &wrong {
            let lacks: BTreeSet<String> = names.iter().map(|name| format!("{}{name}", self.root())).collect();
            self.values.retain(|name, _| !lacks.contains(name));
        }
        self.wrong = wrong;
        self
    }

    pub(crate) fn key(&self) -> DeviceKey {
        self.id.key()
    }

    pub(crate) fn root(&self) -> &'static str {
        if self.values.keys().next().is_some_and(|name| name.starts_with("Internet")) { "InternetGatewayDevice." } else { "Device." }
    }

    pub(crate) fn value(&self, below: &str) -> &str {
        self.values.get(&format!("{}{below}", self.root())).map_or("(none)", String::as_str)
    }

    pub(crate) fn inform(&mut self) -> Inform {
        let events = std::mem::take(&mut self.events).into_iter().map(|(code, command_key)| EventCode { code, command_key }).collect();
        let informed = ["DeviceInfo.", "ManagementServer.ParameterKey", "ManagementServer.ConnectionRequestURL"];
        let is_informed = |name: &str| informed.iter().any(|wanted| name.strip_prefix(self.root()).is_some_and(|rest| rest.starts_with(wanted)));
        let parameters = self.values.iter().filter(|(name, _)| is_informed(name)).map(|(name, value)| parameter(name, value)).collect();
        Inform { device: self.id.clone(), events, current_time: String::new(), retry_count: 0, parameters }
    }

    /// The session is over: what was to be done then is done.
    pub(crate) fn session_ended(&mut self) {
        if self.wrong == Wrong::AppliesLater {
            self.values.extend(std::mem::take(&mut self.later));
        }
        if std::mem::take(&mut self.restarts) > 0 {
            if self.wrong == Wrong::AppliesAtRestart {
                self.values.extend(std::mem::take(&mut self.later));
            }
            self.events.push(("1 BOOT".to_owned(), String::new()));
        }
    }

    pub(crate) fn ask(&mut self, rpc: &Rpc) -> Reply {
        self.asked.push(rpc.name().to_owned());
        if let Wrong::LeavesDuring { method, done } = self.wrong
            && method == rpc.name()
        {
            self.wrong = Wrong::Nothing;
            if done {
                self.carry_out(rpc);
            }
            return Reply::Gone;
        }
        self.carry_out(rpc)
    }

    fn carry_out(&mut self, rpc: &Rpc) -> Reply {
        match rpc {
            Rpc::SetParameterValues { list, parameter_key } => {
                let values: Vec<(String, String)> = list.iter().map(|value| (value.name.clone(), value.value.clone())).collect();
                self.set(&values, parameter_key)
            }
            Rpc::GetParameterValues { names } => self.get(names),
            Rpc::GetParameterNames { path, .. } => {
                let below: BTreeSet<String> =
                    self.values.keys().filter_map(|name| Some(name.strip_prefix(path)?.split_once('.')?.0.to_owned())).collect();
                let infos = below.into_iter().map(|instance| ParameterInfo { name: format!("{path}{instance}."), writable: true });
                Reply::Answer(Answer::GetParameterNames(infos.collect()))
            }
            Rpc::AddObject { object, parameter_key } => {
                let instance = self.instances.entry(object.clone()).or_insert(10);
                *instance += 1;
                let instance = *instance;
                for name in ["Name", "VLANID", "Enable"] {
                    self.values.insert(format!("{object}{instance}.{name}"), String::new());
                }
                self.keep_key(parameter_key);
                Reply::Answer(Answer::AddObject { instance, status: 0 })
            }
            Rpc::DeleteObject { object, parameter_key } => {
                let before = self.values.len();
                self.values.retain(|name, _| !name.starts_with(object.as_str()));
                if self.values.len() == before {
                    return Reply::Fault(Fault::new(9005, "Invalid parameter name"));
                }
                self.keep_key(parameter_key);
                Reply::Answer(Answer::DeleteObject { status: 0 })
            }
            Rpc::SetParameterAttributes { .. } => Reply::Answer(Answer::SetParameterAttributes),
            Rpc::Reboot { command_key } => {
                self.restarts += 1;
                self.events.push(("M Reboot".to_owned(), command_key.clone()));
                Reply::Answer(Answer::Reboot)
            }
            Rpc::FactoryReset => {
                self.events.push(("0 BOOTSTRAP".to_owned(), String::new()));
                Reply::Answer(Answer::FactoryReset)
            }
            Rpc::Download(_) => Reply::Answer(Answer::Download(Transfer { status: 1, ..Transfer::default() })),
            Rpc::Upload(_) => Reply::Answer(Answer::Upload(Transfer { status: 1, ..Transfer::default() })),
            Rpc::GetRpcMethods | Rpc::GetParameterAttributes { .. } | Rpc::ScheduleInform { .. } | Rpc::CancelTransfer { .. } => {
                Reply::Fault(Fault::new(9000, format!("{} is not supported", rpc.name())))
            }
        }
    }

    fn keep_key(&mut self, parameter_key: &str) {
        let name = format!("{}ManagementServer.ParameterKey", self.root());
        self.values.insert(name, parameter_key.to_owned());
    }

    fn set(&mut self, values: &[(String, String)], parameter_key: &str) -> Reply {
        self.sent.extend_from_slice(values);
        if let Wrong::Refuses(code, text, parameter) = &self.wrong {
            let parameters =
                parameter.iter().map(|name| ParameterFault { name: format!("{}{name}", self.root()), code: 9007, string: "No".to_owned() });
            return Reply::Fault(Fault { code: *code, string: (*text).to_owned(), parameters: parameters.collect() });
        }
        self.keep_key(parameter_key);
        let root = self.root();
        let later = matches!(self.wrong, Wrong::AppliesLater | Wrong::AppliesAtRestart | Wrong::NeverApplies);
        for (name, value) in values {
            let applies = match &self.wrong {
                Wrong::Lies => false,
                Wrong::LiesOnce => self.lied,
                Wrong::LiesAbout(below) => *name != format!("{root}{below}"),
                Wrong::Lacks(_) => self.values.contains_key(name),
                Wrong::Nothing | Wrong::Rewrites | Wrong::Refuses(..) | Wrong::LeavesDuring { .. } => true,
                Wrong::AppliesLater | Wrong::AppliesAtRestart | Wrong::NeverApplies => false,
            };
            if later {
                self.later.push((name.clone(), value.clone()));
            } else if applies {
                let value = if self.wrong == Wrong::Rewrites { rewritten(name, value) } else { value.clone() };
                self.values.insert(name.clone(), value);
            }
        }
        self.lied = true;
        Reply::Answer(Answer::SetParameterValues { status: u8::from(later) })
    }

    fn get(&self, names: &[String]) -> Reply {
        let mut read = Vec::new();
        for name in names {
            let before = read.len();
            if name.ends_with('.') {
                read.extend(self.values.iter().filter(|(known, _)| known.starts_with(name.as_str())).map(|(name, value)| parameter(name, value)));
            } else if let Some(value) = self.values.get(name) {
                let value = if hidden(self.root(), name) { "" } else { value };
                read.push(parameter(name, value));
            }
            if read.len() == before && !name.ends_with('.') {
                return Reply::Fault(Fault::new(9005, "Invalid parameter name"));
            }
        }
        Reply::Answer(Answer::GetParameterValues(read))
    }
}

/// The same value in another form.
fn rewritten(name: &str, value: &str) -> String {
    if name.ends_with("Enable") {
        return "true".to_owned();
    }
    if name.ends_with("MAC") {
        return value.to_uppercase().replace(':', "-");
    }
    value.to_owned()
}

fn parameter(name: &str, value: &str) -> ParameterValue {
    ParameterValue { name: name.to_owned(), value: value.to_owned(), xsd: "string".to_owned() }
}
