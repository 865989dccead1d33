//! Every place where the line may break or fall silent.

use super::*;

#[tokio::test]
async fn a_line_that_breaks_is_unknown_only_after_the_dot() {
    for pipelining in [true, false] {
        for (at, act, after_dot) in [
            (At::Mail, Act::Drop, false),
            (At::Rcpt, Act::Drop, false),
            (At::Data, Act::Drop, false),
            (At::Dot, Act::Drop, true),
            (At::Dot, Act::TakeAndDrop, true),
        ] {
            let scripted = act.clone();
            let rule =
                Box::new(move |ask: &peer::Ask| if ask.at == at { scripted.clone() } else { Act::Usual });
            let peer = Peer::start(Script { pipelining, rule, ..Script::default() }).await;
            let mut session = open(&peer).await;
            let gist = deliver_to(&mut session, &["a@example.com"]).await;
            assert_eq!(gist, [format!("dropped, after the dot: {after_dot}")], "{at:?} {act:?}");
            assert!(!session.is_open());
            assert_eq!(peer.taken().len(), usize::from(act == Act::TakeAndDrop));
            let again = deliver_to(&mut session, &["a@example.com"]).await;
            assert_eq!(again, ["dropped, after the dot: false"], "a closed session sends nothing");
        }
    }
}

#[tokio::test]
async fn a_letter_that_could_not_leave_is_known_not_to_be_sent() {
    // Far more than the buffers of a loopback socket hold, and a peer that goes without reading.
    let letter = [&b"x"[..], &b"0123456789abcdef0123456789abcdef\r\n".repeat(600_000)].concat();
    let rule = Box::new(|ask: &peer::Ask| if ask.at == At::Body { Act::Drop } else { Act::Usual });
    let peer = Peer::start(Script { rule, ..Script::default() }).await;
    let mut session = open(&peer).await;
    let outcome = session.deliver(&address("news@example.org"), &address("a@example.com"), &letter).await;
    assert!(matches!(outcome, Outcome::LineDropped { after_dot: false, .. }), "{outcome:?}");
}

#[tokio::test]
async fn no_answer_in_time_ends_the_session_and_no_late_answer_is_taken_for_another() {
    let short = Duration::from_millis(50);
    let timeouts =
        Timeouts { envelope: short, data: short, block: short, final_dot: short, ..Timeouts::default() };
    for (at, after_dot) in [(At::Rcpt, false), (At::Data, false), (At::Dot, true)] {
        // A yes that never gets its line end is an answer that does not come.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let silent = tokio::spawn(mute(listener, at));
        let options = SessionOptions { timeouts, ..SessionOptions::default() };
        let mut session = session_on(&smtp(&url), &options).await.unwrap();
        let gist = deliver_to(&mut session, &["a@example.com"]).await;
        assert_eq!(gist, [format!("dropped, after the dot: {after_dot}")], "{at:?}");
        assert!(!session.is_open());
        silent.abort();
    }
}

/// A server that answers up to `at` and is silent from there.
async fn mute(listener: tokio::net::TcpListener, at: At) {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let (stream, _) = listener.accept().await.unwrap();
    let mut line = BufReader::new(stream);
    line.write_all(b"220 mute.test\r\n").await.unwrap();
    let mut in_letter = false;
    loop {
        let mut text = String::new();
        if line.read_line(&mut text).await.unwrap() == 0 {
            return;
        }
        let (stage, answer) = match text.trim_end() {
            "." => (Some(At::Dot), "250 ok\r\n"),
            _ if in_letter => continue,
            text if text.starts_with("RCPT") => (Some(At::Rcpt), "250 ok\r\n"),
            "DATA" => (Some(At::Data), "354 go\r\n"),
            _ => (None, "250 ok\r\n"),
        };
        in_letter = stage == Some(At::Data);
        if stage != Some(at) {
            line.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}
