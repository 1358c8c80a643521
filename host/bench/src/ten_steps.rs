//! A pipeline of ten steps in sequence, each a call of the no-op plugin with an effect that would be undone.

use std::sync::Arc;

use anyhow::Result;
use engine::{
    Pack,
    api::{Engine as _, Start},
};
use pipeline::{Mapped, PipelineName, TenantName, Work, testing};
use serde_json::{Value, json};

use crate::stack::Stack;

const STEPS: [&str; 10] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// The pipeline.
pub(crate) fn pack() -> Result<Pack> {
    let mut definition = testing::linear(&STEPS);
    for step in &mut definition.steps {
        step.work = Work::Effect { contract: "jackfield:order/inventory@1".parse()?, callback: false };
        step.map = |view| Ok(Mapped::one(view.input().clone()));
    }
    Ok(Pack { definition: Arc::new(definition), document: None })
}

/// What a run begins with: the request of all its steps.
fn input() -> Value {
    json!({
        "order": "01890a5d-ac96-774b-bcce-b302099a8057",
        "customer": "c-1",
        "service": {"name": "access", "resource-type": "port", "characteristics": []},
    })
}

/// Starts a run and waits for its end.
pub(crate) async fn run(stack: &Stack) -> Result<()> {
    let start =
        Start { tenant: TenantName::new("default")?, pipeline: PipelineName::new("test")?, input: input(), idempotency_key: None, trace: None };
    let started = stack.driver.start(start).await?;
    stack.journal.completed(&started.run).await
}
