//! The one table of settings: name, form, default and text of every key. The file that `init`
//! writes, the list of known keys, the values that nobody set and `docs/configuration.md` all come
//! from here.
//!
//! Long because it is one table, and a key is found by looking in one place.

use super::key::Initial::{Absent, Default, Required};
use super::key::Shape::{Flag, Number, Secret, Table, Text};
use super::key::{Initial, Key, Shape};

/// The sections in the order of the file, each with what it is about.
pub const SECTIONS: [(&str, &str); 13] = [
    ("site", "Who sends the letter, as every letter names it."),
    ("database", "Where subscribers, comparisons, issues and deliveries are kept."),
    ("schedule", "When a letter is due, and what goes in."),
    ("relay", "The SMTP server that takes the letters."),
    ("delivery", "What happens to a letter that the relay puts off."),
    ("dkim", "The signatures of letters. \"verdicts dkim generate\" makes keys and says what goes here."),
    ("web", "The pages: sign-up, unsubscribe, archive."),
    ("signup", "The form that people join with, and how often it may be used."),
    ("consent", "The proof that somebody asked for the letter."),
    ("subject_test", "Which of two subjects moves more readers to vote: tests that run by themselves."),
    ("theme", "The look of letters and notices: every colour in them follows from this."),
    ("templates", "Templates of your own in place of the built-in ones."),
    ("secret", "The site's own key."),
];

const fn key(name: &'static str, shape: Shape, initial: Initial, doc: &'static str) -> Key {
    Key::new(name, shape, initial, doc)
}

// Forms that several keys have.
const LINE: &str = "one line of text, not empty";
const MAILBOX: &str = "an address, or a name and an address: `Name <name@example.com>`";
const FILE: &str = "a path to a file, from the folder of verdicts.toml";
const SPAN: &str =
    "a span of time: whole numbers with s, m, h, d or w, as 90s, 12h or 1h30m; up to ten years";
const RATE: &str = "so many in a time: a whole number and /s, /m, /h or /d";
const COLOUR: &str = "# and six digits from 0 to f";
const FONTS: &str =
    "names of fonts between commas, in single quotes if they have blanks; at most 200 characters";

/// Every key there is, by section.
pub const KEYS: &[Key] = &[
    key(
        "site.name",
        Text,
        Required("\"Weekly verdicts\""),
        "The name in the From line, the masthead and the footer.",
    )
    .form(LINE)
    .examples(&["\"The Friday Comparison\""]),
    key(
        "site.base_url",
        Text,
        Required("\"http://127.0.0.1:8080\""),
        "The address that readers reach the pages under; every link in a letter starts with it. \
         https://, or http:// on this machine only.",
    )
    .form(
        "a URL without user, query or fragment: https://HOST, a port and a path if wanted; http:// \
         with localhost or a loopback address alone",
    )
    .examples(&["\"https://verdicts.example\"", "\"https://example.com/letter\""]),
    key(
        "site.from",
        Text,
        Required("\"Weekly verdicts <letters@example.com>\""),
        "Who the letter is from. Its domain is the one that SPF, DKIM and DMARC have to vouch for.",
    )
    .form(MAILBOX)
    .examples(&["\"Weekly verdicts <letters@example.com>\"", "\"letters@example.com\""]),
    key("site.reply_to", Text, Absent("\"editors@example.com\""), "Where replies go. Absent: to `from`.")
        .form(MAILBOX),
    key(
        "site.bounce_address",
        Text,
        Absent("\"bounces@example.com\""),
        "Where the relays of readers report letters that they could not deliver (the envelope \
         sender). Each letter has its own tag behind a plus, bounces+TOKEN@example.com, so that a \
         report leads to its reader whatever else it says; the mailbox has to take such addresses. \
         Absent: the address of `from`, without a tag.",
    )
    .form(
        "an address whose part before the @ is ASCII, without a plus, and at most 24 characters \
         long",
    ),
    key(
        "site.postal_address",
        Text,
        Required("\"1 Example Street, 12345 Example City\""),
        "The sender's postal address, in one line. It stands in every letter, as the law of many \
         countries wants it.",
    )
    .form(LINE),
    key(
        "site.list_id",
        Text,
        Absent("\"weekly.example.com\""),
        "The list's name in the List-Id header, which mail programs filter by: keep it for good. \
         Absent: `weekly.` and the host of `base_url`.",
    )
    .form(
        "a dotted name of letters, digits, hyphens and underscores, at most 255 characters (RFC \
         2919)",
    ),
    key(
        "site.language",
        Text,
        Default("\"en\""),
        "The language of notices, and of pages for readers whose browser asks for none that there \
         are texts in: en or de.",
    )
    .form(
        "the tag of a language in small letters (RFC 5646): en or de, or another that \
         templates.dir has texts in",
    )
    .examples(&["\"de\""]),
    key(
        "database.url",
        Secret,
        Default("\"sqlite:subscribers/verdicts.db\""),
        "A SQLite file (made if absent), or postgres://user:password@host/database to have several \
         workers.",
    )
    .form("sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE")
    .examples(&[
        "\"sqlite:/var/lib/verdicts/verdicts.db\"",
        "\"postgres://verdicts:password@db.example.com/verdicts\"",
    ])
    .more(
        "A password in the settings file is read by whoever reads the file: database.url_file \
         keeps it out of there.",
    ),
    key(
        "database.url_file",
        Text,
        Absent("\"/run/secrets/database-url\""),
        "A file that holds the database URL, instead of `url`.",
    )
    .form(FILE),
    key(
        "schedule.cron",
        Text,
        Default("\"0 0 9 * * Tue\""),
        "When a letter is due: second, minute, hour, day, month, weekday and, if wanted, year; \
         five fields start with the minute. Weekdays are names. If both day and weekday are given, \
         both must match: \"0 9 1-7 * Tue\" is the first Tuesday of a month.",
    )
    .form(
        "a cron text: five fields (minute hour day month weekday), six with seconds first, seven \
         with a year at the end; weekdays are names",
    )
    .examples(&["\"0 9 * * Tue\"", "\"30 7 1-7 * Mon\""])
    .more("\"verdicts check\" prints when the next letter is due."),
    key(
        "schedule.timezone",
        Text,
        Default("\"America/New_York\""),
        "Whose clock `cron` means. A time that the change to summer time leaves out is due right \
         after it; one that comes twice is due the first time.",
    )
    .form("a name of the IANA time zone list")
    .examples(&["\"Europe/Berlin\"", "\"UTC\""]),
    key(
        "schedule.catch_up",
        Text,
        Default("\"12h\""),
        "How late a letter may still leave, after an outage. Beyond it the date is skipped, and \
         said so.",
    )
    .form(SPAN)
    .examples(&["\"36h\""]),
    key(
        "schedule.lookback",
        Text,
        Default("\"7d\""),
        "How far back the first letter looks for comparisons; later ones start where the last one \
         ended.",
    )
    .form(SPAN)
    .limit("from a minute on")
    .examples(&["\"2w\""]),
    key(
        "schedule.min_comparisons",
        Number { least: 1, most: 50 },
        Default("1"),
        "With fewer new comparisons than this, no letter is sent.",
    )
    .examples(&["3"]),
    key(
        "schedule.max_comparisons",
        Number { least: 1, most: 50 },
        Default("5"),
        "With more, the letter features this many; up to six others get a line as also compared, \
         and all of them may be featured in a later letter that has something new.",
    )
    .examples(&["7"]),
    key(
        "relay.url",
        Secret,
        Default("\"outbox:outbox\""),
        "outbox:FOLDER writes each letter to an .eml file and sends nothing. For real mail \
         smtp://user:password@host:587 (STARTTLS, required) or smtps://user:password@host:465 \
         (TLS); plain smtp://127.0.0.1:2525 on this machine only.",
    )
    .form(
        "outbox:FOLDER, smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT; the user \
         may be absent, and so may the port; percent-encode what is no letter or digit in user and \
         password; ?starttls=required asks a loopback host for STARTTLS too",
    )
    .examples(&[
        "\"smtp://user:password@mail.example.com:587\"",
        "\"smtps://user:password@mail.example.com\"",
        "\"smtp://127.0.0.1:2525\"",
    ])
    .more(
        "A password in the settings file is read by whoever reads the file: relay.url_file keeps \
         it out of there.",
    ),
    key(
        "relay.url_file",
        Text,
        Absent("\"/run/secrets/relay-url\""),
        "A file that holds the relay's URL, instead of `url`.",
    )
    .form(FILE),
    key(
        "relay.connections",
        Number { least: 1, most: 500 },
        Default("10"),
        "Connections to the relay at the same time. It also bounds the letters whose fate an \
         outage can leave unknown.",
    )
    .examples(&["4"])
    .more(
        "Of each worker: three workers with 10 open 30. A relay that takes fewer says so with a \
         4xx, and then it gets fewer.",
    ),
    key(
        "relay.session_letters",
        Number { least: 1, most: 1_000_000 },
        Default("1000"),
        "Letters after which a connection is closed and another one opened. Some relays take only \
         so many over one connection, and close it in the middle of a letter.",
    )
    .examples(&["100"]),
    key(
        "relay.rate",
        Text,
        Absent("\"100/s\""),
        "The most that leaves in a time: per second, minute (/m), hour (/h) or day (/d), of all \
         workers together and over restarts. Letters go evenly: a rest saves up a tenth of a \
         second's letters (ten of 100/s, one of 10000/h). Absent: as fast as the relay takes it.",
    )
    .form(RATE)
    .examples(&["\"100/s\"", "\"10000/h\""]),
    key(
        "relay.domains",
        Table,
        Absent("{ \"example.com\" = { rate = \"20/s\", connections = 4 } }"),
        "What single recipient domains may get: a rate, as above and also of all workers together; \
         letters in flight at a time, of each worker; or both. With connections alone, each counts \
         for 20 letters a second. Letters of others are not held back. Without a limit here, a \
         domain that asks us to slow down is slowed down all the same, and recovers.",
    )
    .form("a table of tables: a domain, and under it rate, connections (1 to 500), or both")
    .examples(&[
        "{ \"example.com\" = { rate = \"20/s\", connections = 4 }, \"example.org\" = { rate = \"500/h\" } }",
    ]),
    key(
        "relay.warmup",
        Table,
        Absent("[500, 1000, 5000]"),
        "For a sender that nobody knows yet: the most letters on the first day (of UTC) on which \
         something is sent, on the second such day, and so on; after the last there is no ceiling.",
    )
    .form("a list of whole numbers, each from 1 on: the first day's ceiling first"),
    key(
        "relay.weight",
        Number { least: 1, most: 100 },
        Default("1"),
        "The share of the connections that goes to this relay if there are more of them.",
    )
    .examples(&["3"]),
    key(
        "relay.more",
        Table,
        Absent("[{ url = \"smtps://user:password@mail2.example.com\", weight = 1 }]"),
        "More relays, each with a url (or url_file) and a weight. One that can't be reached or \
         refuses us is left out and tried again later; the run pauses only when none is left.",
    )
    .form(
        "a list of tables with url or url_file, and weight (1 to 100, 1 where it is absent); only \
         beside a relay.url that is no outbox",
    ),
    key(
        "relay.ca_file",
        Text,
        Absent("\"relay-ca.pem\""),
        "A PEM file with the certificate authority of a relay that no public one vouches for.",
    )
    .form(FILE),
    key(
        "relay.helo",
        Text,
        Absent("\"mail.example.com\""),
        "The name that this machine gives itself in EHLO. Absent: the machine's own, if it is a \
         full one.",
    )
    .form("a host name, or an address in brackets (RFC 5321 section 4.1.3)")
    .examples(&["\"mail.example.com\"", "\"[192.0.2.1]\""]),
    key(
        "delivery.first_retry",
        Text,
        Default("\"1m\""),
        "How long a letter waits after the relay has put it off; the wait doubles each time.",
    )
    .form(SPAN)
    .limit("from a second on")
    .examples(&["\"5m\""]),
    key(
        "delivery.max_age",
        Text,
        Default("\"2d\""),
        "When a letter that is still put off is given up as failed.",
    )
    .form(SPAN)
    .limit("not below delivery.first_retry")
    .examples(&["\"5d\""]),
    key(
        "delivery.keep",
        Text,
        Default("\"90d\""),
        "How long every delivery of a finished issue is kept as a row of its own. After that the \
         sent ones are counters, and failed ones stay with the relay's words.",
    )
    .form(SPAN)
    .limit("not below delivery.max_age")
    .examples(&["\"365d\""]),
    key(
        "delivery.linger",
        Text,
        Default("\"1h\""),
        "How long `send` waits for the next letter that the pace allows (rate, warm-up). If it \
         would take longer, it ends and says until when; `serve` goes on by itself.",
    )
    .form(SPAN)
    .limit("from a second on")
    .examples(&["\"10m\""]),
    key(
        "delivery.reader_hours",
        Flag,
        Default("true"),
        "Whether letters wait, for less than a day, for the hour that their reader chose. A run is \
         not over before the last of them; with false they all go at once.",
    )
    .examples(&["false"]),
    key(
        "dkim.domain",
        Text,
        Absent("\"example.com\""),
        "The domain that signs: the one of `from`, its parent or a part of it, as DMARC wants it. \
         Absent: the domain of `from`.",
    )
    .form("a domain: the one of site.from, a parent of it, or a part of it"),
    key(
        "dkim.selector",
        Text,
        Absent("\"v202611\""),
        "The name of the key in the DNS: the record is SELECTOR._domainkey.DOMAIN. Absent, with \
         `key_file`: letters leave unsigned, and the relay has to sign.",
    )
    .form("a name of the DNS; needs dkim.key_file"),
    key(
        "dkim.key_file",
        Text,
        Absent("\"dkim/v202611.pem\""),
        "The private key (PEM, RSA of 2048 bits or Ed25519). Keep it out of git, and readable by \
         the service alone.",
    )
    .form(FILE)
    .limit("needs dkim.selector")
    .more("\"verdicts dkim generate\" makes one and prints its record for the DNS."),
    key(
        "dkim.also",
        Text,
        Absent("\"v202611-ed25519:dkim/v202611-ed25519.pem\""),
        "More signatures on each letter, as SELECTOR:FILE or SELECTOR@DOMAIN:FILE, separated by \
         commas: an Ed25519 key beside the RSA key, an old key beside a new one, another domain.",
    )
    .form(
        "SELECTOR:FILE or SELECTOR@DOMAIN:FILE, more of them after commas; without a domain it is \
         dkim.domain",
    )
    .examples(&[
        "\"v202611-ed25519:dkim/v202611-ed25519.pem\"",
        "\"s1@mail.example.com:s1.pem, v202510:dkim/v202510.pem\"",
    ]),
    key(
        "web.listen",
        Text,
        Default("\"127.0.0.1:8080\""),
        "The address and port that `serve` listens on; put a proxy with TLS in front of it.",
    )
    .form("an address and a port; IPv6 in brackets")
    .examples(&["\"0.0.0.0:8080\"", "\"[::1]:8080\""]),
    key(
        "web.timeout",
        Text,
        Default("\"20s\""),
        "How long a client may take for the head of a request, for its body, and for each part of \
         the answer, before it is dropped; also how long an idle connection is kept.",
    )
    .form(SPAN)
    .limit("from a second on")
    .examples(&["\"1m\""]),
    key(
        "web.connections",
        Number { least: 8, most: 100_000 },
        Default("1000"),
        "Connections at the same time; one more waits until another ends.",
    )
    .examples(&["5000"]),
    key(
        "web.trusted_proxies",
        Table,
        Absent("[\"127.0.0.1\", \"10.0.0.0/8\"]"),
        "The addresses or networks of the proxies in front of it. Their X-Forwarded-For or \
         Forwarded says who is asking, which limits count by; from anybody else it is not \
         believed. Absent: no proxy is.",
    )
    .form("a list of addresses and networks (CIDR)"),
    key(
        "signup.per_network",
        Text,
        Default("\"20/h\""),
        "How many sign-ups one address of IPv4, or one /64 of IPv6, may send; a /24 of IPv4 eight \
         times as many, a /56 of IPv6 four times and a /48 sixteen times; forms elsewhere and \
         scripts a quarter of it. A reader who asks for another address is counted as well. However \
         many there are, one mailbox gets at most one notice in ten minutes, and three a day of these.",
    )
    .form(RATE)
    .examples(&["\"5/m\""]),
    key(
        "signup.total",
        Text,
        Default("\"1000/h\""),
        "How many sign-ups there may be of everybody together; forms elsewhere and scripts a \
         quarter of it. No /24 of IPv4 or /48 of IPv6 may have had more than is left, so that the \
         loudest network is refused first.",
    )
    .form(RATE)
    .examples(&["\"200/h\""]),
    key(
        "signup.minimum_fill",
        Text,
        Default("\"2s\""),
        "Whoever fills the form in faster than this is asked to press the button again. 0s: nobody \
         is.",
    )
    .form(SPAN)
    .limit("below a day")
    .examples(&["\"0s\""]),
    key(
        "signup.proof_of_work",
        Flag,
        Default("false"),
        "Whether a browser has to do a second of arithmetic before it may sign somebody up. It \
         keeps simple robots out, and people without JavaScript too, so switch it on when you need \
         it.",
    )
    .examples(&["true"]),
    key(
        "consent.ip",
        Text,
        Default("\"truncated\""),
        "What is kept of the IP address that somebody signed up from: truncated (to /24 or /48), \
         hashed (with the site's key), or none.",
    )
    .form("truncated, hashed or none")
    .examples(&["\"hashed\""]),
    key(
        "subject_test.share",
        Text,
        Absent("\"20%\""),
        "With a share, each letter for which nobody wrote a subject is tested: so many of the \
         readers get it at once, half of them under the composed subject and half under another \
         one, and the rest gets the subject that moved more of its readers to vote. Absent: only \
         \"verdicts issue subject N A --against B\" makes a test.",
    )
    .form("a share of the readers, from 1% to 90%"),
    key("subject_test.wait", Text, Default("\"4h\""), "How long the rest waits for the winner of a test.")
        .form(SPAN)
        .limit("from a second on")
        .examples(&["\"1h30m\""]),
    key(
        "theme.accent",
        Text,
        Default("\"#0a6b49\""),
        "The colour of buttons, bars and links: # and six digits. The words on a button are white \
         or dark, whichever can be read. Where the accent is too light for words, links and bars \
         take the nearest shade of it that has a contrast of 4.5 (WCAG 2.2, AA), and \"verdicts \
         check\" says so.",
    )
    .form(COLOUR)
    .examples(&["\"#8a1c4a\""]),
    key(
        "theme.accent_dark",
        Text,
        Absent("\"#63c79f\""),
        "The accent in dark mode. Absent: a lighter shade of `accent` that can be read there.",
    )
    .form(COLOUR),
    key(
        "theme.logo",
        Text,
        Absent("\"https://verdicts.example/logo.png\""),
        "An image in the masthead in place of the site's name, https. It is shown on light and on \
         dark. Set the three below with it.",
    )
    .form("an https URL; needs theme.logo_width and theme.logo_height"),
    key(
        "theme.logo_width",
        Number { least: 16, most: 320 },
        Absent("160"),
        "Its width in the letter, in pixels, up to 320; the file is best twice as large.",
    ),
    key(
        "theme.logo_height",
        Number { least: 16, most: 120 },
        Absent("40"),
        "Its height in the letter, in pixels, up to 120.",
    ),
    key(
        "theme.logo_alt",
        Text,
        Absent("\"Weekly verdicts\""),
        "What stands there while images are off. Absent: the site's name.",
    )
    .form(LINE),
    key(
        "theme.heading_font",
        Text,
        Default("\"Georgia, 'Times New Roman', serif\""),
        "Font families of headings, figures and quotes, best first. Nothing is loaded: name fonts \
         that people have.",
    )
    .form(FONTS)
    .examples(&["\"'Iowan Old Style', Georgia, serif\""]),
    key(
        "theme.body_font",
        Text,
        Default("\"-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\""),
        "Font families of everything else.",
    )
    .form(FONTS)
    .examples(&["\"Verdana, Arial, sans-serif\""]),
    key(
        "theme.radius",
        Number { least: 0, most: 24 },
        Default("12"),
        "How round corners are, in pixels from 0 to 24; buttons and marks have half of it.",
    )
    .examples(&["0"]),
    key(
        "templates.dir",
        Text,
        Absent("\"templates\""),
        "A folder as \"verdicts templates export DIR\" writes it: letter/, notices/, pages/ and \
         texts/. A file there takes the place of the built-in one of that name, and what you \
         delete is built in again. Checked at start and by \"verdicts templates check\".",
    )
    .form("a folder, from that of verdicts.toml"),
    key(
        "secret.key_file",
        Text,
        Default("\"verdicts.key\""),
        "The key that signs the links in letters. `init` makes it. Back it up and keep it out of \
         git: without it, links in letters already sent stop working.",
    )
    .form(FILE)
    .examples(&["\"/etc/verdicts/verdicts.key\""])
    .more("\"verdicts key rotate\" puts a new key in front of the old ones."),
];
