//! Tenants come, are looked at, and go.

use serde_json::{Value, json};

use super::{World, sign_up};

#[tokio::test]
async fn a_sign_up_becomes_a_tenant_and_a_deletion_leaves_nothing() {
    let world = World::new().await;
    let tenant = world.signed_up("acme", "pro", &["ready", "failed"]).await;
    assert_eq!((&tenant["state"], &tenant["domain"], &tenant["active"]), (&json!("ready"), &json!("acme.app.example.com"), &json!(true)), "{tenant}");
    assert!(tenant["took_ms"].is_u64() && tenant["slowest"]["step"].is_string() && tenant["steps"][0]["took_ms"].is_u64(), "{tenant}");
    let (id, made) = (tenant["id"].as_str().unwrap(), world.outside.count());
    assert!(made > 5, "{made}");
    for text in ["ann@example.net", "jackfield-sealed", "PRIVATE"] {
        assert!(!tenant.to_string().contains(text), "{tenant}");
    }
    let (status, page) = world.ask("GET", "?state=ready&plan=pro&slug=acme&region=eu", Value::Null).await;
    assert_eq!((status, &page["total"], &page["tenants"][0]["id"]), (200, &json!(1), &json!(id)));
    let refused = world.ask("DELETE", &format!("/{id}"), json!({"slug": "acme2"})).await;
    assert_eq!((refused.0, &refused.1["where"]), (400, &json!("slug")));
    let (status, removal) = world.ask("DELETE", &format!("/{id}"), json!({"slug": "acme"})).await;
    assert_eq!((status, &removal["removal"]), (202, &json!("begun")));
    let removed = world.until(id, &["removed", "manual_cleanup_required"]).await;
    assert_eq!(removed["state"], "removed");
    // The message that was sent stays sent.
    assert_eq!(world.outside.count(), 1);
    let (_, again) = world.ask("DELETE", &format!("/{id}"), json!({"slug": "acme"})).await;
    assert_eq!(again["removal"], "nothing");
    world.signed_up("acme", "pro", &["ready"]).await;
}

#[tokio::test]
async fn a_failure_is_taken_back_and_the_slug_is_free_unless_something_is_left() {
    let world = World::new().await;
    world.outside.set_failing("seed apply", true);
    let failed = world.signed_up("acme", "pro", &["failed", "ready"]).await;
    assert_eq!((&failed["state"], &failed["error"]["step"], world.outside.count()), (&json!("failed"), &json!("seed_data"), 0), "{failed}");
    world.outside.set_failing("storage undo", true);
    let stuck = world.signed_up("acme", "pro", &["manual_cleanup_required"]).await;
    assert_eq!(stuck["left"][0]["step"], "storage", "{stuck}");
    let (status, refused) = world.ask("POST", "", sign_up("acme", "pro")).await;
    assert_eq!((status, &refused["where"], &refused["expected"]), (409, &json!("slug"), &json!("another slug")));
    world.outside.set_failing("storage undo", false);
    let id = stuck["id"].as_str().unwrap();
    assert_eq!(world.ask("POST", &format!("/{id}/retry"), Value::Null).await.0, 202);
    world.until(id, &["failed"]).await;
    assert_eq!(world.outside.count(), 0);
    assert_eq!(world.ask("POST", &format!("/{id}/retry"), Value::Null).await.0, 409);
    let (_, stats) = world.ask("GET", "/stats", Value::Null).await;
    let seed = stats["steps"].as_array().unwrap().iter().find(|step| step["step"] == "seed_data").unwrap();
    assert_eq!((&stats["most_failing"], &seed["failed"], &seed["errors"]["vendor.refused"]), (&json!("seed_data"), &json!(2), &json!(2)), "{stats}");
}

#[tokio::test]
async fn a_tenant_whose_message_could_not_be_sent_is_held_and_can_be_tried_again_or_deleted() {
    let world = World::new().await;
    world.outside.set_failing("mail apply", true);
    let held = world.signed_up("acme", "basic", &["held"]).await;
    assert_eq!(held["active"], true);
    let other = world.signed_up("other", "basic", &["held"]).await;
    let (id, other) = (held["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    // It is past its point of no return, so it is ended first and taken back from there.
    let (status, removal) = world.ask("DELETE", &format!("/{other}"), json!({"slug": "other"})).await;
    assert_eq!((status, &removal["removal"]), (202, &json!("later")));
    world.until(other, &["removed"]).await;
    world.outside.set_failing("mail apply", false);
    assert_eq!(world.ask("POST", &format!("/{id}/retry"), Value::Null).await.0, 202);
    world.until(id, &["ready"]).await;
}

#[tokio::test]
async fn a_plan_has_so_many_tenants_and_no_more() {
    let world = World::new().await;
    world.signed_up("one", "basic", &["ready"]).await;
    world.signed_up("two", "basic", &["ready"]).await;
    let (status, refused) = world.ask("POST", "", sign_up("three", "basic")).await;
    assert_eq!((status, &refused["where"]), (409, &json!("plan")), "{refused}");
}

#[tokio::test]
async fn of_many_who_want_a_slug_at_once_one_gets_it() {
    let world = World::new().await;
    let asks: Vec<_> = (0..16).map(|_| world.ask("POST", "", sign_up("acme", "pro"))).collect();
    let answers = futures_util::future::join_all(asks).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 202).count(), 1);
    assert!(answers.iter().all(|(status, _)| [202, 409].contains(status)));
}

#[tokio::test]
async fn a_tenant_that_is_ready_without_a_certificate_gets_one_from_a_run_of_its_own() {
    let world = World::new().await;
    let tenant = world.signed_up("acme", "swift", &["ready"]).await;
    let id = tenant["id"].as_str().unwrap();
    loop {
        let (_, tenant) = world.ask("GET", &format!("/{id}"), Value::Null).await;
        if tenant["renewal"]["state"] == "done" {
            assert_eq!(tenant["certificate"]["state"], "issued");
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn what_is_gone_is_found_and_made_again() {
    let world = World::new().await;
    let tenant = world.signed_up("acme", "pro", &["ready"]).await;
    let id = tenant["id"].as_str().unwrap();
    let (status, drift) = world.ask("GET", &format!("/{id}/drift"), Value::Null).await;
    assert_eq!((status, &drift["drift"]), (200, &json!(false)), "{drift}");
    assert_eq!(world.ask("POST", &format!("/{id}/repair"), Value::Null).await.0, 200, "there is nothing to repair");
    world.outside.lose("storage");
    world.outside.lose("order");
    let (_, drift) = world.ask("GET", &format!("/{id}/drift"), Value::Null).await;
    let absent: Vec<_> =
        drift["resources"].as_array().unwrap().iter().filter(|found| found["found"] == "absent").map(|found| &found["step"]).collect();
    assert_eq!((absent, &drift["drift"]), (vec![&json!("storage"), &json!("certificate_order")], &json!(true)));
    let (status, repair) = world.ask("POST", &format!("/{id}/repair"), Value::Null).await;
    assert_eq!((status, &repair["repairs"][0]["step"], &repair["left"][0]["step"]), (202, &json!("storage"), &json!("certificate_order")));
    loop {
        let (_, tenant) = world.ask("GET", &format!("/{id}"), Value::Null).await;
        if tenant["repairs"][0]["state"] == "done" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let (_, drift) = world.ask("GET", &format!("/{id}/drift"), Value::Null).await;
    assert!(drift["resources"].as_array().unwrap().iter().all(|found| found["step"] != "storage" || found["found"] == "ours"));
}

#[tokio::test]
async fn a_listener_sees_a_tenant_until_it_is_ready_and_is_then_told_to_stay_away() {
    let world = World::new().await;
    let (_, accepted) = world.ask("POST", "", sign_up("acme", "pro")).await;
    let id = accepted["id"].as_str().unwrap();
    let (status, events) = world.ask("GET", &format!("/{id}/events"), Value::Null).await;
    let text = events.as_str().unwrap();
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    let field = |name: &str| last.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    let document: Value = serde_json::from_str(&field("data:")).unwrap();
    assert_eq!((status, &document["state"], field("event:").as_str()), (200, &json!("ready"), "tenant"));
    let again = world.send("GET", &format!("/{id}/events"), &[("last-event-id", &field("id:"))], Value::Null, true).await;
    assert_eq!(again.0, 204);
    assert_eq!(world.ask("GET", "/t-00000000000000000000/events", Value::Null).await.0, 404);
}
