//! The documents port: one document by its id, or pages of those that match.

use async_trait::async_trait;
use engine::port::{Document, DocumentError, DocumentPage, DocumentQuery, Documents, ReadError, WriteError, check_documents};
use rusqlite::{OptionalExtension, ToSql};

use crate::{
    Store,
    batch::Write,
    document_rows::{DocumentRow, Found, read},
    names::intern,
    number::{from_sql, to_sql},
    prepare::malformed,
};

/// How many values a query may look for. The interfaces let no more through, so that more can only come from a defect.
const MOST_CONDITIONS: usize = 32;

#[async_trait]
impl Documents for Store {
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        let key = [collection.to_owned(), id.to_owned()];
        let found = self
            .read(move |connection| {
                let sql = "SELECT id, rank, attributes, body FROM documents WHERE collection = ?1 AND id = ?2";
                connection.prepare_cached(sql)?.query_row(key, read).optional()
            })
            .await?;
        Ok(found.map(|found| document(intern(collection), found)))
    }

    async fn put(&self, documents: Vec<Document>) -> Result<(), DocumentError> {
        if documents.is_empty() {
            return Ok(());
        }
        check_documents(&documents)?;
        let rows = documents.iter().map(DocumentRow::new).collect::<Result<_, _>>();
        let rows = rows.map_err(|error| malformed("a document of no run", &error))?;
        Ok(self.write(Write::Documents(rows)).await?)
    }

    async fn remove(&self, collection: &str, id: &str) -> Result<(), WriteError> {
        self.write(Write::Removal { collection: collection.to_owned(), id: id.to_owned() }).await
    }

    /// Documents of one rank are ordered by id, so that pages neither repeat nor miss one.
    async fn find(&self, query: DocumentQuery) -> Result<DocumentPage, ReadError> {
        let DocumentQuery { collection, equal, offset, limit } = query;
        if equal.len() > MOST_CONDITIONS {
            return Err(ReadError::Unavailable(format!("a query looks for {} values, more than the {MOST_CONDITIONS} allowed", equal.len())));
        }
        let (found, total) = self
            .read(move |connection| {
                // Page and total are of the same moment.
                let moment = connection.transaction()?;
                let conditions = conditions(&equal);
                let matching = matching(&conditions);
                let mut parameters: Vec<&dyn ToSql> = vec![&collection];
                parameters.extend(conditions.iter().flatten().map(|text| text as &dyn ToSql));
                let total: i64 = moment.prepare_cached(&format!("SELECT count(*) {matching}"))?.query_row(parameters.as_slice(), |row| row.get(0))?;
                let (limit, offset) = (to_sql(limit), to_sql(offset));
                parameters.extend([&limit as &dyn ToSql, &offset]);
                let found: Vec<Found> = moment.prepare_cached(&page(&matching))?.query_map(parameters.as_slice(), read)?.collect::<Result<_, _>>()?;
                Ok((found, total))
            })
            .await?;
        Ok(DocumentPage { documents: found.into_iter().map(|found| document(collection, found)).collect(), total: from_sql(total) })
    }
}

fn document(collection: &'static str, found: Found) -> Document {
    let Found { id, rank, attributes, body } = found;
    let attributes = attributes.into_iter().map(|(name, value)| (intern(&name), value)).collect();
    Document { collection, id, rank, body, attributes }
}

/// Each attribute with the values of which it may have any.
fn conditions(equal: &[(String, String)]) -> Vec<Vec<&str>> {
    let mut conditions: Vec<Vec<&str>> = Vec::new();
    for (name, value) in equal {
        match conditions.iter_mut().find(|condition| condition[0] == name) {
            Some(condition) => condition.push(value),
            None => conditions.push(vec![name, value]),
        }
    }
    conditions
}

/// The index rows that satisfy all conditions: the first one leads, each other one is looked up.
fn matching(conditions: &[Vec<&str>]) -> String {
    let Some((first, further)) = conditions.split_first() else { return "FROM documents AS a WHERE a.collection = ?".to_owned() };
    let holds = |row: &str, condition: &[&str]| format!("{row}.name = ? AND {row}.value IN (?{})", ", ?".repeat(condition.len() - 2));
    let further = further.iter().map(|condition| {
        let holds = holds("b", condition);
        format!(
            " AND EXISTS (SELECT 1 FROM document_attributes AS b
              WHERE b.collection = a.collection AND {holds} AND b.rank = a.rank AND b.id = a.id)"
        )
    });
    format!("FROM document_attributes AS a WHERE a.collection = ? AND {}{}", holds("a", first), further.collect::<String>())
}

/// One page of them. Only documents of the page itself are read, not those that are skipped.
fn page(matching: &str) -> String {
    format!(
        "SELECT d.id, d.rank, d.attributes, d.body
         FROM (SELECT a.collection, a.rank, a.id {matching} ORDER BY a.rank DESC, a.id DESC LIMIT ? OFFSET ?) AS p
         CROSS JOIN documents AS d ON d.collection = p.collection AND d.id = p.id
         ORDER BY d.rank DESC, d.id DESC"
    )
}
