//! `jackfield order`: product orders over the TM Forum interface (TMF622 v4).

mod wait;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use hyper::StatusCode;
use serde_json::Value;

use super::{
    client::{Client, encode, read_input},
    connection::Connection,
    output,
};

/// Where orders are.
const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// The most orders of a page; the interface has the same limit.
const PAGE: u64 = 100;

/// What can be done with orders.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Submit an order: a TMF622 ProductOrder in JSON.
    Submit(Submit),
    /// Show an order as the TM Forum interface represents it.
    Show {
        /// The order's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// List orders, the newest first.
    List {
        /// Only orders in this state: acknowledged, inProgress, held, completed, failed, cancelled.
        #[arg(long)]
        state: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        limit: u64,
        #[command(flatten)]
        connection: Connection,
    },
}

/// An order to submit.
#[derive(Debug, Args)]
pub(super) struct Submit {
    /// The file with the order, or `-` for standard input.
    file: String,
    /// A key under which a repeated submission finds the order of the first one. 1 to 256 visible ASCII characters.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Wait until the order is completed, failed, cancelled or held. Anything but completed exits with 1.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Submit(order) => submit(order).await,
        Command::Show { id, connection } => show(&id, &connection).await,
        Command::List { state, limit, connection } => list(state.as_deref(), limit, &connection).await,
    }
}

async fn submit(order: Submit) -> anyhow::Result<ExitCode> {
    let body = read_input(&order.file, orders::tmf622::MAX_BODY)?;
    let client = order.connection.client()?;
    let headers: Vec<_> = order.idempotency_key.as_deref().map(|key| ("Idempotency-Key", key)).into_iter().collect();
    let answer = client.post(ORDERS, &headers, body).await?;
    let submitted: Value = answer.json()?;
    let id = output::cell(&submitted["id"]);
    if !order.wait {
        return if order.connection.json { output::say_json(&submitted) } else { output::say(&accepted(&submitted, answer.status)) }
            .map(|()| ExitCode::SUCCESS);
    }
    eprintln!("{}", accepted(&submitted, answer.status));
    let ended = wait::until_it_rests(&client, &id).await?;
    if order.connection.json {
        output::say_json(&ended)?;
    } else {
        output::say(&format!("order {id} is {}", output::cell(&ended["state"])))?;
    }
    Ok(wait::exit_code(&ended))
}

fn accepted(order: &Value, status: StatusCode) -> String {
    let how = if status == StatusCode::OK { "was submitted before and is" } else { "was accepted and is" };
    format!("order {} {how} {}", output::cell(&order["id"]), output::cell(&order["state"]))
}

async fn find(client: &Client, id: &str) -> anyhow::Result<Value> {
    client.get(&format!("{ORDERS}/{}", encode(id))).await?.json()
}

async fn show(id: &str, connection: &Connection) -> anyhow::Result<ExitCode> {
    let order = find(&connection.client()?, id).await?;
    if connection.json {
        output::say_json(&order)?;
    } else {
        output::say(&text(&order))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What people ask for first, then the items.
fn text(order: &Value) -> String {
    let lines = ["id", "state", "orderDate", "completionDate", "cancellationDate", "externalId", "category", "priority"];
    let mut text = String::new();
    for key in lines.into_iter().filter(|key| !order[*key].is_null()) {
        text.push_str(&format!("{key:<18}{}\n", output::cell(&order[key])));
    }
    let rows: Vec<Vec<String>> = items(order)
        .map(|item| {
            ["id", "state", "action"].map(|key| output::cell(&item[key])).into_iter().chain([output::cell(&item["productOffering"]["id"])]).collect()
        })
        .collect();
    text.push('\n');
    text.push_str(&output::table(&["ITEM", "STATE", "ACTION", "OFFERING"], &rows));
    text
}

fn items(order: &Value) -> impl Iterator<Item = &Value> {
    order["productOrderItem"].as_array().into_iter().flatten()
}

async fn list(state: Option<&str>, limit: u64, connection: &Connection) -> anyhow::Result<ExitCode> {
    let client = connection.client()?;
    let (mut orders, mut total) = (Vec::<Value>::new(), 0);
    loop {
        let left = limit - orders.len() as u64;
        let filter = state.map_or_else(String::new, |state| format!("&state={}", encode(state)));
        let answer = client.get(&format!("{ORDERS}?offset={}&limit={}{filter}", orders.len(), left.min(PAGE))).await?;
        total = answer.headers.get("x-total-count").and_then(|count| count.to_str().ok()?.parse().ok()).unwrap_or(total);
        let page: Vec<Value> = answer.json()?;
        let last = page.is_empty();
        orders.extend(page);
        if last || orders.len() as u64 >= limit.min(total) {
            break;
        }
    }
    if connection.json {
        output::say_json(&orders)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = orders.iter().map(row).collect();
    output::say(&output::table(&["ID", "STATE", "ORDERED", "OFFERING", "EXTERNAL ID"], &rows))?;
    if total > orders.len() as u64 {
        eprintln!("{} of {total} orders; --limit shows more", orders.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn row(order: &Value) -> Vec<String> {
    let offerings: Vec<String> = items(order).map(|item| output::cell(&item["productOffering"]["id"])).filter(|id| !id.is_empty()).collect();
    let mut row = ["id", "state", "orderDate"].map(|key| output::cell(&order[key])).to_vec();
    row.extend([offerings.join(", "), output::cell(&order["externalId"])]);
    row
}
