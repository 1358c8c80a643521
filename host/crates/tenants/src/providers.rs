//! The providers that the host has for the steps of tenants: the directory, the embedded ones, which need no server, a certificate authority over ACME, a mail
//! server over SMTP.

mod acme;
mod directory;
mod effect;
mod local_ca;
mod local_storage;
mod local_zone;
mod maildir;
mod message;
mod names;
mod signing;
mod smtp;
#[cfg(test)]
mod testing;

pub use self::{
    acme::{
        ACME_ACCOUNT_COLLECTION, ACME_CERTIFICATE_COLLECTION, ACME_ORDER_COLLECTION, ACME_PROVIDER, Acme, AcmeBinding, AcmeCertificates, AcmeOptions,
        AcmeOrders, AcmeParts,
    },
    directory::{
        ACCOUNT_COLLECTION, Account, CERTIFICATE_COLLECTION, DIRECTORY_COLLECTION, DIRECTORY_PROVIDER, Directory, Entry, Installed, SLUG_COLLECTION,
    },
    local_ca::{LOCAL_CA_COLLECTION, LOCAL_CA_PROVIDER, LocalCa, LocalCaError, LocalCertificateOrder, LocalCertificates},
    local_storage::{LOCAL_STORAGE_PROVIDER, LocalStorage},
    local_zone::{LOCAL_ZONE_PROVIDER, LocalZone, RECORD_COLLECTION, ZONE_COLLECTION},
    maildir::{MAILDIR_PROVIDER, Maildir},
    signing::{SigningError, SigningMaterial, signing_material},
    smtp::{MAIL_COLLECTION, SMTP_PROVIDER, Smtp, SmtpLogin, SmtpOptions, SmtpTls},
};
