//! What is refused, and with which words; and what a repeated request does.

use serde_json::{Value, json};

use super::{World, settings, sign_up};

#[tokio::test]
async fn the_same_key_brings_the_same_tenant_and_never_another() {
    let world = World::new().await;
    let key = [("idempotency-key", "k-1")];
    let (status, first) = world.send("POST", "", &key, sign_up("acme", "pro"), true).await;
    assert_eq!(status, 202);
    let (status, second) = world.send("POST", "", &key, sign_up("acme", "pro"), true).await;
    assert_eq!((status, &second), (200, &first));
    let (status, refused) = world.send("POST", "", &key, sign_up("acme2", "pro"), true).await;
    assert_eq!((status, &refused["where"]), (422, &json!("Idempotency-Key")));
    let digests = refused["error"].as_str().unwrap().split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64).count();
    assert_eq!(digests, 2, "{refused}");
    let together: Vec<_> = (0..8).map(|_| world.send("POST", "", &[("idempotency-key", "k-2")], sign_up("other", "pro"), true)).collect();
    let answers = futures_util::future::join_all(together).await;
    assert!(answers.iter().all(|(status, answer)| [200, 202].contains(status) && answer["id"] == answers[0].1["id"]), "{answers:?}");
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place_and_nothing_is_made() {
    let world = World::new().await;
    let with = |pointer: &str, value: Value| {
        let mut body = sign_up("acme", "pro");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let mut more = sign_up("acme", "pro");
    more["color"] = json!("red");
    for (body, status, place) in [
        (with("/slug", json!("a.b")), 400, "slug"),
        (with("/slug", json!("a".repeat(64))), 400, "slug"),
        (with("/slug", json!("p\u{430}ypal")), 400, "slug"),
        (with("/slug", json!("xn--bcher-kva")), 400, "slug"),
        (with("/slug", json!("www")), 400, "slug"),
        (with("/slug", json!("a'; DROP TABLE tenants; --")), 400, "slug"),
        (with("/plan", json!("gold' OR 1=1")), 400, "plan"),
        (with("/region", json!("mars")), 400, "region"),
        (with("/name", json!("Acme\nBcc: all@example.net")), 400, "name"),
        (with("/admin/email", json!("nobody")), 400, "admin.email"),
        (with("/admin/name", json!("")), 400, "admin.name"),
        (more, 400, "body"),
        (json!({"slug": "acme"}), 400, "body"),
    ] {
        let (found, refused) = world.ask("POST", "", body.clone()).await;
        assert_eq!((found, &refused["where"]), (status, &json!(place)), "{body} {refused}");
        assert!(refused["expected"].is_string() && !refused["error"].as_str().unwrap().contains("nobody"), "{refused}");
    }
    let (status, _) = world.ask("POST", "", with("/name", json!("a".repeat(70_000)))).await;
    assert_eq!(status, 413);
    for (path, status) in
        [("?state=gone", 400), ("?limit=0", 400), ("?color=red", 400), ("/t-1", 404), ("/stats?since=x", 400), ("/zone/other.example", 404)]
    {
        assert_eq!(world.ask("GET", path, Value::Null).await.0, status, "{path}");
    }
    assert_eq!(world.ask("PUT", "", Value::Null).await.0, 405);
    assert_eq!(world.ask("GET", "", Value::Null).await.1["total"], 0);
    assert_eq!(world.outside.count(), 0);
}

#[tokio::test]
async fn without_a_token_one_signs_up_where_that_is_open_and_so_often() {
    let world = World::new().await;
    assert_eq!(world.send("POST", "", &[], sign_up("acme", "pro"), false).await.0, 401);
    let mut open = settings();
    open["sign_up"] = json!({"open": true, "per_minute": 3});
    let world = World::with(open).await;
    let (status, accepted) = world.send("POST", "", &[], sign_up("acme", "pro"), false).await;
    let link = accepted["links"]["events"].as_str().unwrap();
    assert!(status == 202 && link.ends_with(accepted["ticket"].as_str().unwrap()), "{accepted}");
    for slug in ["two", "three"] {
        world.send("POST", "", &[], sign_up(slug, "pro"), false).await;
    }
    assert_eq!(world.send("POST", "", &[], sign_up("four", "pro"), false).await.0, 429);
}

#[tokio::test]
async fn a_store_without_room_takes_nothing_and_claims_nothing() {
    let world = World::new().await;
    world.store.set_full(true);
    assert_eq!(world.ask("POST", "", sign_up("acme", "pro")).await.0, 503);
    world.store.set_full(false);
    assert_eq!(world.ask("POST", "", sign_up("acme", "pro")).await.0, 202);
}

#[test]
fn the_document_describes_every_operation_of_the_routes() {
    let document: Value = serde_json::from_str(super::super::OPENAPI).unwrap();
    let mut described = 0;
    for methods in document["paths"].as_object().unwrap().values() {
        for (method, operation) in methods.as_object().unwrap().iter().filter(|(name, _)| ["get", "post", "delete"].contains(&name.as_str())) {
            assert!(operation["responses"]["401"].is_object() && operation["operationId"].is_string(), "{method} {operation}");
            described += 1;
        }
    }
    assert_eq!(described, 13);
}
