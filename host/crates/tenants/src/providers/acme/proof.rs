//! Whether proofs can be seen in the DNS, asked of one name server over TCP (RFC 1035, section 4.2.2).

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
};

use hickory_proto::{
    op::{Message, MessageType, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::contract::Challenge;

/// Whether a name server shows all of these.
pub(super) async fn are_there(server: SocketAddr, challenges: &[Challenge]) -> io::Result<bool> {
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for challenge in challenges {
        wanted.entry(&challenge.name).or_default().push(&challenge.value);
    }
    if wanted.is_empty() {
        return Ok(true);
    }
    let mut stream = TcpStream::connect(server).await?;
    for (name, values) in wanted {
        let found = texts(&mut stream, name).await?;
        if !values.into_iter().all(|value| found.contains(value.as_bytes())) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The texts at a name.
async fn texts(stream: &mut TcpStream, name: &str) -> io::Result<BTreeSet<Vec<u8>>> {
    let mut question = Message::query();
    question.add_query(Query::query(Name::from_ascii(format!("{name}.")).map_err(io::Error::other)?, RecordType::TXT));
    let bytes = question.to_vec().map_err(io::Error::other)?;
    stream.write_u16(u16::try_from(bytes.len()).map_err(io::Error::other)?).await?;
    stream.write_all(&bytes).await?;
    let mut bytes = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut bytes).await?;
    let answer = Message::from_vec(&bytes).map_err(io::Error::other)?;
    if answer.metadata.id != question.metadata.id || answer.metadata.message_type != MessageType::Response {
        return Err(io::Error::other("it answered another question"));
    }
    let code = answer.metadata.response_code;
    if code != ResponseCode::NoError && code != ResponseCode::NXDomain {
        return Err(io::Error::other(format!("it answered {code}")));
    }
    let text = |data: &RData| if let RData::TXT(text) = data { Some(text.txt_data.concat()) } else { None };
    Ok(answer.answers.iter().filter_map(|record| text(&record.data)).collect())
}
