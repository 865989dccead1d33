//! A name server on loopback that knows a handful of names and says of every other that it does not exist (RFC 1035 §4).

use std::net::{Ipv4Addr, UdpSocket};

const A: u16 = 1;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;

/// One answer.
pub struct Known {
    name: String,
    kind: u16,
    data: Vec<u8>,
}

impl Known {
    pub fn txt(name: &str, text: &str) -> Self {
        // A string has at most 255 octets; a longer text has several.
        let pieces = text.as_bytes().chunks(255);
        let data = pieces.flat_map(|piece| [&[piece.len() as u8], piece].concat()).collect();
        Self { name: name.to_owned(), kind: TXT, data }
    }

    pub fn a(name: &str, address: Ipv4Addr) -> Self {
        Self { name: name.to_owned(), kind: A, data: address.octets().to_vec() }
    }

    pub fn mx(name: &str, host: &str) -> Self {
        Self { name: name.to_owned(), kind: MX, data: [&[0, 10][..], &spelt(host)].concat() }
    }

    pub fn ptr(address: Ipv4Addr, host: &str) -> Self {
        let [a, b, c, d] = address.octets();
        Self { name: format!("{d}.{c}.{b}.{a}.in-addr.arpa"), kind: PTR, data: spelt(host) }
    }
}

/// Answers until the test ends; the port it listens on.
pub fn start(known: Vec<Known>) -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = socket.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        let mut query = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            if let Some(answer) = answer(&query[..length], &known) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    port
}

fn answer(query: &[u8], known: &[Known]) -> Option<Vec<u8>> {
    let (name, end) = name(query)?;
    let question = query.get(12..end + 4)?;
    let kind = u16::from_be_bytes([query[end], query[end + 1]]);
    let is_known = known.iter().any(|one| one.name == name);
    let answers: Vec<&Known> = known.iter().filter(|one| one.name == name && one.kind == kind).collect();
    let mut answer = query[..2].to_vec();
    // An answer with authority, recursion as wished; no such name where none is known (RCODE 3).
    answer.extend([0x85, if is_known { 0x80 } else { 0x83 }, 0, 1, 0, answers.len() as u8, 0, 0, 0, 0]);
    answer.extend(question);
    for one in answers {
        // The name is that of the question, at octet 12.
        answer.extend([0xC0, 12]);
        answer.extend([one.kind.to_be_bytes(), [0, 1], [0, 0], [0, 60]].concat());
        answer.extend((one.data.len() as u16).to_be_bytes());
        answer.extend(&one.data);
    }
    Some(answer)
}

/// The name of the first question in lower case, and where it ends.
fn name(query: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            query.get(at + 3)?;
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
}

fn spelt(host: &str) -> Vec<u8> {
    let labels = host.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([0]).collect()
}
