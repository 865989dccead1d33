use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::domain::subscriber::{NewSubscriber, Subscriber, SubscriberId, SubscriberStatus};
use crate::domain::{EmailAddress, UnixMillis};

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

fn options() -> Options {
    Options { status: None, source: "import:test.csv".to_owned(), now: NOW }
}

fn open(bytes: impl AsRef<[u8]>) -> CsvReader {
    CsvReader::open(Cursor::new(bytes.as_ref().to_vec()), options()).unwrap()
}

type Rows = Vec<Result<NewSubscriber, RowError>>;

fn rows(bytes: impl AsRef<[u8]>) -> Rows {
    open(bytes).collect()
}

/// A fixture's rows as `address status name zone joined source`, and what was ignored.
fn fixture(name: &str) -> (Vec<String>, Vec<String>) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/subscribers").join(name);
    let mut reader = CsvReader::open(std::fs::File::open(path).unwrap(), options()).unwrap();
    let lines = reader
        .by_ref()
        .map(|row| {
            let row = row.unwrap();
            let (name, zone) = (row.name.as_deref().unwrap_or("-"), row.timezone.as_deref().unwrap_or("-"));
            format!("{} {} {name} {zone} {} {}", row.email.expose(), row.status, row.created_at, row.source)
        })
        .collect();
    assert_eq!(reader.take_remarks(), []);
    (lines, reader.columns().ignored.clone())
}

#[test]
fn mailchimp_says_it_with_three_files() {
    let (rows, ignored) = fixture("mailchimp_subscribed.csv");
    assert_eq!(
        rows,
        [
            "ann@example.com active Ann Lee Europe/Berlin 2024-03-01T10:20:30Z import:test.csv",
            "bob@example.org active Bob - 2024-04-02T08:00:00Z import:test.csv",
        ]
    );
    assert!(ignored.contains(&"MEMBER_RATING".to_owned()) && ignored.contains(&"CONFIRM_TIME".to_owned()));
    let (rows, _) = fixture("mailchimp_unsubscribed.csv");
    assert_eq!(rows, ["cleo@example.com unsubscribed Cleo Ray - 2023-01-01T00:00:00Z import:test.csv"]);
    let (rows, _) = fixture("mailchimp_cleaned.csv");
    assert_eq!(rows, ["dan@example.com bounced Dan - 2023-01-01T00:00:00Z import:test.csv"]);
}

#[test]
fn substack_readers_who_do_not_pay_are_readers() {
    let (rows, ignored) = fixture("substack.csv");
    assert_eq!(
        rows,
        [
            "ann@example.com active - - 2023-05-06T07:08:09Z import:test.csv",
            "bob@example.org active - - 2023-06-07T08:09:10Z import:test.csv",
            "cleo@example.com unsubscribed - - 2023-07-08T09:10:11Z import:test.csv",
        ]
    );
    assert!(ignored.contains(&"active_subscription".to_owned()));
}

#[test]
fn ghost_beehiiv_buttondown_and_listmonk_load_as_they_are() {
    assert_eq!(
        fixture("ghost.csv").0,
        [
            "ann@example.com active Ann Lee - 2023-07-01T09:30:00Z import:test.csv",
            "bob@example.org unsubscribed - - 2023-08-01T09:30:00Z import:test.csv",
        ]
    );
    assert_eq!(
        fixture("beehiiv.csv").0,
        [
            "ann@example.com active Ann - 2024-01-02T03:04:05Z import:test.csv",
            "bob@example.org unsubscribed - - 2024-01-03T03:04:05Z import:test.csv",
            "cleo@example.com pending Cleo - 2024-01-04T03:04:05Z import:test.csv",
            "dan@example.com bounced - - 2024-01-05T03:04:05Z import:test.csv",
        ]
    );
    assert_eq!(
        fixture("buttondown.csv").0,
        [
            "ann@example.com active - - 2024-02-03T04:05:06Z embedded_form",
            "bob@example.org unsubscribed - - 2024-02-04T04:05:06Z import",
            "cleo@example.com pending - - 2024-02-05T04:05:06Z organic",
            "dan@example.com bounced - - 2024-02-06T04:05:06Z organic",
            "eve@example.com complained - - 2024-02-07T04:05:06Z organic",
        ]
    );
    assert_eq!(
        fixture("listmonk.csv").0,
        [
            "ann@example.com active Ann Lee - 2024-03-04T05:06:07Z import:test.csv",
            "bob@example.org unsubscribed Bob - 2024-03-05T05:06:07Z import:test.csv",
            "cleo@example.com unsubscribed Cleo - 2024-03-06T05:06:07Z import:test.csv",
        ]
    );
}

#[test]
fn delimiters_marks_and_quotes_are_found_out() {
    for text in [
        "email,name\r\nann@example.com,\"Lee, Ann\"\r\n",
        "\u{feff}email;name\nann@example.com;Lee, Ann\n",
        "\u{feff}\"email\"\t\"name\"\nann@example.com\t\"Lee,\n Ann\"\n",
        "\n\n\"E-Mail\";\"Full Name\"\n ann@EXAMPLE.com ;Lee, Ann",
    ] {
        let rows = rows(text);
        let [Ok(row)] = &rows[..] else { panic!("{text:?}: {rows:?}") };
        assert_eq!(
            (row.email.expose(), row.name.as_deref()),
            ("ann@example.com", Some("Lee, Ann")),
            "{text:?}"
        );
    }
}

#[test]
fn a_bad_row_is_reported_with_its_line_and_the_rest_goes_in() {
    let text = b"email,name,status\n\
        ann@example.com,Ann,active\n\
        nobody,X,active\n\
        \"bob@example.com\",\"Bob\nB\",\n\
        cleo@example.com,\xff\xfe,active\n\
        dan@example.com,Dan,vip\n\
        eve@example.com,Eve\n\
        fay@example.com,Fay,active,more\n\
        ,,\n\
        gus@example.com,Gus,pending\n";
    let rows = rows(text);
    let bad: Vec<_> = rows.iter().filter_map(|row| row.as_ref().err()).map(|e| (e.line, e.field)).collect();
    assert_eq!(bad, [(3, "email"), (6, "name"), (7, "status"), (8, "row"), (9, "row"), (10, "email")]);
    let good: Vec<_> = rows.iter().flatten().map(|row| row.email.expose()).collect();
    assert_eq!(good, ["ann@example.com", "bob@example.com", "gus@example.com"]);
    for error in rows.iter().filter_map(|row| row.as_ref().err()) {
        assert!(!error.to_string().contains('@') || error.field == "email", "{error}");
        assert!(!error.reason.contains("nobody"), "{error}");
    }
}

#[test]
fn a_field_that_cannot_be_read_is_remarked_and_the_row_goes_in() {
    let mut reader = open(
        "email,timezone,created_at\nann@example.com,Mars/Olympus,someday\nbob@example.com,UTC,2999-01-01\n",
    );
    let rows: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!((rows[0].timezone.as_deref(), rows[0].created_at), (None, NOW));
    assert_eq!((rows[1].timezone.as_deref(), rows[1].created_at), (Some("UTC"), NOW));
    let remarks: Vec<_> = reader.take_remarks().into_iter().map(|r| (r.line, r.field)).collect();
    assert_eq!(remarks, [(2, "timezone"), (2, "created_at"), (3, "created_at")]);
}

#[test]
fn a_flag_sets_the_status_but_makes_nobody_active_who_left() {
    let text = "email,status\na@example.com,\nb@example.com,active\nc@example.com,unsubscribed\nd@example.com,bounced\n";
    let with = |status| {
        let reader = CsvReader::open(Cursor::new(text), Options { status, ..options() }).unwrap();
        reader.map(|row| row.unwrap().status.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(with(None), ["active", "active", "unsubscribed", "bounced"]);
    assert_eq!(with(Some(SubscriberStatus::Pending)), ["pending", "pending", "unsubscribed", "bounced"]);
    assert_eq!(with(Some(SubscriberStatus::Active)), ["active", "active", "unsubscribed", "bounced"]);
}

#[test]
fn a_state_beside_a_country_is_a_place() {
    assert_eq!(
        rows("email,country,state\na@example.com,US,NY\n")[0].as_ref().unwrap().status,
        SubscriberStatus::Active
    );
    let paused = rows("email,state\na@example.com,paused\n");
    assert_eq!(paused[0].as_ref().unwrap().status, SubscriberStatus::Unsubscribed);
}

#[test]
fn a_file_that_is_no_list_is_refused_with_the_remedy() {
    for (bytes, remedy) in [
        (&b""[..], "is empty"),
        (b"\n\n", "is empty"),
        (b"ann@example.com,Ann\n", "is a person"),
        (b"name,phone\nAnn,1\n", "it has name, phone"),
        (b"\xff\xfee\0m\0", "CSV UTF-8"),
        (b"em\xffail\n", "UTF-8"),
    ] {
        let error = CsvReader::open(Cursor::new(bytes), options()).err().expect("refused").to_string();
        assert!(error.contains(remedy) && !error.contains('@'), "{error}");
    }
}

#[test]
fn moments_are_read_as_exports_write_them() {
    for text in [
        "2024-03-01T10:20:30Z",
        "2024-03-01T12:20:30+02:00",
        "2024-03-01T10:20:30",
        "2024-03-01 10:20:30",
        "2024-03-01 10:20:30 UTC",
        "2024-03-01 10:20:30+00",
        "2024-03-01 05:20:30 -0500",
        "2024-03-01 10:20:30 +0000 UTC",
        "2024/03/01 10:20:30",
        "3/1/2024 10:20:30",
        "03/01/2024 10:20:30 AM",
        "3/1/24 10:20:30",
        "01.03.2024 10:20:30",
        "1709288430",
        "1709288430000",
    ] {
        assert_eq!(
            parse_when(text).map(|at| at.to_string()).as_deref(),
            Some("2024-03-01T10:20:30Z"),
            "{text}"
        );
    }
    for text in ["2024-03-01", "3/1/2024", "03/01/24", "1.3.2024"] {
        assert_eq!(
            parse_when(text).map(|at| at.to_string()).as_deref(),
            Some("2024-03-01T00:00:00Z"),
            "{text}"
        );
    }
    for text in
        ["", "x", "13/25/2024", "2024", "2024-13-01", "yesterday", "/", ".", "1/2", "9999999999999999999"]
    {
        assert_eq!(parse_when(text), None, "{text}");
    }
}

/// Names that trouble CSV and spreadsheets.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[=+@-][A-Z0-9()|!' ]{0,12}",
        "[\"',;\t\n\r a-z=]{0,16}",
        "\\PC{0,24}",
        Just("👩‍🚀 Zoë \"Z\" O'Neil, Jr.".to_owned()),
    ]
}

proptest! {
    #[test]
    fn what_is_exported_comes_in_again_the_same(
        people in prop::collection::vec(
            (any_name(), 0_usize..5, prop::bool::ANY, 0_i64..NOW.0, "[a-z:. ]{1,12}"),
            0..12,
        )
    ) {
        let people: Vec<Subscriber> = people.into_iter().enumerate().map(|(i, (name, status, zoned, at, source))| {
            Subscriber {
                id: SubscriberId(i64::try_from(i).unwrap()),
                email: EmailAddress::parse(&format!("p+{i}@example.com")).unwrap(),
                name: clean_name(&name),
                status: SubscriberStatus::ALL[status],
                timezone: zoned.then(|| "Asia/Kolkata".to_owned()),
                source: format!("s{}", source.trim()).split_whitespace().collect::<Vec<_>>().join(" "),
                created_at: UnixMillis(at),
                activated_at: None,
                ended_at: None,
                epoch: crate::domain::subscriber::LinkEpoch::default(),
            }
        }).collect();
        let mut writer = CsvWriter::new(Vec::new()).unwrap();
        for person in &people {
            writer.write(person).unwrap();
        }
        let rows = rows(writer.finish().unwrap());
        prop_assert_eq!(rows.len(), people.len());
        for (row, person) in rows.into_iter().zip(people) {
            let row = row.unwrap();
            prop_assert_eq!(row.email, person.email);
            prop_assert_eq!(row.name, person.name);
            prop_assert_eq!(row.status, person.status);
            prop_assert_eq!(row.timezone, person.timezone);
            prop_assert_eq!(row.created_at, person.created_at);
            prop_assert_eq!(row.source, person.source);
        }
    }

    #[test]
    fn no_file_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = b"email,name,status,created_at\n".to_vec();
        file.extend(&bytes);
        let _ = rows(&file);
        let _ = CsvReader::open(Cursor::new(bytes), options());
    }

    #[test]
    fn no_moment_panics(text in "\\PC{0,20}|[0-9/:. TZ+-]{0,24}") {
        let _ = parse_when(&text);
    }
}

/// An endless file that counts what is read of it.
struct Endless(Cursor<Vec<u8>>, std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = match self.0.read(buffer)? {
            0 => {
                buffer.fill(b'x');
                buffer.len()
            }
            read => read,
        };
        self.1.fetch_add(read, std::sync::atomic::Ordering::Relaxed);
        Ok(read)
    }
}

#[test]
fn a_quote_that_nobody_closes_ends_the_import_at_its_line_and_not_in_memory() {
    let octets = std::sync::Arc::default();
    let head = "email,name\nann@example.com,Ann\nbob@example.com,\"Bob\ncleo@example.com,Cleo\n";
    let source = Endless(Cursor::new(head.into()), std::sync::Arc::clone(&octets));
    let rows: Rows = CsvReader::open(source, options()).unwrap().collect();
    let [Ok(ann), Err(error)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(ann.email.expose(), "ann@example.com");
    assert_eq!((error.line, error.field), (3, "row"));
    assert!(error.reason.contains("over 64 KB") && error.reason.contains("nothing after"), "{error}");
    assert!(octets.load(std::sync::atomic::Ordering::Relaxed) < 2 << 20);

    let header = Endless(Cursor::new("email,\"name\n".into()), octets);
    let Err(error) = CsvReader::open(header, options()) else { panic!("a header without end") };
    assert!(error.to_string().contains("over 64 KB"), "{error}");
}

#[test]
fn a_row_too_long_is_passed_over_and_one_that_fits_is_read_however_small_the_reads_are() {
    struct Small(Cursor<Vec<u8>>);
    impl std::io::Read for Small {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(1000);
            self.0.read(&mut buffer[..most])
        }
    }
    let row = |name: &str, long: usize| format!("{name}@example.com,{}\n", "y".repeat(long));
    let text = format!("email,name\n{}{}{}", row("ann", 60_000), row("bob", 5), row("cleo", 65_000));
    let rows: Rows = CsvReader::open(Small(Cursor::new(text.into_bytes())), options()).unwrap().collect();
    assert!(rows.len() == 3 && rows.iter().all(Result::is_ok), "{rows:?}");
    let rows = self::rows(format!("email,name\n{}{}", row("ann", 70_000), row("bob", 5)));
    assert_eq!(rows[0].as_ref().map_err(|error| error.line).unwrap_err(), 2);
    assert!(rows.len() == 2 && rows[1].is_ok(), "{rows:?}");
}
