//! A relay that is far away: every reply of the real one comes later, and may forget to mention PIPELINING.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Listens in front of `relay`. Replies are late by `delay` each, however many are on their way.
pub fn start(relay: SocketAddr, delay: Duration, pipelining: bool) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if let Ok(server) = TcpStream::connect(relay) {
                join(client, server, delay, pipelining);
            }
        }
    });
    address
}

fn join(client: TcpStream, server: TcpStream, delay: Duration, pipelining: bool) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut octets = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut octets) {
            if to_server.write_all(&octets[..read]).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (send, late) = mpsc::channel::<(Instant, Vec<u8>)>();
    let mut from_server = server;
    std::thread::spawn(move || {
        let mut octets = vec![0; 4096];
        while let Ok(read @ 1..) = from_server.read(&mut octets) {
            let mut reply = octets[..read].to_vec();
            if !pipelining && let Some(at) = reply.windows(10).position(|word| word == b"PIPELINING") {
                reply[at..at + 10].copy_from_slice(b"XNOTHING00");
            }
            if send.send((Instant::now() + delay, reply)).is_err() {
                break;
            }
        }
    });
    let mut to_client = client;
    std::thread::spawn(move || {
        for (due, reply) in late {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if to_client.write_all(&reply).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Write);
    });
}
