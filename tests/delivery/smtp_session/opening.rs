//! How a session opens: TLS, STARTTLS, authentication.

use super::*;

#[tokio::test]
async fn tls_is_checked_against_the_ca_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for tls in [Tls::Upgrade, Tls::Implicit] {
        let peer = Peer::start(Script { tls, ..Script::default() }).await;
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, &peer.ca_pem).unwrap();
        let options = SessionOptions { ca_file: Some(ca_file), ..SessionOptions::default() };
        let mut session = session_on(&smtp(&peer.url()), &options).await.unwrap();
        assert!(session.is_pipelining(), "read again under TLS");
        deliver(&mut session, "a@example.com").await;
        session.close().await;
        assert!(peer.taken()[0].encrypted && peer.taken()[0].letter == LETTER);

        let untrusting = session_on(&smtp(&peer.url()), &SessionOptions::default()).await.err().unwrap();
        assert!(matches!(untrusting, ConnectError::Tls { .. }), "{tls:?}: {untrusting}");
        assert!(untrusting.to_string().contains("ca_file"), "{untrusting}");
        assert_eq!(peer.taken().len(), 1);
    }
}

#[tokio::test]
async fn starttls_is_required_and_can_not_be_stripped_or_injected_into() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start(Script::default()).await;
    let url = format!("smtp://{}?starttls=required", peer.addr);
    let stripped = session_on(&smtp(&url), &SessionOptions::default()).await.err().unwrap();
    assert!(matches!(stripped, ConnectError::NoStartTls { .. }), "{stripped}");

    let rule = Box::new(|ask: &peer::Ask| match ask.at {
        At::StartTls => Act::Say("220 go ahead\r\n250-peer.test\r\n250 SIZE 1"),
        _ => Act::Usual,
    });
    let peer = Peer::start(Script { tls: Tls::Upgrade, rule, ..Script::default() }).await;
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, &peer.ca_pem).unwrap();
    let options = SessionOptions { ca_file: Some(ca_file), ..SessionOptions::default() };
    let injected = session_on(&smtp(&peer.url()), &options).await;
    assert!(injected.is_err(), "plain text behind the 220 passed for the relay's encrypted answer");
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_named() {
    let options = SessionOptions { ca_file: Some("/nonexistent/ca.pem".into()), ..SessionOptions::default() };
    let error = session_on(&smtp("smtps://127.0.0.1:1"), &options).await.err().unwrap();
    assert!(error.to_string().contains("/nonexistent/ca.pem"), "{error}");
}

#[tokio::test]
async fn authentication_by_plain_and_by_login() {
    for mechanisms in ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN", "=LOGIN", "=PLAIN"] {
        let script = Script { auth: Some((mechanisms, "ann", "s3cret")), ..Script::default() };
        let peer = Peer::start(script).await;
        let url = |password: &str| smtp(&format!("smtp://ann:{password}@{}", peer.addr));
        let options = SessionOptions::default();
        assert!(session_on(&url("s3cret"), &options).await.is_ok(), "{mechanisms}");
        let error = session_on(&url("wrong"), &options).await.err().unwrap();
        assert!(
            matches!(&error, ConnectError::Refused { stage: Stage::Auth, reply, .. } if reply.code == 535),
            "{mechanisms}: {error}"
        );
        assert!(!error.to_string().contains("wrong@") && !error.to_string().contains("s3cret"));
    }
    let peer = Peer::start(Script { auth: Some(("CRAM-MD5", "ann", "x")), ..Script::default() }).await;
    let error = session_on(&smtp(&format!("smtp://ann:x@{}", peer.addr)), &SessionOptions::default()).await;
    assert!(matches!(error.err().unwrap(), ConnectError::NoAuth { .. }));
    assert!(!peer.commands().iter().any(|command| command.starts_with("AUTH")));
}

#[tokio::test]
async fn a_relay_that_is_not_there_or_does_not_want_us() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = session_on(&smtp(&nobody), &SessionOptions::default()).await.err().unwrap();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");

    for (words, code) in [("554 5.7.1 go away", 554), ("421 4.7.0 too many of you", 421)] {
        let rule = Box::new(
            move |ask: &peer::Ask| if ask.at == At::Greeting { Act::SayAndDrop(words) } else { Act::Usual },
        );
        let peer = Peer::start(Script { rule, ..Script::default() }).await;
        let error = session_on(&smtp(&peer.url()), &SessionOptions::default()).await.err().unwrap();
        assert!(
            matches!(&error, ConnectError::Refused { stage: Stage::Greeting, reply, .. } if reply.code == code),
            "{error}"
        );
    }
    let rule = Box::new(|ask: &peer::Ask| if ask.at == At::Greeting { Act::Drop } else { Act::Usual });
    let peer = Peer::start(Script { rule, ..Script::default() }).await;
    let error = session_on(&smtp(&peer.url()), &SessionOptions::default()).await.err().unwrap();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}
