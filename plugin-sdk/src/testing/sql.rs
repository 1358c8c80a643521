//! The database of a native test: it remembers what it is asked, and answers what it was told to.

use std::{cell::RefCell, collections::BTreeMap};

use crate::sql::{Answer, Error, Statement};

#[derive(Default)]
struct Database {
    made: BTreeMap<String, Vec<Statement>>,
    answers: Vec<Vec<Answer>>,
    failing: Option<Error>,
}

thread_local! {
    static DATABASE: RefCell<Database> = RefCell::default();
}

/// The database of the tenant of the plugin under test.
#[derive(Debug)]
pub struct Sql;

impl Sql {
    /// The transactions that were made, by name.
    pub fn made() -> BTreeMap<String, Vec<Statement>> {
        DATABASE.with_borrow(|it| it.made.clone())
    }

    /// What the next transaction answers; without it, each statement has changed one row.
    pub fn answer(answers: Vec<Answer>) {
        DATABASE.with_borrow_mut(|it| it.answers.push(answers));
    }

    /// From now on every transaction fails like this; `None` ends it.
    pub fn fail(error: Option<Error>) {
        DATABASE.with_borrow_mut(|it| it.failing = error);
    }
}

pub(crate) fn transaction(name: &str, statements: &[Statement]) -> Result<Vec<Answer>, Error> {
    super::note(format!("sql transaction {name}"));
    DATABASE.with_borrow_mut(|it| {
        if let Some(error) = &it.failing {
            return Err(error.clone());
        }
        let changed = || statements.iter().map(|_| Answer { changed: 1, ..Answer::default() }).collect();
        let known = it.made.insert(name.to_owned(), statements.to_vec()).is_some();
        Ok(if known || it.answers.is_empty() { changed() } else { it.answers.remove(0) })
    })
}

pub(super) fn reset() {
    DATABASE.take();
}
