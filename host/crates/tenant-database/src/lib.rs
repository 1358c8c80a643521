//! Databases of tenants: a schema and a role on PostgreSQL, or a file of SQLite, behind the contract `jackfield:tenant/database`.
//!
//! The provider makes a database, brings it to the last migration, looks at it and takes it away. [`Sql`] lets plugins that fill a new database reach
//! it, and no other.

mod account;
pub mod contract;
mod databases;
mod failure;
mod migrations;
mod names;
mod postgres;
mod sql;
mod sqlite;

pub use self::{
    account::{Account, TenantOf},
    databases::Databases,
    failure::{DATABASE_FOREIGN, DATABASE_REFUSED, DATABASE_UNAVAILABLE, MIGRATION_CHANGED, MIGRATION_FAILED, NOT_AUTHORISED},
    migrations::{Migrated, Migration, Migrations, MigrationsError},
    postgres::{AddressError, PostgresDatabases, PostgresOptions, PostgresRunner},
    sql::{Sql, TenantSql},
    sqlite::{SqliteDatabases, SqliteOptions, SqliteRunner},
};
