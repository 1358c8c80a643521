//! A layer over the providers: a point after every effect, before the engine hears of it.

use std::sync::Arc;

use async_trait::async_trait;
use engine::port::{Call, CallReport, Runner, Verb};

use super::{
    points::{Kind, Points},
    providers::{name, what},
};

/// Makes calls and passes a point after each that had an effect.
#[derive(Debug)]
pub(super) struct EffectPoints<R> {
    pub(super) inner: R,
    pub(super) points: Arc<Points>,
}

#[async_trait]
impl<R: Runner> Runner for EffectPoints<R> {
    async fn call(&self, call: Call) -> CallReport {
        let place = format!("{} {} attempt {} of {}", what(&call), call.verb.function(), call.attempt.attempt, name(&call));
        let only_looks = call.verb == Verb::Observe;
        let report = self.inner.call(call).await;
        if report.answer.is_ok() && !only_looks {
            self.points.pass(Kind::AfterEffect, &place);
        }
        report
    }
}
