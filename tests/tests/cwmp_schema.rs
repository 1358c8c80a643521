//! Every envelope that is sent is valid by the schema of its version: judged by libxml2's own tool, `xmllint`.
//! The schemas belong to the Broadband Forum and are no part of this repository; the variable `JACKFIELD_FIXTURES` names the directory that has them.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "third_party/material.rs"]
mod material;
#[path = "../../host/crates/cpe/tests/messages/mod.rs"]
mod messages;

use std::{fs, process::Command};

use cpe::{
    quirks::BooleanForm,
    soap::{AcsReply, Answer, DeviceRpc, Envelope, Message, Namespace, Rpc, Style, write},
};
use material::fixtures;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

/// The envelope of SOAP 1.1, as far as CWMP uses it. What is in the body must be declared; of a header, what is declared must be valid.
const ENVELOPE: &str = r###"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:tns="http://schemas.xmlsoap.org/soap/envelope/" targetNamespace="http://schemas.xmlsoap.org/soap/envelope/">
  <xs:attribute name="mustUnderstand"><xs:simpleType><xs:restriction base="xs:boolean"><xs:pattern value="0|1"/></xs:restriction></xs:simpleType></xs:attribute>
  <xs:element name="Envelope"><xs:complexType><xs:sequence><xs:element ref="tns:Header" minOccurs="0"/><xs:element ref="tns:Body"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="Header"><xs:complexType><xs:sequence><xs:any namespace="##other" minOccurs="0" maxOccurs="unbounded" processContents="lax"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="Body"><xs:complexType><xs:sequence><xs:any namespace="##any" processContents="strict"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="Fault"><xs:complexType><xs:sequence>
    <xs:element name="faultcode" type="xs:QName"/><xs:element name="faultstring" type="xs:string"/><xs:element name="faultactor" type="xs:anyURI" minOccurs="0"/>
    <xs:element name="detail" minOccurs="0"><xs:complexType><xs:sequence><xs:any namespace="##any" maxOccurs="unbounded" processContents="strict"/></xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"###;

/// The arrays of SOAP 1.1.
const ENCODING: &str = r###"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:tns="http://schemas.xmlsoap.org/soap/encoding/" targetNamespace="http://schemas.xmlsoap.org/soap/encoding/">
  <xs:attribute name="arrayType" type="xs:string"/>
  <xs:complexType name="Array"><xs:sequence><xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/></xs:sequence><xs:attribute ref="tns:arrayType"/><xs:anyAttribute namespace="##other" processContents="lax"/></xs:complexType>
  <xs:simpleType name="base64"><xs:restriction base="xs:base64Binary"/></xs:simpleType>
</xs:schema>"###;

/// Brings all three together.
const ALL: &str = r###"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="http://schemas.xmlsoap.org/soap/envelope/" schemaLocation="envelope.xsd"/>
  <xs:import namespace="http://schemas.xmlsoap.org/soap/encoding/" schemaLocation="encoding.xsd"/>
  <xs:import namespace="NAMESPACE" schemaLocation="CWMP"/>
</xs:schema>"###;

/// Which file has the schema of a version. Later versions have the namespace of 1.2 in theirs, and add headers.
const VERSIONS: [(Namespace, &str); 5] = [
    (Namespace::V1_0, "cwmp-1-0.xsd"),
    (Namespace::V1_1, "cwmp-1-1.xsd"),
    (Namespace::V1_2, "cwmp-1-2.xsd"),
    (Namespace::V1_2, "cwmp-1-3.xsd"),
    (Namespace::V1_2, "cwmp-1-4.xsd"),
];

/// A schema of the third-party material.
fn schema(file: &str) -> String {
    let path = fixtures().join("cwmp/xsd").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A directory with the schemas of one version.
struct Schemas(tempfile::TempDir);

impl Schemas {
    fn of(namespace: Namespace, file: &str) -> Self {
        let schemas = Self(tempfile::tempdir().unwrap());
        let all = ALL.replace("NAMESPACE", namespace.uri()).replace("CWMP", file);
        for (name, text) in [("envelope.xsd", ENVELOPE), ("encoding.xsd", ENCODING), ("all.xsd", &all)] {
            fs::write(schemas.0.path().join(name), text).unwrap();
        }
        for (_, file) in VERSIONS {
            let mut text = schema(file);
            // What they name is on other machines.
            for (there, here) in [
                ("schemas.xmlsoap.org/soap/envelope/", "envelope.xsd"),
                ("schemas.xmlsoap.org/soap/encoding/", "encoding.xsd"),
                ("www.broadband-forum.org/cwmp/", ""),
            ] {
                text = text.replace(&format!("schemaLocation=\"http://{there}"), &format!("schemaLocation=\"{here}"));
            }
            fs::write(schemas.0.path().join(file), text).unwrap();
        }
        schemas
    }

    /// What the tool says of each document that is not valid; a document that it says nothing of is valid.
    fn judge(&self, documents: &[String]) -> Vec<(usize, String)> {
        let file = |index: usize| self.0.path().join(format!("{index}.xml"));
        documents.iter().enumerate().for_each(|(index, text)| fs::write(file(index), text).unwrap());
        let mut command = Command::new("xmllint");
        command.args(["--nonet", "--noout", "--schema"]).arg(self.0.path().join("all.xsd")).args((0..documents.len()).map(file));
        let output = command.output().unwrap_or_else(|error| panic!("xmllint: {error}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let valid = |index: usize| said.lines().any(|line| line == format!("{} validates", file(index).display()));
        let about = |index: usize| said.lines().filter(|line| line.contains(&format!("/{index}.xml"))).collect::<Vec<_>>().join("\n");
        (0..documents.len()).filter(|&index| !valid(index)).map(|index| (index, about(index))).collect()
    }
}

/// So many different messages, the same in every run.
fn generated(strategy: impl Strategy<Value = Envelope>, namespace: Namespace, count: usize) -> Vec<Envelope> {
    let mut runner =
        TestRunner::new_with_rng(Config::default(), proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha));
    let mut next = || Envelope { namespace, ..strategy.new_tree(&mut runner).unwrap().current() };
    (0..count).map(|_| next()).collect()
}

#[test]
fn every_envelope_that_is_sent_is_valid_by_the_schema_of_its_version() {
    for (namespace, file) in VERSIONS {
        let schemas = Schemas::of(namespace, file);
        let mut envelopes = generated(messages::envelope(messages::of_server()), namespace, 1_500);
        envelopes.extend(generated(messages::envelope(messages::of_device()), namespace, 500));
        if namespace == Namespace::V1_2 {
            envelopes.extend(generated(messages::envelope(messages::of_later_device()), namespace, 200));
        }
        envelopes.extend(plain(namespace));
        let styles = [Style::default(), Style { prolog: false, boolean: BooleanForm::Word }];
        let texts: Vec<String> = envelopes.iter().enumerate().filter_map(|(index, envelope)| write(envelope, &styles[index % 2]).ok()).collect();
        assert!(texts.len() > 1_000, "{file}: only {} of {} can be sent", texts.len(), envelopes.len());
        let invalid = schemas.judge(&texts);
        let first = invalid.first().map(|(index, said)| format!("{said}\n{}", texts[*index]));
        assert!(invalid.is_empty(), "{file}: {} of {} are not valid, such as\n{}", invalid.len(), texts.len(), first.unwrap_or_default());
    }
}

/// Messages without fields, and of every kind that all versions have.
fn plain(namespace: Namespace) -> Vec<Envelope> {
    let methods = vec!["Inform".to_owned(), "GetRPCMethods".to_owned()];
    let messages = [
        Message::Rpc(Rpc::GetRpcMethods),
        Message::Reply(AcsReply::GetRpcMethods(methods.clone())),
        Message::Answer(Answer::GetRpcMethods(methods)),
        Message::Event(DeviceRpc::GetRpcMethods),
    ];
    messages.map(|message| Envelope::new(namespace, "1", message)).into()
}

/// A judge that finds nothing wrong is none.
#[test]
fn the_schemas_notice_what_is_wrong() {
    let (namespace, file) = VERSIONS[2];
    let schemas = Schemas::of(namespace, file);
    let rpc = Rpc::AddObject { object: "Device.A.".to_owned(), parameter_key: "k".to_owned() };
    let set = cpe::soap::SetValue { name: "Device.A".to_owned(), value: "1".to_owned(), kind: cpe::value::ValueType::Int };
    let text = |rpc| write(&Envelope::new(namespace, "1", Message::Rpc(rpc)), &Style::default()).unwrap();
    let [add, set] = [text(rpc), text(Rpc::SetParameterValues { list: vec![set], parameter_key: String::new() })];
    let long = "k".repeat(33);
    for (right, from, to) in [
        (&add, "Device.A.", "Device.A"),
        (&add, "<ParameterKey>k</ParameterKey>", ""),
        (&add, "<ParameterKey>k<", &format!("<ParameterKey>{long}<")),
        (&add, "cwmp:AddObject", "cwmp:AddObjekt"),
        (&add, " soap-env:mustUnderstand=\"1\"", ""),
        (&add, "cwmp-1-2", "cwmp-1-1"),
        (&set, ">1</Value>", ">one</Value>"),
        (&set, "xsd:int", "xsd:integers"),
        (&set, " soap-enc:arrayType=\"cwmp:ParameterValueStruct[1]\"", ""),
        (&set, "</Name>", "</Name><Name/>"),
    ] {
        assert!(right.contains(from), "{from} is not in {right}");
        assert_eq!(
            schemas.judge(&[right.clone(), right.replace(from, to)]).len(),
            1,
            "{from} instead of {to} is not noticed, or what is right is refused"
        );
    }
}
