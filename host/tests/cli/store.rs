//! Databases that cannot be used; backups and the way back.

use std::fs;

use crate::support::Place;

#[test]
fn a_database_that_another_host_has_open_is_refused() {
    let place = Place::new();
    let _serving = place.serve();
    place.run(&["serve"]).bad(1, &["store.path: ", "data/jackfield.db` is open in another process (process id "]);
    place.run(&["order", "list"]).good();
}

#[test]
fn a_file_that_is_no_database_is_refused_untouched() {
    let place = Place::new();
    let path = place.write("data/jackfield.db", "not a database at all");
    place.run(&["serve"]).bad(1, &["store.path: ", "is not an SQLite database"]);
    assert_eq!(fs::read_to_string(path).unwrap(), "not a database at all");
}

#[test]
fn a_newer_database_is_refused_untouched() {
    let place = Place::new();
    drop(place.serve());
    let path = place.path("data/jackfield.db");
    // The killed host left its log; a start brings it in, and a drain of nothing takes no time.
    let mut bytes = whole_database(&place);
    // SQLite file format, section 1.3: the user version is the big-endian number at byte 60.
    bytes[60..64].copy_from_slice(&1_000_u32.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    place
        .run(&["serve"])
        .bad(1, &["store.path: ", "has database version 1000, this binary knows versions up to", "use the newer binary, nothing was changed"]);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_truncated_database_is_refused_with_the_way_out() {
    let place = Place::new();
    drop(place.serve());
    let bytes = whole_database(&place);
    fs::write(place.path("data/jackfield.db"), &bytes[..bytes.len() / 2]).unwrap();
    place.run(&["serve"]).bad(1, &["store.path: ", "is damaged: it has ", "restore a backup"]);
}

/// The database as one file, made by a backup and a restore in its place.
fn whole_database(place: &Place) -> Vec<u8> {
    let serving = place.serve();
    place.run(&["backup", "copy.db"]).good();
    drop(serving);
    fs::remove_dir_all(place.path("data")).unwrap();
    place.run(&["restore", "copy.db"]).good();
    fs::read(place.path("data/jackfield.db")).unwrap()
}

#[test]
fn a_backup_of_a_live_store_brings_its_orders_back() {
    let place = Place::new();
    let order = place.write("order.json", include_str!("order.json"));
    let serving = place.serve();
    let submitted = place.run(&["order", "submit", order.to_str().unwrap(), "--json"]).json();
    place.run(&["backup", "copy.db"]).good();
    place.run(&["backup", "copy.db"]).bad(5, &["copy.db` exists already: name a new file"]);
    place.run(&["restore", "copy.db"]).bad(5, &["is open in another process"]);
    drop(serving);

    place.run(&["restore", "copy.db"]).bad(5, &["exists already: move it away first"]);
    place.run(&["restore", "no.db"]).bad(4, &["there is no backup `no.db`"]);
    fs::remove_dir_all(place.path("data")).unwrap();
    place.run(&["restore", "copy.db"]).good();
    let _serving = place.serve();
    let shown = place.run(&["order", "show", submitted["id"].as_str().unwrap(), "--json"]).json();
    assert_eq!(shown["externalId"], "ext-1");
}
