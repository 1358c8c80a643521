//! `wasi:sockets`: connections to granted addresses, and nothing else. What goes over them the host does not see, so a connection counts as an effect.

use std::{net::SocketAddr, sync::Arc};

use wasmtime_wasi::{WasiCtxBuilder, sockets::SocketAddrUse};

use super::http::Denial;
use crate::{call::Account, plugin::Granted};

/// Lets connections to granted addresses pass; no listening, no datagrams, no names.
pub(crate) fn allow(builder: &mut WasiCtxBuilder, plugin: &str, granted: &Granted, account: &Arc<Account>) {
    builder.allow_udp(false).allow_ip_name_lookup(false).allow_tcp(!granted.tcp.is_empty());
    if granted.tcp.is_empty() {
        return;
    }
    let (plugin, addresses, account) = (plugin.to_owned(), Arc::clone(&granted.tcp), Arc::clone(account));
    builder.socket_addr_check(move |address, used| {
        let passes = check(&plugin, &addresses, &account, address, used);
        Box::pin(std::future::ready(passes))
    });
}

fn check(plugin: &str, granted: &[SocketAddr], account: &Account, address: SocketAddr, used: SocketAddrUse) -> bool {
    match used {
        // The system does it before it connects.
        SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
        SocketAddrUse::TcpConnect if granted.contains(&address) => {
            account.count_sent();
            true
        }
        SocketAddrUse::TcpConnect => {
            let mut all: Vec<_> = granted.iter().map(|address| format!("\"{address}\"")).collect();
            all.push(format!("\"{address}\""));
            let what = format!("a TCP connection to {address} was denied: the address is not granted");
            Denial { what, allow: Some(format!("tcp = [{}]", all.join(", "))) }.record(plugin, account);
            false
        }
        SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept | SocketAddrUse::UdpBind | SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => false,
    }
}
