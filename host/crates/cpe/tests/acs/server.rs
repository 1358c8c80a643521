//! A server on a port of its own, with an intake that does as it is told.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use cpe::{
    acs::{
        Acs, Admission, Algorithm, AskError, AuthMode, Busy, Contact, Credential, Credentials, Door, Intake, Options, SessionEnd, SessionId, Tls,
        Unavailable, Work,
    },
    device::DeviceKey,
    quirks::Quirks,
    soap::{Answer, DeviceRpc, Inform, Rpc},
};
use engine::{
    port::{SpanContext, SystemClock},
    testing::MemorySpans,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinSet,
};

/// The server, and what it was told.
pub(crate) struct Server {
    pub(crate) acs: Acs,
    pub(crate) address: SocketAddr,
    pub(crate) spans: Arc<MemorySpans>,
    pub(crate) intake: Arc<Scripted>,
    ends: tokio::sync::Mutex<mpsc::UnboundedReceiver<(DeviceKey, SessionEnd)>>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) serving: JoinSet<()>,
}

/// What the intake answers, and what it was asked.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) work: Mutex<Result<Work, Busy>>,
    pub(crate) quirks: Mutex<Arc<Quirks>>,
    pub(crate) contacts: Mutex<Vec<Contact>>,
    pub(crate) events: Mutex<Vec<DeviceRpc>>,
    pub(crate) events_busy: Mutex<bool>,
    /// While it is locked no Inform is answered.
    pub(crate) paused: tokio::sync::RwLock<()>,
    ends: mpsc::UnboundedSender<(DeviceKey, SessionEnd)>,
}

#[async_trait]
impl Intake for Scripted {
    async fn inform(&self, contact: Contact) -> Result<Admission, Busy> {
        self.contacts.lock().unwrap().push(contact);
        let _not_paused = self.paused.read().await;
        let work = *self.work.lock().unwrap();
        work.map(|work| Admission { work })
    }

    async fn event(&self, _device: &DeviceKey, rpc: &DeviceRpc) -> Result<(), Busy> {
        self.events.lock().unwrap().push(rpc.clone());
        if *self.events_busy.lock().unwrap() { Err(Busy) } else { Ok(()) }
    }

    fn ended(&self, device: &DeviceKey, _session: SessionId, end: SessionEnd) {
        let _ = self.ends.send((device.clone(), end));
    }

    fn quirks(&self, _inform: &Inform) -> Arc<Quirks> {
        self.quirks.lock().unwrap().clone()
    }
}

/// Credentials by user name: their owner, an OUI, and the password.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<String, Credential>);

pub(crate) const REALM: &str = "cwmp";

impl Known {
    pub(crate) fn with(mut self, username: &str, password: &str, device: Option<DeviceKey>, oui: Option<&str>) -> Self {
        let secret = |algorithm: Algorithm| algorithm.secret(username, REALM, password);
        let credential = Credential { device, oui: oui.map(str::to_owned), md5: secret(Algorithm::Md5), sha256: secret(Algorithm::Sha256) };
        self.0.insert(username.to_owned(), credential);
        self
    }
}

#[async_trait]
impl Credentials for Known {
    async fn of(&self, username: &str) -> Result<Option<Credential>, Unavailable> {
        if username == "unavailable" { Err(Unavailable) } else { Ok(self.0.get(username).cloned()) }
    }
}

/// Options without authentication, for what is not about it.
pub(crate) fn open() -> Options {
    Options { auth: AuthMode::None, ..Options::default() }
}

impl Server {
    pub(crate) async fn start(options: Options, work: Work) -> Self {
        Self::with(options, work, Known::default(), None).await
    }

    pub(crate) async fn with(options: Options, work: Work, known: Known, tls: Option<Tls>) -> Self {
        let spans = Arc::new(MemorySpans::default());
        let acs = Acs::new(options, Arc::new(SystemClock), spans.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ends, ended) = mpsc::unbounded_channel();
        let intake = Arc::new(Scripted {
            work: Mutex::new(Ok(work)),
            quirks: Mutex::default(),
            contacts: Mutex::default(),
            events: Mutex::default(),
            events_busy: Mutex::new(false),
            paused: tokio::sync::RwLock::default(),
            ends,
        });
        let (stop, stopped) = watch::channel(false);
        let door = Door { listener, tls, intake: intake.clone(), credentials: Arc::new(known) };
        let mut serving = JoinSet::new();
        let server = acs.clone();
        serving.spawn(async move { server.serve(door, stopped).await });
        Self { acs, address, spans, intake, ends: tokio::sync::Mutex::new(ended), stop, serving }
    }

    /// Asks a device in the session that is open now.
    pub(crate) async fn ask(&self, device: &DeviceKey, rpc: Rpc, span: Option<SpanContext>) -> Result<Answer, AskError> {
        let session = self.acs.in_session(device).ok_or(AskError::NotInSession)?.session;
        self.acs.ask(device, session, rpc, span).await
    }

    /// Says whether more may come in the session that is open now.
    pub(crate) fn expect(&self, device: &DeviceKey, more: bool) {
        if let Some(live) = self.acs.in_session(device) {
            self.acs.expect(device, live.session, more);
        }
    }

    /// Returns when so many Informs have come.
    pub(crate) async fn contacted(&self, times: usize) {
        while self.intake.contacts.lock().unwrap().len() < times {
            tokio::task::yield_now().await;
        }
    }

    /// How the next session ends.
    pub(crate) async fn ended(&self) -> (DeviceKey, SessionEnd) {
        self.ends.lock().await.recv().await.unwrap()
    }
}
