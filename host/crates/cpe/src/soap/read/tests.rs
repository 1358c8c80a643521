//! Messages as devices send them, and as nobody should.

use super::{super::*, *};

const HEADER: &str = r#"<e:Header><cwmp:ID e:mustUnderstand="1">7</cwmp:ID></e:Header>"#;
const SERIAL: &str = "<DeviceId><SerialNumber>1</SerialNumber></DeviceId>";

/// An envelope in the usual namespaces.
fn soap(header: &str, body: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:cwmp="urn:dslforum-org:cwmp-1-2" xmlns:xsi="x" xmlns:xsd="y">{header}<e:Body>{body}</e:Body></e:Envelope>"#
    )
}

fn inform(fields: &str) -> String {
    soap(HEADER, &format!("<cwmp:Inform>{SERIAL}{fields}</cwmp:Inform>"))
}

fn read_text(text: &str) -> Result<Envelope, SoapError> {
    read(text.as_bytes(), None, &Limits::default())
}

fn values(text: &str) -> Vec<(String, String, String)> {
    let Message::Inform(inform) = read_text(text).expect(text).message else { panic!("no Inform: {text}") };
    inform.parameters.into_iter().map(|parameter| (parameter.name, parameter.value, parameter.xsd)).collect()
}

#[test]
fn what_the_standard_did_not_foresee_is_read_all_the_same() {
    let message = format!("<Inform>{SERIAL}</Inform>");
    for (what, text) in [
        ("no header", soap("", &message.replace("Inform>", "cwmp:Inform>"))),
        ("an empty header", soap("<e:Header/>", &message.replace("Inform>", "cwmp:Inform>"))),
        ("no prefix", soap(HEADER, &message)),
        ("a prefix that nobody declared", soap(HEADER, &message.replace("Inform>", "nowhere:Inform>"))),
        ("no namespaces at all", format!("<Envelope><Body>{message}</Body></Envelope>")),
        (
            "undeclared prefixes throughout",
            format!("<s:Envelope><s:Body><c:{}</s:Body></s:Envelope>", &message[1..].replace("</Inform", "</c:Inform")),
        ),
        (
            "a default namespace",
            format!(
                r#"<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Inform xmlns="urn:dslforum-org:cwmp-1-2">{SERIAL}</Inform></Body></Envelope>"#
            ),
        ),
        ("stray bytes before", format!("nv:Envelope>\r\n{}", inform(""))),
        ("a closing tag before", format!("</e:Envelope>{}", inform(""))),
        ("stray bytes after", format!("{}\0\0 garbage < & <!", inform(""))),
        ("the last character missing", inform("").trim_end_matches('>').to_owned()),
        ("the last two tags missing", inform("").split("</e:Body>").next().expect("split gives one").to_owned()),
        ("a comment and an instruction", inform("<!-- <x> --><?pi?>")),
        ("unknown fields", inform("<Vendor><Deep>1</Deep></Vendor>")),
        ("a byte order mark", format!("\u{FEFF}{}", inform(""))),
        ("elements after the body", inform("").replace("</e:Envelope>", "<x><y/></x></e:Envelope>")),
        ("a version that does not exist", inform("").replace("cwmp-1-2", "cwmp-1-9")),
        ("a second declaration", format!("<?xml version=\"1.0\"?>{}", inform(""))),
    ] {
        let envelope = read_text(&text).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(matches!(&envelope.message, Message::Inform(inform) if inform.device.serial == "1"), "{what}: {envelope:?}");
    }
}

#[test]
fn values_come_as_they_were_meant() {
    let list = |entry: &str| {
        inform(&format!(
            "<ParameterList arrayType='cwmp:ParameterValueStruct[16]'><ParameterValueStruct>{entry}</ParameterValueStruct></ParameterList>"
        ))
    };
    for (entry, name, value, xsd) in [
        (r#"<Name xsi:type="xsd:string"> A.B </Name><Value xsi:type="xsd:string"> x </Value>"#, "A.B", " x ", "string"),
        (r#"<Name>A</Name><Value xsi:type="xsd:unsignedint">1</Value>"#, "A", "1", "unsignedInt"),
        (r#"<Name>A</Name><Value xsi:type="XSD:Boolean">1</Value>"#, "A", "1", "boolean"),
        (r#"<Name>A</Name><Value type="base64Binary">aGk=</Value>"#, "A", "aGk=", "base64"),
        (r#"<Name>A</Name><Value xsi:type="xsd:">1</Value>"#, "A", "1", "string"),
        (r#"<Name>A</Name><Value xsi:type="xsd:json">{}</Value>"#, "A", "{}", "json"),
        (r#"<Name>A</Name><Value>1</Value>"#, "A", "1", "string"),
        (r#"<Name>A</Name><Value/>"#, "A", "", "string"),
        (r#"<Name>A</Name>"#, "A", "", "string"),
        ("<Name>A</Name><Value>\n   x y \n  </Value>", "A", "x y", "string"),
        ("<Name>A</Name><Value>a\r\nb&#13;</Value>", "A", "a\nb\r", "string"),
        ("<Name>A</Name><Value>&lt;&#65;&#x42;&amp;&gt;&quot;&apos;</Value>", "A", "<AB&>\"'", "string"),
        ("<Name>A</Name><Value><![CDATA[<a> & ]]>&amp;<![CDATA[ b]]></Value>", "A", "<a> & & b", "string"),
        ("<Name>A</Name><Value>a & b &unknown; &#0;</Value>", "A", "a & b &unknown; \u{FFFD}", "string"),
        ("<Name>A</Name><Value>1<x>2</x>3</Value>", "A", "13", "string"),
    ] {
        assert_eq!(values(&list(entry)), [(name.to_owned(), value.to_owned(), xsd.to_owned())], "{entry}");
    }
}

#[test]
fn a_list_that_comes_in_pieces_is_one() {
    let list = |name: &str| format!("<ParameterList><ParameterValueStruct><Name>{name}</Name></ParameterValueStruct></ParameterList>");
    let event = |code: &str| format!("<Event><EventStruct><EventCode>{code}</EventCode></EventStruct></Event>");
    let pieces = [event("0 BOOTSTRAP"), list("A"), list("B"), event("1 BOOT")].concat();
    let Message::Inform(read) = read_text(&inform(&pieces)).expect("it is one").message else { panic!("no Inform: {pieces}") };
    assert!(read.has("0 BOOTSTRAP") && read.has("1 BOOT"), "{read:?}");
    assert_eq!(read.parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    let answer = soap("", &format!("<cwmp:GetParameterValuesResponse>{}{}</cwmp:GetParameterValuesResponse>", list("A"), list("B")));
    let Message::Answer(Answer::GetParameterValues(values)) = read_text(&answer).expect("it is one").message else { panic!("no values") };
    assert_eq!(values, read.parameters);
}

#[test]
fn characters_are_read_from_whatever_bytes_they_came_in() {
    let text = inform("<CurrentTime>Müller €</CurrentTime>");
    let latin = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    let declaring = |charset: &str| text.replace("version=\"1.0\"", &format!("version=\"1.0\" encoding='{charset}'"));
    let utf16 = |bytes: fn(u16) -> [u8; 2], mark: &str| format!("{mark}{}", declaring("UTF-16")).encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    for (what, bytes, http) in [
        ("UTF-8", text.clone().into_bytes(), Some("utf-8")),
        ("UTF-8 without a word", text.clone().into_bytes(), None),
        ("UTF-8 by header against the declaration", declaring("iso-8859-1").into_bytes(), Some("utf-8")),
        ("UTF-8 by declaration against the header", declaring("UTF-8").into_bytes(), Some("iso-8859-1")),
        ("UTF-8 that calls itself nothing known", declaring("utf8mb4").into_bytes(), Some("whatever")),
        ("windows-1252 by header", latin(&text), Some("\"ISO-8859-1\"")),
        ("windows-1252 by declaration", latin(&declaring("iso-8859-1")), None),
        ("windows-1252 by declaration against the header", latin(&declaring("iso-8859-1")), Some("utf-8")),
        ("windows-1252 that calls itself UTF-8", latin(&declaring("UTF-8")), Some("utf-8")),
        ("UTF-16, little end first", utf16(u16::to_le_bytes, ""), None),
        ("UTF-16, big end first", utf16(u16::to_be_bytes, ""), None),
        ("UTF-16, big end first with a mark", utf16(u16::to_be_bytes, "\u{FEFF}"), Some("utf-8")),
        ("UTF-8 that calls itself UTF-16", declaring("UTF-16").into_bytes(), Some("utf-16")),
    ] {
        let envelope = read(&bytes, http, &Limits::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(matches!(&envelope.message, Message::Inform(inform) if inform.current_time == "Müller €"), "{what}: {envelope:?}");
    }
    let error = read(&latin(&declaring("ebcdic")), None, &Limits::default()).expect_err("not known").to_string();
    assert_eq!(error, "unknown character set `ebcdic` at byte 0; expected one of the Encoding Standard, such as `utf-8`");
}

#[test]
fn a_header_is_read() {
    let header = "<e:Header><cwmp:ID>a&lt;b</cwmp:ID><cwmp:HoldRequests>TRUE</cwmp:HoldRequests><NoMoreRequests>1</NoMoreRequests><cwmp:SessionTimeout>60</cwmp:SessionTimeout><cwmp:SupportedCWMPVersions>1.0, 1.4</cwmp:SupportedCWMPVersions><cwmp:UseCWMPVersion>1.4</cwmp:UseCWMPVersion><x/></e:Header>";
    let envelope = read_text(&soap(header, "<cwmp:GetRPCMethods/>")).expect("it is one");
    let expected = Envelope {
        id: Some("a<b".into()),
        namespace: Namespace::V1_2,
        hold_requests: true,
        no_more_requests: true,
        session_timeout: Some(60),
        supported_versions: vec!["1.0".into(), "1.4".into()],
        use_version: Some("1.4".into()),
        message: Message::Event(DeviceRpc::GetRpcMethods),
    };
    assert_eq!(envelope, expected);
}

#[test]
fn the_details_of_a_fault_are_found_wherever_they_are() {
    let cwmp = "<cwmp:Fault><FaultCode>9003</FaultCode><FaultString>Invalid</FaultString><SetParameterValuesFault><ParameterName>A</ParameterName><FaultCode>9007</FaultCode><FaultString>Long</FaultString></SetParameterValuesFault></cwmp:Fault>";
    let parameters = vec![ParameterFault { name: "A".into(), code: 9007, string: "Long".into() }];
    let whole = Fault { code: 9003, string: "Invalid".into(), parameters };
    for (fault, expected) in [
        (format!("<faultcode>Client</faultcode><faultstring>CWMP fault</faultstring><detail>{cwmp}</detail>"), whole.clone()),
        (format!("<faultcode>Client</faultcode><faultstring>CWMP fault<detail>{cwmp}</detail></faultstring>"), whole.clone()),
        (format!("<e:detail><x>{cwmp}</x></e:detail>"), whole.clone()),
        (cwmp.replace("cwmp:Fault", "Fault"), whole),
        ("<faultcode>Client</faultcode><faultstring> No. </faultstring>".to_owned(), Fault::new(0, "No.")),
        ("<faultstring>\n Neither &lt;A&gt; nor <![CDATA[B]]> &amp; C\n</faultstring>".to_owned(), Fault::new(0, "Neither <A> nor B & C")),
        ("<detail><cwmp:Fault><FaultCode>x</FaultCode></cwmp:Fault></detail>".to_owned(), Fault::default()),
        (String::new(), Fault::default()),
    ] {
        let envelope = read_text(&soap(HEADER, &format!("<e:Fault>{fault}</e:Fault>"))).expect(&fault);
        assert_eq!((envelope.message, envelope.namespace), (Message::Fault(expected), Namespace::V1_2), "{fault}");
    }
}

#[test]
fn what_ended_with_a_code_that_is_no_number_did_not_end_well() {
    for (fault, code) in [
        ("<FaultCode>0</FaultCode>", 0),
        ("<FaultCode/>", 0),
        ("<FaultCode> </FaultCode><FaultString/>", 0),
        ("", 0),
        ("<FaultCode> 9010 </FaultCode>", 9010),
        ("<FaultCode>9010 Download failure</FaultCode>", 9002),
        ("<FaultCode>-1</FaultCode>", 9002),
        ("<FaultCode>4294967296</FaultCode>", 9002),
    ] {
        let transfer = format!("<cwmp:TransferComplete><FaultStruct>{fault}</FaultStruct></cwmp:TransferComplete>");
        let modules = format!("<cwmp:DUStateChangeComplete><Results><Fault>{fault}</Fault></Results></cwmp:DUStateChangeComplete>");
        let [transfer, modules] = [transfer, modules].map(|body| read_text(&soap(HEADER, &body)).expect(fault).message);
        let Message::Event(DeviceRpc::TransferComplete(transfer)) = transfer else { panic!("{transfer:?}") };
        let Message::Event(DeviceRpc::DuStateChangeComplete { results, .. }) = modules else { panic!("{modules:?}") };
        assert_eq!([transfer.fault_code, results[0].fault_code], [code; 2], "{fault}");
    }
}

#[test]
fn a_message_that_nobody_knows_is_named() {
    for (body, name) in [("<cwmp:X_ABC_Do/>", "X_ABC_Do"), ("<o:Inform xmlns:o='urn:other'>1</o:Inform>", "Inform")] {
        assert_eq!(read_text(&soap("", body)).expect(body).message, Message::Unknown { name: name.to_owned() });
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_a_place() {
    let laughs = format!("<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>{}", inform("<CurrentTime>&b;</CurrentTime>"));
    let truncated = inform("<CurrentTime>2026");
    let notified = |level| {
        format!(
            "<cwmp:GetParameterAttributesResponse><ParameterList><P><Notification>{level}</Notification></P></ParameterList></cwmp:GetParameterAttributesResponse>"
        )
    };
    read_text(&soap("", &notified(6))).expect("the highest level that there is");
    let refused = [
        ("nothing", String::new()),
        ("words", "hello".into()),
        ("a page", "<html><body/></html>".into()),
        ("an envelope alone", "<Envelope/>".into()),
        ("an empty body", "<Envelope><Body/></Envelope>".into()),
        ("a document type", laughs),
        ("a message cut off", truncated[..truncated.len() / 2].to_owned()),
        ("no serial number", soap("", "<cwmp:Inform/>")),
        ("tags crossed", "<Envelope><Body><Inform></Body>".into()),
        ("a status in words", soap("", "<cwmp:DeleteObjectResponse><Status>fine</Status></cwmp:DeleteObjectResponse>")),
        ("a status that there is not", soap("", "<cwmp:SetParameterValuesResponse><Status>2</Status></cwmp:SetParameterValuesResponse>")),
        ("an object without a number", soap("", "<cwmp:AddObjectResponse><Status>0</Status></cwmp:AddObjectResponse>")),
        ("an object with the number 0", soap("", "<cwmp:AddObjectResponse><InstanceNumber>0</InstanceNumber></cwmp:AddObjectResponse>")),
        ("a level of notification that there is not", soap("", &notified(7))),
        ("an ID that cannot be given back", soap("<e:Header><ID>\u{1}</ID></e:Header>", "")),
    ];
    let told = refused.map(|(what, text)| format!("{what}: {}\n", read_text(&text).expect_err(what))).concat();
    expect_test::expect![[r#"
        nothing: `a body without elements`, which is no CWMP message at byte 0; expected a SOAP envelope with a CWMP message
        words: `a body without elements`, which is no CWMP message at byte 5; expected a SOAP envelope with a CWMP message
        a page: `html`, which is no CWMP message at byte 6; expected a SOAP envelope with a CWMP message
        an envelope alone: `an envelope without a body`, which is no CWMP message at byte 11; expected a SOAP envelope with a CWMP message
        an empty body: `an empty body`, which is no CWMP message at byte 17; expected a SOAP envelope with a CWMP message
        a document type: a document type declaration at byte 54; expected none: messages declare no entities
        a message cut off: the body ends within its message at byte 162; expected the rest of the message
        no serial number: `` as SerialNumber at byte 174; expected the serial number of the device
        tags crossed: malformed XML: ill-formed document: expected `</Inform>`, but `</Body>` was at byte 24; expected well-formed XML
        a status in words: `fine` as Status at byte 208; expected 0 or 1
        a status that there is not: `2` as Status at byte 211; expected 0 or 1
        an object without a number: `` as InstanceNumber at byte 227; expected the number of the object
        an object with the number 0: `0` as InstanceNumber at byte 218; expected the number of the object
        a level of notification that there is not: `7` as Notification at byte 245; expected 0 to 6
        an ID that cannot be given back: ` ` as ID at byte 172; expected at most 1,024 bytes that XML can carry
    "#]]
    .assert_eq(&told);
    let two = format!("{0}{0}", inform(""));
    let same = soap(HEADER, &format!("<cwmp:Inform>{SERIAL}</cwmp:Inform><cwmp:GetRPCMethods/>"));
    for text in [&two, &same] {
        assert_eq!(read_text(text).expect_err("two messages").problem, SoapProblem::SecondMessage);
    }
}

#[test]
fn nothing_is_larger_than_its_limit() {
    let limits = Limits { bytes: 4_000, depth: 8, elements: 60, parameters: 5, events: 3, text: 50 };
    let parameters =
        |count| inform(&format!("<ParameterList>{}</ParameterList>", "<ParameterValueStruct><Name>A</Name></ParameterValueStruct>".repeat(count)));
    let in_two = |counts: &[usize]| {
        let list = |count: &usize| format!("<ParameterList>{}</ParameterList>", "<ParameterValueStruct/>".repeat(*count));
        inform(&counts.iter().map(list).collect::<String>())
    };
    let events = |count| inform(&format!("<Event>{}</Event>", "<EventStruct><EventCode>1 BOOT</EventCode></EventStruct>".repeat(count)));
    let deep = |count| inform(&format!("{}{}", "<d>".repeat(count), "</d>".repeat(count)));
    let names = |count| {
        soap("", &format!("<cwmp:GetParameterNamesResponse><ParameterList>{}</ParameterList></cwmp:GetParameterNamesResponse>", "<P/>".repeat(count)))
    };
    for (what, fits, too_much, expected) in [
        ("parameters", parameters(5), parameters(6), "a list of parameters is over the limit of 5"),
        ("parameters in two lists", in_two(&[2, 3]), in_two(&[3, 3]), "a list of parameters is over the limit of 5"),
        ("events", events(3), events(4), "the number of events is over the limit of 3"),
        ("depth", deep(5), deep(6), "elements within each other is over the limit of 8"),
        ("elements", inform(&"<x/>".repeat(50)), inform(&"<x/>".repeat(60)), "the number of elements is over the limit of 60"),
        ("names", names(5), names(6), "a list of names is over the limit of 5"),
        (
            "text",
            inform(&format!("<CurrentTime>{}</CurrentTime>", "t".repeat(50))),
            inform(&format!("<CurrentTime>{}</CurrentTime>", "t".repeat(51))),
            "a text is over the limit of 50",
        ),
        ("bytes", inform(&" ".repeat(3_000)), inform(&" ".repeat(4_000)), "the body is over the limit of 4000"),
    ] {
        read(fits.as_bytes(), None, &limits).unwrap_or_else(|error| panic!("{what}: {error}"));
        let error = read(too_much.as_bytes(), None, &limits).expect_err(what).to_string();
        assert!(error.starts_with(&format!("too much: {expected}")), "{what}: {error}");
    }
}

#[test]
fn long_lists_are_read_and_many_namespaces_do_not_matter() {
    let many = "<ParameterValueStruct><Name>Device.A</Name><Value xsi:type='xsd:string'>1</Value></ParameterValueStruct>".repeat(10_000);
    let text = inform(&format!("<ParameterList>{many}</ParameterList>"));
    assert_eq!(values(&text).len(), 10_000);
    let many = "<P><Name>Device.A</Name><Notification>0</Notification><AccessList><string>Subscriber</string></AccessList></P>".repeat(20_000);
    let attributes =
        soap("", &format!("<cwmp:GetParameterAttributesResponse><ParameterList>{many}</ParameterList></cwmp:GetParameterAttributesResponse>"));
    let Message::Answer(Answer::GetParameterAttributes(list)) = read_text(&attributes).expect("it fits").message else { panic!("no attributes") };
    assert_eq!(list.len(), Limits::default().parameters);
    let namespaces = (0..10_000).map(|index| format!(" xmlns:n{index}='urn:{index}'")).collect::<String>();
    let text = text.replacen("<ParameterList>", &format!("<ParameterList{namespaces}>"), 1);
    assert_eq!(values(&text).len(), 10_000);
}
