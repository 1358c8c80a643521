//! What an order did is taken back after it was over: by the command line, after a restart, and through a back end that fails meanwhile.

use end_to_end_tests::harness::{Lab, until};
use serde_json::json;

use super::{order, setup};

/// How often an order of this status was counted.
fn counted(metrics: &str, status: &str) -> f64 {
    let of_status = |line: &&str| line.starts_with("bss_order_count") && line.contains(&format!("status=\"{status}\""));
    metrics.lines().filter(of_status).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[test]
fn a_completed_order_is_taken_back_once_and_counted_once() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let run = host.submit(&order("fibre-100"));
    host.type_in(&["run", "undo", &run, "--note", "too early"]).bad(5, &["the run is not over"]);
    host.wait(&run, &["completed"]);
    let configured = lab.effects("element", "created");

    // The store has what the undo needs, also for the next process. A back end that refuses holds the run; what a person decides goes on from there.
    assert_eq!(host.terminate(), Some(0));
    host.restart();
    lab.switch("activation", "fail", json!({"method": "DELETE", "status": 400, "count": 0}));
    host.type_in(&["run", "undo", &run, "--by", "ann", "--note", "ordered by mistake"]).good(&["what the run did is taken back"]);
    host.wait(&run, &["held"]);
    until("the fallout", || host.run(&run)["open_fallouts"][0]["reason"] == "undo_failed");
    lab.switch("activation", "reset", json!({}));
    host.type_in(&["run", "resolve", &run, "retry", "--by", "ann", "--note", "it works again"]).good(&[]);
    host.wait(&run, &["cancelled"]);

    assert_eq!((lab.effects("activation", "deleted"), lab.effects("element", "deleted")), (1, configured));
    assert_eq!(lab.effects("billing", "created"), 1, "what has no undo stays");
    host.type_in(&["run", "undo", &run, "--note", "again"]).bad(5, &["the run has nothing to take back"]);
    until("the metrics", || counted(&host.text("/metrics"), "fallout") == 1.0);
    let metrics = host.text("/metrics");
    assert_eq!((counted(&metrics, "completed"), counted(&metrics, "cancelled")), (1.0, 0.0), "an order is over once");
    assert_eq!(host.request("POST", "/api/v1/runs/01890a5d-ac96-774b-bcce-b302099a8057/undo", &[], "{}").status, 404);
}
