//! The contract `mail` answered with files in a folder as mail programs read it (maildir), for a host without a mail server.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::PathBuf,
    sync::Arc,
};

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Clock, Observed, Runner};
use lettre::message::Mailbox;
use pipeline::{Failure, Pin, Verbs};

use super::{
    effect::{self, Effect, done, held, ours, unavailable},
    message::{check_message_id, message, sender},
};
use crate::contract::{MailReceipt, MailRequest};

/// The name of the provider in bindings.
pub const MAILDIR_PROVIDER: &str = "maildir";

/// Puts messages into a folder. A message is there once, however often it is sent.
#[derive(Debug, Clone)]
pub struct Maildir {
    folder: PathBuf,
    from: Mailbox,
    clock: Arc<dyn Clock>,
}

impl Maildir {
    /// A folder, which is made when it is needed, and who sends: `Name <address>` or an address.
    ///
    /// # Errors
    ///
    /// When the sender is none.
    pub fn new(folder: PathBuf, from: &str, clock: Arc<dyn Clock>) -> Result<Self, String> {
        Ok(Self { folder, from: sender(from)?, clock })
    }

    /// What the step of the mail is bound to.
    pub fn pin() -> Pin {
        let verbs = Verbs { observe: true, resume: false, undo: false };
        effect::native(MAILDIR_PROVIDER, "jackfield:tenant/mail@1.0.0", verbs, true)
    }

    /// Whether a message is in the folder, read or not.
    fn is_there(&self, name: &str) -> io::Result<bool> {
        if self.folder.join("new").join(name).try_exists()? {
            return Ok(true);
        }
        // A mail program moves what was read, and puts marks after the name.
        match fs::read_dir(self.folder.join("cur")) {
            Ok(read) => {
                for entry in read {
                    if entry?.file_name().to_str().is_some_and(|other| other.split(':').next() == Some(name)) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn deliver(&self, name: &str, text: &[u8]) -> io::Result<()> {
        if self.is_there(name)? {
            return Ok(());
        }
        for folder in ["tmp", "new", "cur"] {
            DirBuilder::new().recursive(true).mode(0o700).create(self.folder.join(folder))?;
        }
        let draft = self.folder.join("tmp").join(name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text)?;
        file.sync_all()?;
        let new = self.folder.join("new");
        fs::rename(&draft, new.join(name))?;
        File::open(new)?.sync_all()
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static) -> Result<T, Failure> {
        let maildir = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&maildir)).await.map_err(|error| held("host.internal", error.to_string()))?;
        done.map_err(|error| unavailable("mail_unavailable", format!("the folder of messages cannot be used: {error}")))
    }
}

/// The name of a message's file: the same for the same id, and nothing that leads elsewhere.
fn file_name(id: &str) -> String {
    blake3::hash(id.as_bytes()).to_hex()[..32].to_owned()
}

fn receipt(request: &MailRequest) -> MailReceipt {
    MailReceipt { message_id: request.message_id.clone(), answer: format!("new/{}", file_name(&request.message_id)) }
}

#[async_trait]
impl Runner for Maildir {
    async fn call(&self, call: Call) -> CallReport {
        effect::run(self, &call).await
    }
}

#[async_trait]
impl Effect for Maildir {
    type Request = MailRequest;
    type Receipt = MailReceipt;

    async fn apply(&self, _: &Call, request: MailRequest) -> Result<Answer, Failure> {
        let (text, name) = (message(&self.from, &request, self.clock.now())?.formatted(), file_name(&request.message_id));
        self.blocking(move |maildir| maildir.deliver(&name, &text)).await?;
        Ok(done(&receipt(&request)))
    }

    async fn observe(&self, _: &Call, request: MailRequest) -> Result<Observed, Failure> {
        check_message_id(&request.message_id)?;
        let name = file_name(&request.message_id);
        let there = self.blocking(move |maildir| maildir.is_there(&name)).await?;
        Ok(if there { ours(&receipt(&request)) } else { Observed::Absent })
    }

    async fn undo(&self, _: &Call, _: MailReceipt) -> Result<(), Failure> {
        Err(held("plugin.contract", "a message cannot be taken back"))
    }
}

#[cfg(test)]
mod tests {
    use engine::testing::SimClock;
    use serde_json::json;

    use super::*;
    use crate::providers::testing::Caller;

    #[tokio::test]
    async fn a_message_is_delivered_once_and_found_when_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::new(folder.path().join("mail"), "Host <host@example.test>", Arc::new(SimClock::default())).unwrap();
        let caller = Caller::new(maildir, Maildir::pin());
        let request = json!({"message-id": "run.mail@example.test", "to": "ann@example.test", "subject": "Welcome", "text": "Hello"});
        assert_eq!(caller.observe(&request).await, Observed::Absent);
        let receipt = caller.receipt(&request).await;
        assert_eq!(caller.receipt(&request).await, receipt);
        let (new, cur) = (folder.path().join("mail/new"), folder.path().join("mail/cur"));
        let files: Vec<_> = fs::read_dir(&new).unwrap().map(|entry| entry.unwrap().path()).collect();
        let [file] = files.as_slice() else { panic!("expected one message: {files:?}") };
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains("Message-ID: <run.mail@example.test>\r\n") && text.ends_with("\r\n\r\nHello"), "{text}");

        fs::rename(file, cur.join(format!("{}:2,S", file.file_name().unwrap().to_str().unwrap()))).unwrap();
        assert_eq!(caller.observe(&request).await, Observed::Ours(receipt.clone()));
        caller.receipt(&request).await;
        assert_eq!(fs::read_dir(&new).unwrap().count(), 0, "it is not sent again");
    }
}
