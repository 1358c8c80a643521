//! Measuring several things in turn, so that what the machine does meanwhile hits all of them alike.

use std::{future::Future, pin::Pin, time::Duration};

use anyhow::{Context, Result};

use super::statistics::median;

/// What one round of a contender took, for so many calls.
pub(crate) type Timed<'a> = Pin<Box<dyn Future<Output = Result<Duration>> + Send + 'a>>;

/// The times of a call in microseconds, one list per contender, round by round.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rounds(Vec<Vec<f64>>);

impl Rounds {
    /// The median time of a contender.
    pub(crate) fn time(&self, contender: usize) -> Result<f64> {
        self.0.get(contender).and_then(|times| median(times)).context("no round was measured")
    }

    /// The median over the rounds of how many times longer `contender` took than `base` in the same round.
    pub(crate) fn ratio(&self, contender: usize, base: usize) -> Result<f64> {
        let pairs = self.0.get(contender).zip(self.0.get(base)).map(|(ours, base)| ours.iter().zip(base).map(|(ours, base)| ours / base));
        pairs.and_then(|ratios| median(&ratios.collect::<Vec<_>>())).context("no round was measured")
    }
}

/// Measures contenders in turn; every other round goes backwards, so that none always follows the same one. The first round warms up and is not counted.
pub(crate) async fn interleave(rounds: usize, calls: usize, contenders: &mut [&mut (dyn Contender + Send)]) -> Result<Rounds> {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..=rounds {
        let order: Vec<usize> = if round % 2 == 0 { (0..contenders.len()).collect() } else { (0..contenders.len()).rev().collect() };
        for index in order {
            let took = contenders[index].round(calls).await?;
            if round > 0 {
                times[index].push(per_call(took, calls));
            }
        }
    }
    Ok(Rounds(times))
}

/// Something that can be called many times.
pub(crate) trait Contender {
    /// Makes so many calls and says how long they took; what is prepared before and tidied up after is not part of it.
    fn round(&mut self, calls: usize) -> Timed<'_>;
}

/// Microseconds.
fn per_call(took: Duration, calls: usize) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "calls are some thousands")]
    let calls = calls.max(1) as f64;
    took.as_secs_f64() * 1e6 / calls
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Fixed {
        name: char,
        times: Vec<u64>,
        seen: Arc<Mutex<String>>,
    }

    impl Contender for Fixed {
        fn round(&mut self, calls: usize) -> Timed<'_> {
            self.seen.lock().unwrap().push(self.name);
            let took = Duration::from_micros(self.times.remove(0) * calls as u64);
            Box::pin(async move { Ok(took) })
        }
    }

    #[tokio::test]
    async fn contenders_take_turns_and_are_compared_round_by_round() {
        let seen = Arc::new(Mutex::new(String::new()));
        let mut a = Fixed { name: 'a', times: vec![999, 10, 20, 30], seen: seen.clone() };
        let mut b = Fixed { name: 'b', times: vec![999, 20, 20, 90], seen: seen.clone() };
        let rounds = interleave(3, 5, &mut [&mut a, &mut b]).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), "abbaabba");
        assert!((rounds.time(0).unwrap() - 20.0).abs() < 1e-9 && (rounds.time(1).unwrap() - 20.0).abs() < 1e-9);
        assert!((rounds.ratio(1, 0).unwrap() - 2.0).abs() < 1e-9, "the median of 2, 1 and 3");
        assert!(rounds.time(2).is_err() && Rounds(vec![Vec::new()]).time(0).is_err());
    }
}
