//! A TMF620 product catalogue and a TMF633 service catalogue over one set of documents.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Path as PathOf, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::reply;

/// The documents that come with the lab.
const OWN: &str = include_str!("catalogue.json");

/// The documents of a catalogue, as they are served.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catalogue {
    /// TMF620 product offerings.
    pub product_offering: Vec<Value>,
    /// TMF620 product specifications.
    pub product_specification: Vec<Value>,
    /// TMF633 service specifications.
    pub service_specification: Vec<Value>,
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("the catalogue {path} cannot be read: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is no catalogue.
    #[error("the catalogue {path} is not valid: {error}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
}

impl Catalogue {
    /// Reads a file, or the documents that come with the lab.
    pub fn load(path: Option<&Path>) -> Result<Self, CatalogueError> {
        let Some(path) = path else {
            return Ok(serde_json::from_str(OWN).expect("the lab's own catalogue is valid: a test reads it"));
        };
        let text = std::fs::read_to_string(path).map_err(|error| CatalogueError::Unreadable { path: path.to_owned(), error })?;
        serde_json::from_str(&text).map_err(|error| CatalogueError::Invalid { path: path.to_owned(), error })
    }

    fn collection(&self, name: &str) -> Option<&[Value]> {
        match name {
            "productOffering" => Some(&self.product_offering),
            "productSpecification" => Some(&self.product_specification),
            "serviceSpecification" => Some(&self.service_specification),
            _ => None,
        }
    }
}

/// The routes of the catalogue.
pub(crate) fn catalogue(documents: Catalogue) -> Router {
    Router::new()
        .route("/tmf-api/productCatalogManagement/v4/{collection}", get(list))
        .route("/tmf-api/productCatalogManagement/v4/{collection}/{id}", get(show))
        .route("/tmf-api/serviceCatalogManagement/v4/{collection}", get(list))
        .route("/tmf-api/serviceCatalogManagement/v4/{collection}/{id}", get(show))
        .with_state(Arc::new(documents))
}

async fn list(State(documents): State<Arc<Catalogue>>, PathOf(collection): PathOf<String>) -> Response {
    match documents.collection(&collection) {
        Some(found) => reply::json(StatusCode::OK, &json!(found)),
        None => reply::tmf_error(StatusCode::NOT_FOUND, format!("there is no collection {collection}")),
    }
}

async fn show(State(documents): State<Arc<Catalogue>>, PathOf((collection, id)): PathOf<(String, String)>) -> Response {
    let found = documents.collection(&collection).and_then(|all| all.iter().find(|document| document["id"] == id));
    match found {
        Some(document) => reply::json(StatusCode::OK, document),
        None => reply::tmf_error(StatusCode::NOT_FOUND, format!("there is no {collection} {id}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ids(documents: &[Value]) -> BTreeSet<&str> {
        documents.iter().map(|document| document["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn the_labs_own_catalogue_refers_only_to_what_it_has() {
        let all = Catalogue::load(None).unwrap();
        let (offerings, products, services) = (ids(&all.product_offering), ids(&all.product_specification), ids(&all.service_specification));
        assert_eq!(offerings.len(), all.product_offering.len(), "an offering is there twice");
        let check = |documents: &[Value], attribute: &str, known: &BTreeSet<&str>| {
            for document in documents {
                for reference in document[attribute].as_array().into_iter().flatten() {
                    assert!(known.contains(reference["id"].as_str().unwrap()), "{} refers to {reference}", document["id"]);
                }
            }
        };
        check(&all.product_offering, "bundledProductOffering", &offerings);
        check(&all.product_specification, "serviceSpecification", &services);
        check(&all.service_specification, "serviceSpecRelationship", &services);
        for offering in &all.product_offering {
            let specification = offering["productSpecification"]["id"].as_str();
            assert!(specification.is_none_or(|id| products.contains(id)), "{offering}");
        }
    }

    #[test]
    fn a_file_that_is_no_catalogue_is_named() {
        let error = Catalogue::load(Some(Path::new("/nowhere/c.json"))).unwrap_err().to_string();
        assert!(error.starts_with("the catalogue /nowhere/c.json cannot be read: "), "{error}");
    }
}
