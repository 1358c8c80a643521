//! Every way a sign-up can go, one test each: how it is steered stands here, what people and metrics see of it in `paths/NAME.txt`.

use expect_test::expect_file;
use pipeline::{FailureClass::Held, Resolution::*};
use serde_json::json;

use super::{
    Simulation,
    answers::{certificate, done, failed, pending, rejected, unavailable},
    input,
};
use crate::{Options, Policy, TenantInput};

fn sign_up() -> Simulation {
    Simulation::new(&Options::default(), &input())
}

fn with(change: impl FnOnce(&mut TenantInput)) -> Simulation {
    let mut input = input();
    change(&mut input);
    Simulation::new(&Options::default(), &input)
}

/// Where the operator wants to look at what failed.
fn holding() -> Simulation {
    Simulation::new(&Options { on_failure: Policy::Fallout, ..Options::default() }, &input())
}

/// Nothing but a record, a database, a bucket and an address.
fn bare(input: &mut TenantInput) {
    (input.certificate, input.template) = (false, None);
    input.integrations.clear();
}

fn renewal() -> Simulation {
    let input = json!({
        "id": "t-0123456789abcdefghij", "slug": "acme", "plan": "pro", "region": "eu", "domain": "acme.app.example.com", "zone": "app.example.com",
        "ttl": 300, "certificate-key": "sealed:4", "signing-request": "MII="});
    Simulation::of(crate::certificate_definition(&Options::default()), crate::certificate_document, input)
}

fn repair() -> Simulation {
    let bucket = json!({"step": "storage", "request": {
        "tenant": {"id": "t-0123456789abcdefghij", "slug": "acme", "plan": "pro", "region": "eu"}, "bucket": "tenant-t-0123456789abcdefghij-assets", "labels": []}});
    let input = json!({"id": "t-0123456789abcdefghij", "slug": "acme", "plan": "pro", "region": "eu", "items": [bucket]});
    Simulation::of(crate::repair_definition(&Options::default()), crate::repair_document, input)
}

/// A test for each name.
macro_rules! paths {
    ($($name:ident: $simulation:expr;)+) => {
        $(#[test]
        fn $name() {
            expect_file![concat!("paths/", stringify!($name), ".txt")].assert_eq($simulation.log());
        })+

        #[test]
        fn no_text_is_without_its_path() {
            let mut kept: Vec<_> = [$(stringify!($name)),+].map(|name| format!("{name}.txt")).into();
            let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/simulation/paths")).unwrap();
            let mut found: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            kept.sort();
            found.sort();
            assert_eq!(found, kept);
        }
    };
}

paths! {
    a_sign_up_succeeds: sign_up().go();
    a_plan_without_certificate_data_and_integrations_skips_their_steps: with(bare).go();
    a_plan_that_is_ready_without_a_certificate_fetches_it_later: with(|input| input.ready_without_tls = true).go();
    a_certificate_by_callback_after_four_minutes: sign_up().answer("certificate[0]", [pending(false)]).work().call_back(240).go();
    an_authority_that_does_not_call_back_is_asked: sign_up().answer("certificate[0]", [pending(true), pending(true)]).go();
    an_authority_that_stalls_is_given_up_and_everything_is_taken_back:
        sign_up().answer("certificate[0]", (0..200).map(|_| pending(true))).go();
    an_authority_that_refuses_is_no_certificate: sign_up()
        .answer("certificate[0]", [pending(false), done(certificate("invalid"))])
        .work()
        .call_back(240);
    an_authority_that_wants_to_see_a_record_elsewhere_is_not_obeyed: sign_up()
        .answer("certificate_order[0]", [done(json!({"order": "o-1", "challenges": [{"name": "_acme-challenge.app.example.com", "value": "x"}]}))])
        .go();

    dns_that_fails_twice_only_delays: sign_up().answer("dns[0]", unavailable("http_503", 2)).go();
    a_record_of_another_owner_ends_the_sign_up: sign_up().answer("dns[0]", [rejected("foreign_record")]).go();
    a_database_that_fails_for_good_is_rolled_back: sign_up().answer("database[0]", unavailable("connection_refused", 3)).go();
    an_integration_that_fails_takes_the_other_back: sign_up().answer("integrations[1]", [rejected("http_410")]).go();
    a_failure_is_held_where_the_operator_wants_that_and_a_retry_starts_over:
        holding().answer("seed_data[0]", [rejected("no_such_template")]).go().resolve(Retry);
    an_undo_that_fails_needs_manual_cleanup: sign_up()
        .answer("seed_data[0]", [rejected("no_such_template")])
        .answer("storage[0] undo", [rejected("bucket_not_empty"), rejected("bucket_not_empty")])
        .go()
        .resolve(Retry)
        .resolve(Fail);
    a_challenge_that_cannot_be_taken_away_does_not_stop_the_sign_up: sign_up()
        .answer("challenge[0] undo", [failed(Held, "plugin.quarantined")])
        .go()
        .resolve(Retry);

    a_sign_up_that_is_cancelled_while_it_waits_takes_everything_back: sign_up().answer("certificate[0]", [pending(false)]).work().cancel();
    a_certificate_that_a_person_replaces_with_nothing_is_not_enough: sign_up()
        .answer("certificate[0]", [failed(Held, "host.internal")])
        .go()
        .resolve(SkipWith(json!({})));
    a_welcome_that_fails_is_held_and_the_tenant_stays:
        sign_up().answer("welcome_email[0]", [rejected("mailbox_unavailable")]).go().resolve(Fail);

    a_tenant_that_is_deleted_is_taken_away_in_reverse: sign_up().go().delete();
    a_deletion_that_fails_says_what_is_left_where:
        sign_up().answer("database[0] undo", [rejected("permission_denied")]).go().delete().resolve(Fail);

    a_renewal_installs_a_new_certificate: renewal().answer("certificate[0]", [pending(true)]).go();
    a_renewal_that_fails_is_over: renewal().answer("certificate[0]", [rejected("rate_limited")]).go();
    a_repair_makes_again_what_is_gone_and_nothing_else: repair().go();
}
