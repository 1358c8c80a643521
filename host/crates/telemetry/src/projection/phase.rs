//! Spans over several steps: one per round of the first of them, made when nothing in any of them will go on by itself.

use pipeline::{Run, SpanPhase, StepName};

use super::{ParentSpan, ProjectedSpan, Scene, group};

impl Scene<'_> {
    pub(super) fn phases(&self) -> Vec<ProjectedSpan> {
        // Every phase of a run that was reopened had ended when the run was over for the first time.
        if self.run.reopened().is_some() {
            return Vec::new();
        }
        self.definition.telemetry.phases.iter().filter_map(|phase| self.phase(phase)).collect()
    }

    /// The parent of what a step has no group for: the span of its phase, or the root.
    pub(super) fn under_phase(&self, step: &StepName) -> Option<ParentSpan> {
        let Some(phase) = self.definition.telemetry.phase(step) else { return self.under_root() };
        Some(ParentSpan { span_id: self.trace().phase_span(phase.span, self.round(self.run, phase)), remote: false })
    }

    fn phase(&self, phase: &SpanPhase) -> Option<ProjectedSpan> {
        let positions = self.positions(phase);
        let round = self.round(self.run, phase);
        let ended = group::phase_ended(self.definition, self.run, &positions)?;
        let known =
            self.before.is_some_and(|before| self.round(before, phase) == round && group::phase_ended(self.definition, before, &positions).is_some());
        // After a fallout of one of its steps the span was exported already; what a person did then is seen in the attempts' own spans.
        if known || positions.iter().any(|position| self.had_fallout(*position, ended.since)) {
            return None;
        }
        let mut span = self.span(self.trace().phase_span(phase.span, round), phase.span, ended.since, (phase.attributes)(&self.view()));
        if let Some((step, request, failure)) = ended.failure {
            span.fail(&(self.definition.steps[step].telemetry.failure_text)(&request, &failure), &failure.error_type);
        }
        Some(span)
    }

    fn positions(&self, phase: &SpanPhase) -> Vec<usize> {
        let of = |name: &&str| self.definition.steps.iter().position(|step| step.name.as_str() == *name);
        phase.steps.iter().filter_map(of).collect()
    }

    /// The round of the phase is that of the first of its steps.
    fn round(&self, run: &Run, phase: &SpanPhase) -> u32 {
        self.positions(phase).first().map_or(1, |first| run.steps()[*first].round.max(1))
    }
}
