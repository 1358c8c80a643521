//! Tenants in the demo: companies sign up on the providers that need no server; what came of each is compared with what was expected.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{stage::Stage, tree};

/// Where tenants are.
const TENANTS: &str = "/api/v1/tenants";

/// Everything has come to its end after this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A sign-up, and what must come of it.
struct Expected {
    slug: &'static str,
    plan: &'static str,
    /// Where it stands in the end.
    state: &'static str,
    /// What its certificate is then.
    certificate: &'static str,
    /// The step that failed, if one did.
    failed: Option<&'static str>,
    about: &'static str,
}

/// The sign-up whose trace is shown: everything there is.
const SHOWN: &str = "acme";
/// The tenant that goes again.
const GONE: &str = "initech";

const SIGN_UPS: [Expected; 5] = [
    Expected {
        slug: SHOWN,
        plan: "business",
        state: "ready",
        certificate: "issued",
        failed: None,
        about: "database, storage, name, certificate, data",
    },
    Expected { slug: "globex", plan: "free", state: "ready", certificate: "none", failed: None, about: "a plan without certificate and data" },
    Expected { slug: "hooli", plan: "express", state: "ready", certificate: "issued", failed: None, about: "ready at once, its certificate follows" },
    Expected {
        slug: "umbrella",
        plan: "broken",
        state: "failed",
        certificate: "none",
        failed: Some("seed_data"),
        about: "its data is refused: all is taken back",
    },
    Expected { slug: GONE, plan: "business", state: "removed", certificate: "none", failed: None, about: "signs up, and is taken away again" },
];

/// Sign-ups that are refused, each with the status of the answer.
const REFUSED: [(&str, u16); 4] = [("www", 400), ("xn--bcher-kva", 400), ("p\u{430}ypal", 400), (SHOWN, 409)];

/// Plays all of it.
pub(super) fn play(stage: &Stage) -> Result<()> {
    println!("\n{} companies sign up", SIGN_UPS.len());
    let mut ids = Vec::new();
    for expected in &SIGN_UPS {
        let answer = sign_up(stage, expected.slug, expected.plan, expected.slug)?;
        ensure!(answer.0 == 202, "the sign-up of {} was answered with {}: {}", expected.slug, answer.0, answer.1);
        ids.push(answer.1["id"].as_str().context("a tenant without id")?.to_owned());
    }
    let (status, again) = sign_up(stage, SHOWN, "business", SHOWN)?;
    ensure!(status == 200 && again["id"] == ids[0].as_str(), "the same sign-up again was answered with {status}: {again}");
    for (slug, expected) in REFUSED {
        let (status, said) = sign_up(stage, slug, "free", &format!("other-{}", slug.len()))?;
        ensure!(status == expected, "the sign-up of {slug} was answered with {status}, expected {expected}: {said}");
    }
    let gone = SIGN_UPS.iter().position(|expected| expected.slug == GONE).context("who goes again")?;
    wait(stage, &ids[gone], "ready")?;
    let answer = stage.client().send("DELETE", &format!("{TENANTS}/{}", ids[gone]), Some(&json!({ "slug": GONE })))?;
    ensure!(answer.status == 202, "the end of {GONE} was answered with {}: {}", answer.status, answer.body);
    let found = SIGN_UPS.iter().zip(&ids).map(|(expected, id)| ended(stage, expected, id)).collect::<Result<Vec<_>>>()?;
    println!("\n{}\n", table(&found));
    let run = found[0]["run"].as_str().unwrap_or_default().to_owned();
    println!("the trace of the sign-up of {SHOWN}; the certificate's completion is linked to its request:\n{}", trace(stage, &run)?);
    println!("all {} sign-ups came out as expected", ids.len());
    Ok(())
}

/// The status and the body of the answer.
fn sign_up(stage: &Stage, slug: &str, plan: &str, key: &str) -> Result<(u16, Value)> {
    let body = json!({
        "name": format!("{slug} Ltd"), "plan": plan, "region": "eu", "slug": slug,
        "admin": { "email": format!("ada@{}.example", slug.chars().filter(char::is_ascii_alphanumeric).collect::<String>()), "name": "Ada" },
    });
    let answer = stage.client().clone().with_header("idempotency-key", key).post(TENANTS, &body)?;
    Ok((answer.status, answer.body))
}

/// Waits until a tenant stands where it is to.
fn wait(stage: &Stage, id: &str, state: &str) -> Result<Value> {
    until(stage, id, state, |tenant| tenant["state"] == state)
}

/// Waits until a tenant is as wanted.
fn until(stage: &Stage, id: &str, wanted: &str, is: impl Fn(&Value) -> bool) -> Result<Value> {
    let begun = Instant::now();
    loop {
        let tenant = stage.client().get(&format!("{TENANTS}/{id}"))?.body;
        if is(&tenant) {
            return Ok(tenant);
        }
        if begun.elapsed() > PATIENCE {
            bail!(
                "tenant {} is {} ({}), its certificate {}, expected {wanted}",
                tenant["slug"],
                tenant["state"],
                tenant["error"],
                tenant["certificate"]
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What came of a sign-up, if it is what was expected.
fn ended(stage: &Stage, expected: &Expected, id: &str) -> Result<Value> {
    let mut tenant = wait(stage, id, expected.state)?;
    let slug = expected.slug;
    ensure!(tenant["error"]["step"].as_str() == expected.failed, "{slug} failed at {}, expected {:?}", tenant["error"], expected.failed);
    if expected.state == "ready" {
        // A certificate may come when the tenant is ready.
        tenant = until(stage, id, expected.certificate, |tenant| tenant["certificate"]["state"] == expected.certificate)?;
    } else {
        // A message that was sent is not taken back.
        let gone = |resource: &&Value| resource["state"] != "removed" && resource["step"] != "welcome_email";
        let left = tenant["resources"].as_array().into_iter().flatten().filter(gone).count();
        ensure!(left == 0, "{left} things of {slug} are left: {}", tenant["resources"]);
    }
    Ok(tenant)
}

fn table(found: &[Value]) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let count = |tenant: &Value| tenant["resources"].as_array().into_iter().flatten().filter(|resource| resource["state"] == "present").count();
    let row = |(tenant, expected): (&Value, &Expected)| {
        [text(&tenant["domain"]), text(&tenant["plan"]), text(&tenant["state"]), count(tenant).to_string(), expected.about.to_owned()]
    };
    let header = ["domain", "plan", "state", "what it has", "what it shows"].map(str::to_owned);
    super::table::columns(std::iter::once(header).chain(found.iter().zip(&SIGN_UPS).map(row)).collect())
}

/// The trace of a sign-up that has ended; spans are exported within seconds.
fn trace(stage: &Stage, run: &str) -> Result<String> {
    let run = stage.client().get(&format!("/api/v1/runs/{run}"))?.body;
    let trace = run["state"]["started"]["trace"]["trace_id"].as_str().unwrap_or_default().to_owned();
    let begun = Instant::now();
    loop {
        let tree = tree::render(&stage.spans(), &trace).unwrap_or_default();
        if tree.starts_with("tenant.provision") && tree.contains("tenant.provision.ssl.complete") {
            return Ok(tree);
        }
        ensure!(begun.elapsed() < PATIENCE, "the trace of the sign-up was not exported; so far:\n{tree}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
