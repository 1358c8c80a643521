//! Which statements a guest may make. Rights and the authorizer of the database keep a guest in its own; this keeps it within its transaction, whose end
//! only the host decides, and from settings of the connection.

use super::form::{SqlError, Statement};

/// How statements begin that only read.
const READS: [&str; 2] = ["select", "values"];
/// How statements begin that change rows.
const WRITES: [&str; 6] = ["with", "insert", "update", "delete", "replace", "merge"];
/// How statements begin that make, change and remove things of these kinds.
const MAKES: [&str; 3] = ["create", "alter", "drop"];
const THINGS: [&str; 4] = ["table", "index", "unique", "view"];

/// Admits statements; answers whether all of them only read.
pub(super) fn admit(statements: &[Statement]) -> Result<bool, SqlError> {
    let mut reads = true;
    for (at, statement) in statements.iter().enumerate() {
        let sql = &statement.sql;
        if sql.contains('\0') {
            return Err(refused(at, "has a zero byte"));
        }
        let (first, rest) = word(sql);
        let (second, _) = word(rest);
        if READS.contains(&first.as_str()) {
            continue;
        }
        reads = false;
        let admitted = WRITES.contains(&first.as_str()) || (MAKES.contains(&first.as_str()) && THINGS.contains(&second.as_str()));
        if !admitted {
            return Err(refused(
                at,
                "must begin with SELECT, VALUES, WITH, INSERT, UPDATE, DELETE, REPLACE or MERGE, or with CREATE, ALTER or DROP of a TABLE, INDEX or VIEW",
            ));
        }
    }
    Ok(reads)
}

/// Whether the rows that a statement answers are no rows that it changed. Of a `WITH` that has columns that is taken to be so.
pub(crate) fn begins_with_a_read(sql: &str, columns: bool) -> bool {
    let (first, _) = word(sql);
    READS.contains(&first.as_str()) || (first == "with" && columns)
}

/// The word that a text begins with, in lower case, and the rest. Nothing but space may be before it: what a comment says is no word.
fn word(sql: &str) -> (String, &str) {
    let sql = sql.trim_start();
    let (word, rest) = sql.split_at(sql.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(sql.len()));
    (word.to_ascii_lowercase(), rest)
}

fn refused(at: usize, why: &str) -> SqlError {
    SqlError::Refused(format!("statement {} {why}", at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(sql: &str) -> Result<bool, SqlError> {
        admit(&[Statement { sql: sql.to_owned(), parameters: Vec::new() }])
    }

    #[test]
    fn only_statements_that_stay_within_the_transaction_are_admitted() {
        for reads in ["SELECT 1", " \n select * from a", "VALUES (1)"] {
            assert_eq!(admitted(reads), Ok(true), "{reads}");
        }
        for writes in
            ["insert into a values (1)", "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x", "create unique index i on a (b)", "DROP\tTABLE a"]
        {
            assert_eq!(admitted(writes), Ok(false), "{writes}");
        }
        let refused = [
            "",
            ";",
            "COMMIT",
            "end",
            "ROLLBACK",
            "BEGIN",
            "SAVEPOINT a",
            "RELEASE a",
            "PREPARE TRANSACTION 'x'",
            "START TRANSACTION",
            "ABORT",
            "SET ROLE postgres",
            "RESET ROLE",
            "SET SESSION AUTHORIZATION x",
            "SET LOCAL statement_timeout = 0",
            "COPY a TO PROGRAM 'sh'",
            "DO $$ $$",
            "CALL p()",
            "LISTEN x",
            "NOTIFY x",
            "LOCK TABLE a",
            "VACUUM INTO '/tmp/x'",
            "ATTACH 'x' AS y",
            "DETACH y",
            "PRAGMA writable_schema = 1",
            "CREATE ROLE x",
            "ALTER ROLE x",
            "DROP SCHEMA x",
            "CREATE FUNCTION f",
            "CREATE TRIGGER t",
            "CREATE VIRTUAL TABLE x",
            "CREATE TEMP TABLE x",
            "ALTER SYSTEM SET x",
            "CREATE EXTENSION x",
            "GRANT ALL ON a TO b",
            "EXPLAIN ANALYZE DELETE FROM a",
            "/* a */ COMMIT",
            "-- a\nCOMMIT",
            "(select 1)",
            "/* /* */ COMMIT -- */ */ SELECT 1",
            "ALTER /* table */ ROLE a PASSWORD 'b'",
            "CREATE --index\nROLE x",
            "selection",
            "SELECT 1\0",
        ];
        for sql in refused {
            assert!(matches!(admitted(sql), Err(SqlError::Refused(_))), "{sql}");
        }
    }
}
