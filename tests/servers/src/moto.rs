//! Moto: S3 with users, policies and signatures.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};

use crate::{
    error::{Error, write},
    http::Http,
    port,
    process::Process,
    program::output,
    python, random,
};

/// What makes the users, and what runs the code of an audit.
const USERS: &str = include_str!("moto_users.py");
const AUDIT: &str = include_str!("moto_audit.py");

/// A key of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The part that is no secret.
    pub id: String,
    /// The secret.
    pub secret: String,
}

/// An S3 server that checks signatures and policies. It forgets everything when it is killed.
#[derive(Debug)]
pub struct Moto {
    process: Process,
    python: PathBuf,
    policy: Value,
    port: u16,
    account: String,
    admin: AccessKey,
    key: AccessKey,
}

impl Moto {
    /// Starts one with a user who may do everything in S3 and nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without what is installed from PyPI, else what went wrong.
    pub fn start() -> Result<Self, Error> {
        let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        Self::start_with(json!({"Version": "2012-10-17", "Statement": [statement]}))
    }

    /// Starts one with a user who may do what this policy of IAM says.
    ///
    /// # Errors
    ///
    /// As [`Moto::start`].
    pub fn start_with(policy: Value) -> Result<Self, Error> {
        let python = python::with("moto")?;
        port::on_free(|[port]| {
            let process = Process::new("Moto")?;
            // Twelve digits, of which nobody else has the same.
            let account: String = random::bytes::<12>().iter().map(|byte| char::from(b'0' + byte % 10)).collect();
            let nobody = AccessKey { id: String::new(), secret: String::new() };
            let (python, policy) = (python.clone(), policy.clone());
            let mut moto = Self { process, python, policy, port, account, admin: nobody.clone(), key: nobody };
            write(&moto.process.file("users.py"), USERS)?;
            write(&moto.process.file("audit.py"), AUDIT)?;
            moto.restart()?;
            Ok(moto)
        })
    }

    /// Starts it again, on the same port, after it was killed if it runs. There are no buckets then, and the keys are others.
    ///
    /// # Errors
    ///
    /// As [`Moto::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill9();
        let mut command = Command::new(self.python.with_file_name("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &self.port.to_string()]);
        // The first calls make the user that makes the other: those that `users.py` says.
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", "4").env("MOTO_ACCOUNT_ID", &self.account);
        let (http, url) = (Http::plain(), format!("{}/moto-api/", self.endpoint()));
        self.process.start(command, move || http.send("GET", &url, &[], "").is_ok())?;
        let text = self.python("users.py", &[&self.account, &self.policy.to_string()])?;
        let answer: Value = serde_json::from_str(&text).map_err(|error| Error::refused("the users of Moto", error.to_string()))?;
        let text = |user: &str, field: &str| answer[user][field].as_str().unwrap_or_default().to_owned();
        let key = |user| AccessKey { id: text(user, "AccessKeyId"), secret: text(user, "SecretAccessKey") };
        (self.admin, self.key) = (key("admin"), key("user"));
        Ok(())
    }

    /// Kills it, with all that it knew.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Where it is: `http://127.0.0.1:port`. The name of a bucket is the first part of the path; the region is `us-east-1`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The key of the user.
    pub fn key(&self) -> &AccessKey {
        &self.key
    }

    /// Runs Python with boto3, which is not ours, as somebody who may do everything: `s3` and `iam` are clients, and what is put
    /// into `answer` is returned. What boto3 raises is an error with its name, as `NoSuchBucket`.
    ///
    /// # Errors
    ///
    /// What the code raised.
    pub fn audit(&self, code: &str) -> Result<Value, Error> {
        self.audit_as(&self.admin, code)
    }

    /// The same with a key.
    ///
    /// # Errors
    ///
    /// As [`Moto::audit`].
    pub fn audit_as(&self, key: &AccessKey, code: &str) -> Result<Value, Error> {
        let text = self.python("audit.py", &[&key.id, &key.secret, code])?;
        serde_json::from_str(&text).map_err(|error| Error::refused("an audit", error.to_string()))
    }

    /// The names of the buckets, in the order of the alphabet.
    ///
    /// # Errors
    ///
    /// As [`Moto::audit`].
    pub fn buckets(&self) -> Result<Vec<String>, Error> {
        let answer = self.audit("answer = sorted(bucket['Name'] for bucket in s3.list_buckets()['Buckets'])")?;
        Ok(answer.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }

    /// What the server printed.
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn python(&self, script: &str, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(&self.python);
        // Nothing of a person's own configuration.
        let nowhere = self.process.file("no-such-file");
        command.env("AWS_CONFIG_FILE", &nowhere).env("AWS_SHARED_CREDENTIALS_FILE", &nowhere).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("NO_PROXY", "127.0.0.1").arg(self.process.file(script)).arg(self.endpoint());
        output(command.args(arguments), "boto3")
    }
}
