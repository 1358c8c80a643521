//! One line per event, for snapshots that a person reviews.

use pipeline::{Event, Failure, ItemId, Outcome, Pended, Record, Timestamp, Verdict};

/// A record as one line: number, epoch, milliseconds, what happened.
pub(crate) fn line(record: &Record) -> String {
    let Record { seq, epoch, at, event } = record;
    format!("{:>3} e{} {:>7} {}", seq.0, epoch.0, millis(*at), text(event))
}

fn millis(at: Timestamp) -> String {
    format!("{}.{:03}", at.0 / 1000, at.0 % 1000)
}

fn text(event: &Event) -> String {
    match event {
        Event::RunStarted(started) => format!("run-started {} v{} {}", started.pipeline, started.version, started.input),
        Event::StepScheduled { step, round, items, revision } => {
            let requests: Vec<_> = items.iter().map(|item| item.request.to_string()).collect();
            let revision = revision.as_ref().map_or(String::new(), |revision| format!(" by revision {}", &revision.as_str()[..4]));
            format!("step-scheduled {step} round {round} [{}]{revision}", requests.join(", "))
        }
        Event::StepRefused { step, failure } => format!("step-refused {step}: {}", failed(failure)),
        Event::AttemptStarted { attempt } => format!("attempt-started {attempt}"),
        Event::AttemptPended { attempt, pending, .. } => format!("attempt-pended {attempt}: {}", pended(pending)),
        Event::ResumeFailed { attempt, failure, due } => format!("resume-failed {attempt}: {}, again at {}", failed(failure), millis(*due)),
        Event::ResumeHeld { attempt, failure } => format!("resume-held {attempt}: {}", failed(failure)),
        Event::AttemptFinished { attempt, verdict, retry_at, .. } => {
            let retry = retry_at.map_or(String::new(), |at| format!(", retry at {}", millis(at)));
            format!("attempt-finished {attempt}: {}{retry}", verdict_text(verdict))
        }
        Event::AttemptLost { attempt, .. } => format!("attempt-lost {attempt}"),
        Event::RetryAbandoned { item } => format!("retry-abandoned {}", id(item)),
        Event::TimerFired { item, timer } => format!("timer-fired {} {timer:?}", id(item)),
        Event::CancelRequested { item } => format!("cancel-requested {}", id(item)),
        Event::CallbackReceived { item, body } => format!("callback-received {} `{body}`", id(item)),
        Event::ChildStarted { item, child } => format!("child-started {} {child}", id(item)),
        Event::ChildEnded { item, child, result } => {
            let result = result.as_ref().map_or_else(failed, ToString::to_string);
            format!("child-ended {} {child}: {result}", id(item))
        }
        Event::ItemForgiven { item } => format!("item-forgiven {}", id(item)),
        Event::UnwindStarted { cause, step, item, then } => {
            let cause = cause.as_ref().map_or_else(|| "a person".to_owned(), failed);
            let place = step.as_ref().map_or(String::new(), |step| format!(" in {step}{}", position(*item)));
            format!("unwind-started by {cause}{place}, then {then:?}")
        }
        Event::UndoScheduled { item } => format!("undo-scheduled {}", id(item)),
        Event::PinChanged(changed) => {
            let items: Vec<_> = changed.items.iter().map(id).collect();
            let to = changed.pin.provider.digest().map_or("the host", |digest| &digest.as_str()[..4]);
            let (from, revision) = (&changed.from.as_str()[..4], &changed.revision.as_str()[..4]);
            format!("pin-changed {} from {from} to {to} by revision {revision} by {}", items.join(", "), changed.by)
        }
        Event::FalloutOpened(opened) => {
            let place = format!("{}{}", opened.step, position(opened.item));
            format!("fallout-opened {} {:?} {place} {}: {}", opened.id, opened.subject, opened.reason, failed(&opened.failure))
        }
        Event::FalloutResolved { id, resolution, by, .. } => format!("fallout-resolved {id} {resolution:?} by {by}"),
        Event::RunEnded { outcome } => format!("run-ended {}", outcome_text(outcome)),
        Event::ParentNotified => "parent-notified".to_owned(),
        Event::RunReopened { by, .. } => format!("run-reopened by {by}"),
    }
}

/// An outcome in a few words.
pub(crate) fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed => "completed".to_owned(),
        Outcome::Failed { failure, step } => format!("failed in {}: {}", step.as_ref().map_or("no step", |step| step.as_str()), failed(failure)),
        Outcome::Cancelled => "cancelled".to_owned(),
    }
}

fn position(item: Option<u32>) -> String {
    item.map_or(String::new(), |item| format!("[{item}]"))
}

fn id(item: &ItemId) -> String {
    format!("{}[{}] round {}", item.step, item.item, item.round)
}

fn failed(failure: &Failure) -> String {
    format!("{:?} {}", failure.class, failure.error_type)
}

fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Done(output) => format!("done {output}"),
        Verdict::Undone => "undone".to_owned(),
        Verdict::Refused { output, failure } => format!("{output} refused: {}", failed(failure)),
        Verdict::Failed(failure) => failed(failure),
    }
}

fn pended(pended: &Pended) -> String {
    let poll = pended.poll_at.map_or("no poll".to_owned(), |at| format!("poll at {}", millis(at)));
    format!("{poll}, give up at {}", millis(pended.give_up_at))
}
