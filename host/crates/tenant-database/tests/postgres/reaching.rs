//! Reaching the server: TLS, restarts, and many at once.

use std::{sync::Arc, time::Duration};

use engine::port::Observed;
use pipeline::FailureClass;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use servers::Postgres;
use tenant_database::{PostgresDatabases, PostgresOptions, PostgresRunner};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};

use super::{
    SERVER,
    common::{MarkedSecrets, apply, observe, undo},
    migrations, open,
};

fn with_roots(address: &str, roots: Vec<CertificateDer<'static>>) -> PostgresRunner {
    let mut options = PostgresOptions::new(address, migrations(&[]));
    options.roots = roots;
    options.connect_timeout = Duration::from_secs(3);
    PostgresRunner(PostgresDatabases::new(options, Arc::new(MarkedSecrets)).unwrap())
}

#[tokio::test]
async fn without_a_word_to_the_contrary_the_server_is_reached_with_tls_that_is_checked() {
    let root = CertificateDer::from_pem_slice(SERVER.server_root().as_bytes()).unwrap();
    let receipt = apply(&with_roots(&SERVER.admin_dsn(), vec![root.clone()]), "t-tls").await.unwrap();
    assert_eq!(receipt["schema"], "t_t_tls");
    let failure = apply(&with_roots(&SERVER.admin_dsn(), Vec::new()), "t-tls").await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Unavailable);
    assert!(failure.message.contains("TLS"), "{}", failure.message);
    // Somebody in between says that the server has no TLS, and hopes to hear the password.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let between = format!("postgres://u:p@{}/d", listener.local_addr().unwrap());
    let heard = tokio::task::JoinSet::from_iter([async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = [0; 8];
        stream.read_exact(&mut heard).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        let mut more = Vec::new();
        stream.read_to_end(&mut more).await.unwrap();
        more
    }]);
    let failure = apply(&with_roots(&between, vec![root]), "t-tls").await.unwrap_err();
    assert!(failure.message.contains("TLS"), "{}", failure.message);
    assert_eq!(heard.join_all().await, [Vec::<u8>::new()]);
}

#[tokio::test]
async fn a_server_that_was_killed_and_is_back_is_used_again() {
    let mut server = Postgres::start().unwrap();
    let runner = super::at(&format!("{}?sslmode=disable", server.admin_dsn()), &[]);
    let receipt = apply(&runner, "t-1").await.unwrap();
    server.kill9();
    assert_eq!(apply(&runner, "t-2").await.unwrap_err().class, FailureClass::Unavailable);
    assert_eq!(undo(&runner, &receipt).await.unwrap_err().class, FailureClass::Unavailable);
    server.restart().unwrap();
    assert_eq!(observe(&runner, "t-1").await, Observed::Ours(receipt.clone()));
    assert_eq!(observe(&runner, "t-2").await, Observed::Absent);
    apply(&runner, "t-2").await.unwrap();
    undo(&runner, &receipt).await.unwrap();
}

#[tokio::test]
async fn many_tenants_come_and_go_at_once_and_one_comes_once() {
    let runner = Arc::new(open(&[]));
    let mut calls = JoinSet::new();
    for number in 0..30 {
        let runner = Arc::clone(&runner);
        calls.spawn(async move {
            let receipt = apply(&*runner, &format!("t-crowd-{number}")).await.unwrap();
            if number % 2 == 0 {
                undo(&*runner, &receipt).await.unwrap();
            }
        });
    }
    calls.join_all().await;
    assert_eq!(SERVER.psql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\\_t\\_crowd\\_%'").unwrap(), "15");
    let mut same = JoinSet::new();
    for _ in 0..8 {
        let runner = Arc::clone(&runner);
        same.spawn(async move { apply(&*runner, "t-crowded").await.map_err(|failure| failure.class) });
    }
    let outcomes = same.join_all().await;
    assert!(outcomes.iter().any(Result::is_ok));
    // Whoever came while another was at work may come again.
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().err().is_none_or(|class| *class == FailureClass::Unavailable)), "{outcomes:?}");
}
