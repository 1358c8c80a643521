//! Breakers of endpoints: a back end that fails is left alone by all plugins, and by nobody else's fault.

use std::net::TcpListener;

use pipeline::FailureClass;
use plugin_runtime::{BreakerOptions, BreakerState, Options, Plugin};

use super::{Bench, Echo, built, does, grant, learned, nowhere, options};

/// It opens for so long that no test sees it let a request through.
const PATIENT: BreakerOptions = BreakerOptions { consecutive: 3, failure_percent: 50, min_calls: 100, window_s: 30, open_ms: 3_600_000 };

fn bench(endpoint_breaker: BreakerOptions) -> Bench {
    Bench::new(Options { endpoint_breaker, ..options() })
}

/// The plugin that reaches out, under another name of as many letters: another plugin with another digest.
async fn load(bench: &Bench, name: &str, url: &str) -> Plugin {
    let (from, to) = (r#""name":"egress""#, format!(r#""name":"{name}""#));
    let mut bytes = built("egress");
    let at: Vec<usize> = (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert!(!at.is_empty() && from.len() == to.len());
    at.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to.as_bytes()));
    let plugin = bench.load(bytes, &grant(url, nowhere())).await.unwrap();
    assert_eq!(plugin.name(), name);
    plugin
}

async fn status(bench: &Bench, plugin: &Plugin, path: &str) -> String {
    learned(&does(bench, plugin, &format!("get http://echo/{path}")).await, "status")
}

/// State, and how often it opened and refused.
fn standing(bench: &Bench, url: &str) -> (BreakerState, u64, u64) {
    let health = bench.runtime.endpoints().into_iter().find(|health| health.endpoint == url).unwrap();
    (health.breaker, health.opened, health.refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_end_that_fails_for_one_plugin_is_left_alone_by_all_and_another_one_is_not() {
    let (bench, bad, good) = (bench(PATIENT), Echo::start(), Echo::start());
    let [down, up] = [&bad, &good].map(|echo| format!("http://{}", echo.address));
    let (first, second, third) = (load(&bench, "plug-a", &down).await, load(&bench, "plug-b", &down).await, load(&bench, "plug-c", &up).await);
    for _ in 0..3 {
        assert_eq!(status(&bench, &first, "down").await, "503");
    }
    // More often than a plugin may fail before its own breaker opens.
    for number in 1..=25 {
        let report = does(&bench, &second, "get http://echo/ok").await;
        let failure = report.answer.unwrap_err();
        assert_eq!((failure.class, failure.error_type.as_str(), report.sent), (FailureClass::Unavailable, "refused", false), "{number}: {failure:?}");
        assert!(failure.retry_after_ms.is_some_and(|after| after > 3_500_000 && after <= 3_600_000), "{failure:?}");
        let (told, said) = failure.message.split_once("; `plug-b` said: ").unwrap();
        assert_eq!(told, format!("{down} failed too often: its breaker is open, no request was sent there"));
        assert!(said.contains("DestinationUnavailable") && !said.contains("breaker") && !said.contains("127.0.0.1"), "{said}");
    }
    assert_eq!((bad.received().len(), standing(&bench, &down)), (3, (BreakerState::Open, 1, 25)));
    assert_eq!((second.health().breaker, second.health().consecutive_failures), (BreakerState::Closed, 0), "it is no fault of the plugin's");
    assert_eq!(status(&bench, &third, "ok").await, "200");
    assert_eq!(standing(&bench, &up), (BreakerState::Closed, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_fails_opens_it_again_and_one_that_is_answered_closes_it_for_all() {
    let (bench, echo) = (bench(BreakerOptions { open_ms: 0, ..PATIENT }), Echo::start());
    let url = format!("http://{}", echo.address);
    let (first, second) = (load(&bench, "plug-a", &url).await, load(&bench, "plug-b", &url).await);
    let mut seen = Vec::new();
    for (plugin, path) in [(&first, "down"), (&first, "down"), (&first, "down"), (&second, "down"), (&second, "ok"), (&first, "down"), (&first, "ok")]
    {
        status(&bench, plugin, path).await;
        let (state, opened, refused) = standing(&bench, &url);
        assert_eq!(refused, 0, "every request was due");
        seen.push((state, opened));
    }
    use BreakerState::{Closed, HalfOpen};
    assert_eq!(seen, [(Closed, 0), (Closed, 0), (HalfOpen, 1), (HalfOpen, 2), (Closed, 2), (Closed, 2), (Closed, 2)]);
    assert_eq!(echo.received().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_end_that_nobody_can_reach_is_left_alone_and_one_that_never_answers_too() {
    let bench = bench(BreakerOptions { consecutive: 1, ..PATIENT });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut grant = grant(&url, nowhere());
    grant.http.get_mut("echo").unwrap().timeout_ms = Some(50);
    let plugin = bench.load(built("egress"), &grant).await.unwrap();
    // It takes connections, as its backlog does, and says nothing.
    let silent = does(&bench, &plugin, "get http://echo/ok").await.answer.unwrap_err();
    assert!(silent.message.contains("ConnectionReadTimeout"), "{silent:?}");
    assert_eq!(standing(&bench, &url), (BreakerState::Open, 1, 0));

    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let refused = does(&bench, &load(&bench, "plug-d", &url).await, "get http://echo/ok").await.answer.unwrap_err();
    assert!(refused.message.contains("ConnectionRefused"), "{refused:?}");
    assert_eq!(standing(&bench, &url), (BreakerState::Open, 1, 0));
}
