//! What a letter costs: made once per issue, filled in once per reader.
//!
//! `cargo bench --bench letter`. The promises: composing and rendering five comparisons takes at most 50 ms, filling in one
//! reader's letter at most 20 µs. Beside each stands its limit on this machine in the same run: mrml alone for the HTML, and copying
//! the letter's octets. The tests' own fixtures are the letters. Printed as a table; exits 1 if a promise is broken.

#[path = "../tests/support/mail/cases.rs"]
mod cases;

use std::hint::black_box;
use std::time::Instant;

use verdicts::domain::EmailAddress;
use verdicts::letter::compose::compose;
use verdicts::letter::render::Templates;
use verdicts::letter::render::mjml;
use verdicts::mail::{Recipient, Stencil};

/// Milliseconds for five comparisons, composed and rendered.
const RENDERING: f64 = 50.0;
/// Microseconds for one reader.
const FILLING: f64 = 20.0;

fn main() {
    let site = cases::site();
    let case =
        cases::cases().into_iter().find(|case| case.name == "five").expect("there is a letter of five");
    let templates = Templates::embedded().expect("ours parse");
    let phrases = templates.phrases();
    let (selection, ballots) = (case.selection(), case.ballots());

    let source = templates.mjml(&case.composition()).expect("it renders");
    let mrml = median(50, 1, || drop(black_box(mjml::to_html(&source))));
    let rendering = median(50, 1, || {
        let composition =
            compose(cases::ISSUE, cases::NOW, &site, &selection, phrases).with_votes(&ballots, phrases);
        let letter = templates.render(&composition).expect("it fits");
        drop(black_box(Stencil::build(&letter, &site, cases::ISSUE)));
    });

    let letter = templates.render(&case.composition()).expect("it fits");
    let stencil = Stencil::build(&letter, &site, cases::ISSUE).expect("it has every link");
    let email = EmailAddress::parse("ann@example.com").expect("an address");
    let reader = reader(&email);
    let mut out = Vec::new();
    let filling = median(200, 100, || {
        stencil.fill(&reader, &mut out);
        black_box(&out);
    });
    let mut copy = Vec::with_capacity(out.len());
    let copying = median(200, 100, || {
        copy.clear();
        copy.extend_from_slice(black_box(&out));
        black_box(&copy);
    });

    println!(
        "a letter of five comparisons, {} KB of HTML, {} KB on the wire; medians",
        letter.html.len() / 1024,
        out.len() / 1024
    );
    println!("{:28} {:>10} {:>10} {:>8} {:>8}", "", "it takes", "the least", "ratio", "limit");
    let row = |what: &str, took: f64, least: f64, unit: &str, limit: f64| {
        println!("{what:28} {took:7.2} {unit} {least:7.2} {unit} {:8.1} {limit:5.0} {unit}", took / least);
        took <= limit
    };
    let kept = [
        row("composed and rendered", rendering / 1e3, mrml / 1e3, "ms", RENDERING),
        row("filled in for one reader", filling, copying, "µs", FILLING),
    ];
    if kept.contains(&false) {
        println!("over the limit");
        std::process::exit(1);
    }
}

fn reader(email: &EmailAddress) -> Recipient<'_> {
    Recipient {
        email,
        name: Some("Ann Ångström"),
        message_id: "00112233445566778899aabbccddeeff",
        date: cases::NOW,
        unsubscribe_token: "k1.u42.AbC-dEf_gHiJkLmNoPqRsT",
        preferences_token: "k1.p42.AbC-dEf_gHiJkLmNoPqRsT",
        vote_token: "k1.v42.AbC-dEf_gHiJkLmNoPqRsT",
        topics: None,
    }
}

/// The middle of the microseconds a call takes, in `runs` runs of `rounds`.
fn median(runs: usize, rounds: u32, mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            (0..rounds).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}
