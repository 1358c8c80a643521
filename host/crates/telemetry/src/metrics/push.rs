//! Pushes metrics to a receiver at an interval, on the exporters' runtime: no thread of the SDK waits for a network.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{SharedReader, collect};
use crate::export::MetricSink;

/// Pushes at the interval and whenever asked, until nobody can ask any more.
pub(crate) async fn push(sink: MetricSink, reader: SharedReader, interval: Duration, mut asked: mpsc::Receiver<oneshot::Sender<()>>) {
    loop {
        // The loser of this race is a request that stays in the queue, or an interval that begins again.
        let done = tokio::select! {
            request = asked.recv() => match request {
                Some(done) => Some(done),
                None => return,
            },
            () = tokio::time::sleep(interval) => None,
        };
        // The census may wait for the store, on a thread where that is allowed.
        let reading = reader.clone();
        if let Ok(metrics) = tokio::task::spawn_blocking(move || collect(&reading)).await {
            sink.export(&metrics).await;
        }
        // Whoever asked may have stopped waiting; that is no failure.
        done.map(|done| done.send(()).ok());
    }
}
