//! `jackfield tenant`: tenants of a service, and what is done with them.

mod show;
mod wait;

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    client::{Client, encode},
    connection::Connection,
    exit::Problem,
    output,
};

/// Where tenants are.
const TENANTS: &str = "/api/v1/tenants";

/// What can be done with tenants.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sign a tenant up.
    Create(Create),
    /// List tenants, the newest first.
    List {
        /// Only tenants in this state: provisioning, ready, held, failed, cancelled, removing, removed, manual_cleanup_required.
        #[arg(long)]
        state: Option<String>,
        /// Only tenants of this plan.
        #[arg(long)]
        plan: Option<String>,
        /// Only tenants with this slug.
        #[arg(long)]
        slug: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        limit: u64,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show a tenant: where it stands, how long its steps took, what exists of it where.
    Show {
        #[command(flatten)]
        target: Target,
    },
    /// Take a tenant away, with everything that was made for it.
    Delete {
        #[command(flatten)]
        target: Target,
        /// The tenant's slug, to be sure that it is the one.
        #[arg(long, value_name = "SLUG")]
        confirm: String,
        /// Why.
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        wait: Wait,
    },
    /// Try again what a person was needed for.
    Retry {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        wait: Wait,
    },
    /// Compare what was made for a tenant with what is there; a difference exits with 1.
    Drift {
        #[command(flatten)]
        target: Target,
    },
    /// Make again what is gone or was changed.
    Repair {
        #[command(flatten)]
        target: Target,
    },
    /// Read a password of a tenant, once.
    Credentials {
        #[command(flatten)]
        target: Target,
        /// Which password.
        #[arg(long, value_enum)]
        which: Which,
    },
    /// Change a password of a tenant.
    Rotate {
        #[command(flatten)]
        target: Target,
        /// Which password.
        #[arg(long, value_enum)]
        which: Which,
    },
    /// How long the steps of sign-ups take, and which fail most.
    Stats {
        /// Sign-ups of so many days back.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=3_650))]
        days: u64,
        #[command(flatten)]
        connection: Connection,
    },
}

/// A new tenant.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Its name in addresses.
    slug: String,
    /// What it calls itself.
    #[arg(long)]
    name: String,
    /// What it buys.
    #[arg(long)]
    plan: String,
    /// Where its data may be.
    #[arg(long)]
    region: String,
    /// Whom to write to.
    #[arg(long)]
    email: String,
    /// What to call that person. Default: what the tenant calls itself.
    #[arg(long)]
    admin: Option<String>,
    /// What is written on everything that can be labelled: NAME=VALUE.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    labels: Vec<String>,
    /// The same key brings the same tenant.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    connection: Connection,
}

/// A tenant that something is done with.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The tenant's id, or its slug.
    tenant: String,
    #[command(flatten)]
    connection: Connection,
}

/// Whether it is waited for.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Wait {
    /// Wait until it is over; anything but done exits with 1.
    #[arg(long)]
    wait: bool,
    /// How long to wait, in seconds.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// Which password.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Which {
    /// That of the role of the tenant's database.
    Database,
    /// That of its administrator.
    Admin,
}

impl Which {
    fn body(self) -> Vec<u8> {
        let which = match self {
            Self::Database => "database",
            Self::Admin => "admin",
        };
        json!({ "which": which }).to_string().into_bytes()
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(create) => create.run().await,
        Command::List { state, plan, slug, limit, connection } => {
            show::list(&[("state", state), ("plan", plan), ("slug", slug)], limit, &connection).await
        }
        Command::Show { target } => show::show(&target).await,
        Command::Delete { target, confirm, note, wait } => {
            let (client, id) = target.find().await?;
            let body = json!({ "slug": confirm, "note": note }).to_string().into_bytes();
            let begun: Value = client.delete_confirmed(&path(&id, ""), body).await?.json()?;
            wait::after(&client, &id, wait, &["removed"], &begun, target.connection.json, "is being taken away").await
        }
        Command::Retry { target, wait } => {
            let (client, id) = target.find().await?;
            let begun: Value = client.post(&path(&id, "/retry"), &[], Vec::new()).await?.json()?;
            wait::after(&client, &id, wait, &["ready", "removed", "failed", "cancelled"], &begun, target.connection.json, "is tried again").await
        }
        Command::Drift { target } => show::drift(&target).await,
        Command::Repair { target } => show::repair(&target).await,
        Command::Credentials { target, which } => {
            let (client, id) = target.find().await?;
            let answer: Value = client.post(&path(&id, "/credentials"), &[], which.body()).await?.json()?;
            target.tell(&answer, &output::cell(&answer["password"]))
        }
        Command::Rotate { target, which } => {
            let (client, id) = target.find().await?;
            let answer: Value = client.post(&path(&id, "/credentials/rotate"), &[], which.body()).await?.json()?;
            let run = answer["run"].as_str().map_or_else(String::new, |run| format!(" by run {run}"));
            target.tell(&answer, &format!("the password of {id} is changed{run}; `jackfield tenant credentials` reads it once"))
        }
        Command::Stats { days, connection } => show::stats(days, &connection).await,
    }
}

impl Create {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let Self { slug, name, plan, region, email, admin, labels, idempotency_key, wait, connection } = self;
        let labels = labels.iter().map(|label| {
            let pair = label.split_once('=').filter(|(name, _)| !name.is_empty());
            pair.map(|(name, value)| (name.to_owned(), Value::from(value))).ok_or_else(|| Problem::Usage(format!("`{label}`: expected NAME=VALUE")))
        });
        let labels: Value = Value::Object(labels.collect::<Result<_, _>>()?);
        let admin = json!({ "email": email, "name": admin.unwrap_or_else(|| name.clone()) });
        let body = json!({ "name": name, "plan": plan, "region": region, "slug": slug, "admin": admin, "labels": labels });
        let headers: Vec<(&str, &str)> = idempotency_key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
        let client = connection.client()?;
        let accepted: Value = client.post(TENANTS, &headers, body.to_string().into_bytes()).await?.json()?;
        let id = output::cell(&accepted["id"]);
        let doing = format!("is being made by run {}; it will be found at {}", output::cell(&accepted["run"]), output::cell(&accepted["domain"]));
        wait::after(&client, &id, wait, &["ready"], &accepted, connection.json, &doing).await
    }
}

impl Target {
    /// The tenant's id. A slug may have been another tenant's before: the newest one is meant.
    async fn find(&self) -> anyhow::Result<(Client, String)> {
        let client = self.connection.client()?;
        if self.tenant.len() == 22 && self.tenant.starts_with("t-") {
            return Ok((client, self.tenant.clone()));
        }
        let page: Value = client.get(&format!("{TENANTS}?slug={}&limit=1", encode(&self.tenant))).await?.json()?;
        let unknown = || Problem::NotFound(format!("there is no tenant `{}`: expected an id or a slug", self.tenant));
        let id = page["tenants"][0]["id"].as_str().ok_or_else(unknown)?.to_owned();
        Ok((client, id))
    }

    fn tell(&self, answer: &Value, text: &str) -> anyhow::Result<ExitCode> {
        if self.connection.json {
            output::say_json(answer)?;
        } else {
            output::say(text)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Where something of a tenant is.
fn path(id: &str, what: &str) -> String {
    format!("{TENANTS}/{}{what}", encode(id))
}
