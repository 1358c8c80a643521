//! PostgreSQL.

use servers::{Postgres, PostgresOptions};

#[test]
fn what_was_committed_survives() {
    let mut postgres = Postgres::start().unwrap();
    postgres.psql("create table t (n int); insert into t values (1), (2)").unwrap();
    for killed in [true, false] {
        if killed {
            postgres.kill9();
            assert!(postgres.psql("select 1").is_err());
        }
        postgres.restart().unwrap();
        assert_eq!(postgres.psql("select n, n * 10 from t order by n").unwrap(), "1|10\n2|20");
    }
}

#[test]
fn a_user_needs_the_password() {
    let postgres = Postgres::start_with(&PostgresOptions { fsync: true, ..PostgresOptions::default() }).unwrap();
    postgres.psql("create role tenant login password 's/e:c'").unwrap();
    assert_eq!(postgres.psql_as("tenant", "s/e:c", "postgres", "select current_user").unwrap(), "tenant");
    let refused = postgres.psql_as("tenant", "wrong", "postgres", "select 1").unwrap_err().to_string();
    assert!(refused.contains("password authentication failed"), "{refused}");
    assert_eq!(postgres.dsn("tenant", "s/e:c", "d"), format!("postgres://tenant:s%2Fe%3Ac@127.0.0.1:{}/d", postgres.port()));
    assert_eq!(postgres.psql("show fsync").unwrap(), "on");
    assert_eq!(postgres.psql("select ssl from pg_stat_ssl where pid = pg_backend_pid()").unwrap(), "t");
}

#[test]
fn two_are_two() {
    let (one, other) = (Postgres::start().unwrap(), Postgres::start().unwrap());
    one.psql("create table t ()").unwrap();
    assert!(other.psql("table t").unwrap_err().to_string().contains("does not exist"));
    assert_ne!(one.admin_dsn(), other.admin_dsn());
}
