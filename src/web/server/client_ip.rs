//! Who is asking: the address behind the proxies that the operator trusts, and behind no other.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::web::state::Web;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. `peer` is who holds the connection; if that is one of the `trusted`
/// proxies, the client is the right-most address in `X-Forwarded-For` or `Forwarded` (RFC 7239 §4)
/// that is not one of them. What stands to the left of it came from the client and may be a lie.
///
/// A proxy writes one of the two headers and passes the other on as it came. So if both are there
/// and don't agree, neither is believed, and the proxy itself counts as the client; the same goes
/// for an entry that is no address.
pub fn client_ip(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let behind = |chain: Option<Vec<Option<IpAddr>>>| {
        chain.map(|chain| {
            let mut last = peer;
            for entry in chain.into_iter().rev() {
                // Nothing to the left of an entry that is no address can be believed.
                let Some(ip) = entry else { return last };
                last = ip;
                if !is_trusted(ip, trusted) {
                    break;
                }
            }
            last
        })
    };
    match (behind(x_forwarded_for(headers)), behind(forwarded(headers))) {
        (Some(one), Some(other)) => {
            if one == other {
                one
            } else {
                peer
            }
        }
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => peer,
    }
}

/// Whether somebody is one of the `trusted`.
pub fn is_trusted(who: IpAddr, trusted: &[IpNet]) -> bool {
    let who = who.to_canonical();
    trusted.iter().any(|net| net.contains(&who))
}

/// Every entry of every line, in order; none for what is no address. None: there is no such header.
fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    entries(headers, &X_FORWARDED_FOR, |entry| Some(address(entry)))
}

/// As [`x_forwarded_for`], from the `for=` of each element.
fn forwarded(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    entries(headers, &header::FORWARDED, |element| {
        let node = element.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then_some(value.trim().trim_matches('"'))
        });
        Some(node.and_then(address))
    })
}

fn entries(
    headers: &HeaderMap,
    name: &HeaderName,
    read: impl Fn(&str) -> Option<Option<IpAddr>>,
) -> Option<Vec<Option<IpAddr>>> {
    headers.contains_key(name).then(|| {
        let lines = headers.get_all(name).iter();
        // A line that is not text may hide anything: it stands as one entry that is no address.
        lines
            .flat_map(|line| line.to_str().unwrap_or("?").split(','))
            .filter_map(|e| read(e.trim()))
            .collect()
    })
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    ip.map(|ip: IpAddr| ip.to_canonical())
}

/// The client's address, for handlers that limit how often somebody may do something.
#[derive(Clone, Copy, Debug)]
pub struct ClientIp(pub IpAddr);

impl FromRequestParts<Arc<Web>> for ClientIp {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        // Without a connection (a router called by a test) all requests come from one client.
        let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        Ok(Self(client_ip(&parts.headers, peer, &web.trusted_proxies)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(peer: &str, trusted: &[&str], lines: &[(&str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_ip(&headers, peer.parse().unwrap(), &trusted).to_string()
    }

    const XFF: &str = "x-forwarded-for";
    const PROXY: &[&str] = &["10.0.0.0/8", "::1/128"];

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        assert_eq!(ask("203.0.113.9", PROXY, &[(XFF, "198.51.100.1")]), "203.0.113.9");
        assert_eq!(ask("203.0.113.9", &[], &[("forwarded", "for=198.51.100.1")]), "203.0.113.9");
        assert_eq!(ask("10.1.1.1", PROXY, &[(XFF, "198.51.100.1")]), "198.51.100.1");
        assert_eq!(ask("::ffff:10.1.1.1", PROXY, &[(XFF, "::ffff:198.51.100.1")]), "198.51.100.1");
        assert_eq!(ask("10.1.1.1", PROXY, &[]), "10.1.1.1");
    }

    #[test]
    fn what_the_client_wrote_itself_is_left_of_the_truth() {
        assert_eq!(ask("10.1.1.1", PROXY, &[(XFF, "127.0.0.1, 198.51.100.1")]), "198.51.100.1");
        assert_eq!(ask("10.1.1.1", PROXY, &[(XFF, "10.9.9.9, 198.51.100.1, 10.2.2.2")]), "198.51.100.1");
        // Two lines are one list (RFC 9110 §5.3): the proxy's own is the last.
        assert_eq!(ask("10.1.1.1", PROXY, &[(XFF, "1.2.3.4"), (XFF, "198.51.100.1")]), "198.51.100.1");
        assert_eq!(ask("10.1.1.1", PROXY, &[(XFF, "198.51.100.1, nonsense")]), "10.1.1.1");
        assert_eq!(ask("10.1.1.1", PROXY, &[(XFF, "198.51.100.1, , 10.2.2.2")]), "10.2.2.2");
        assert_eq!(ask("10.1.1.1", PROXY, &[(XFF, "10.3.3.3, 10.2.2.2")]), "10.3.3.3");
        assert_eq!(ask("10.1.1.1", PROXY, &[(XFF, "")]), "10.1.1.1");
    }

    #[test]
    fn the_standard_header_is_read_in_all_its_forms() {
        for (line, want) in [
            ("for=198.51.100.1;proto=https", "198.51.100.1"),
            ("proto=https; For=\"198.51.100.1:4711\"", "198.51.100.1"),
            ("for=1.2.3.4, for=\"[2001:db8::7]:80\"", "2001:db8::7"),
            ("for=\"[2001:db8::7]\"", "2001:db8::7"),
            ("for=1.2.3.4, for=_hidden", "::1"),
            ("for=1.2.3.4, by=10.1.1.1", "::1"),
            ("for=1.2.3.4, for=unknown", "::1"),
        ] {
            assert_eq!(ask("::1", PROXY, &[("forwarded", line)]), want, "{line}");
        }
    }

    #[test]
    fn two_headers_that_disagree_are_both_dropped() {
        let both = |x: &str, f: &str| ask("10.1.1.1", PROXY, &[(XFF, x), ("forwarded", f)]);
        assert_eq!(both("198.51.100.1", "for=198.51.100.1"), "198.51.100.1");
        assert_eq!(both("198.51.100.1", "for=1.2.3.4"), "10.1.1.1");
        assert_eq!(both("1.2.3.4", "for=198.51.100.1"), "10.1.1.1");
    }
}
