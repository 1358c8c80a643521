//! The person who resolves fallouts: never guesses, looks at the ledger first.

use engine::{
    Driver,
    api::{Decision, Engine, EngineError, RunView},
    port::{RunState, Timers},
};
use pipeline::{Definition, FalloutOpened, Resolution, RunId};

use super::{ledger::Ledger, providers::receipt, reference::effect_name};

/// Decides every open fallout of every held run.
pub(super) async fn decide(driver: &Driver, timers: &dyn Timers, ledger: &Ledger, definitions: &[Definition]) -> Result<(), String> {
    let held = timers.in_state(RunState::Held, None, 1_000).await.map_err(|error| error.to_string())?;
    for row in held {
        let Some(view) = look(driver, &row.run).await? else { continue };
        let definition = definitions.iter().find(|definition| definition.name == row.pipeline).ok_or("a held run of an unknown pipeline")?;
        for fallout in view.run.open_fallouts() {
            let resolution = resolution(ledger, definition, &view, &fallout.opened).await;
            let decision =
                Decision { run: row.run.clone(), fallout: Some(fallout.opened.id), resolution, by: "operator".to_owned(), note: String::new() };
            // A decision that was made in between is refused, and nothing is lost with it.
            if let Err(error) = driver.resolve(decision).await {
                tracing::info!("the decision was not taken: {error}");
            }
        }
    }
    Ok(())
}

async fn look(driver: &Driver, run: &RunId) -> Result<Option<RunView>, String> {
    driver.query(run).await.map_err(|error: EngineError| error.to_string())
}

/// What was in doubt is skipped when the ledger shows it and retried when it does not; what was refused is fixed and retried.
async fn resolution(ledger: &Ledger, definition: &Definition, view: &RunView, opened: &FalloutOpened) -> Resolution {
    let run = view.run.input()["name"].as_str().unwrap_or_default();
    if opened.failure.error_type != "host.restarted" {
        ledger.word(&format!("fix {run}")).await;
        return Resolution::Retry;
    }
    let Some(item) = view.run.fallout_item(definition, opened) else { return Resolution::Retry };
    let what = effect_name(run, &item);
    match ledger.ask(&format!("find {what}")).await.as_slice() {
        [present, key] if present == "present" => Resolution::SkipWith(receipt(key, &what)),
        _ => Resolution::Retry,
    }
}
