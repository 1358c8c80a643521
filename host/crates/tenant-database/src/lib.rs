//! Databases of tenants: a schema and a role on PostgreSQL, or a file of SQLite, behind the contract `jackfield:tenant/database`.

pub mod contract;
