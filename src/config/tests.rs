use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::domain::relay::RelayUrl;
use crate::domain::theme::Theme;

/// Writes `text` as the settings of a fresh folder and loads them with `env` over them.
fn load(text: &str, env: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    std::fs::write(&path, text).unwrap();
    Settings::load(Some(&path), env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

const SITE: &str = r#"[site]
name = "Verdicts"
base_url = "https://verdicts.example/"
from = "Verdicts <letters@verdicts.example>"
postal_address = "1 Street, City"
"#;

fn error(more: &str, env: &[(&str, &str)]) -> String {
    let text = load(&format!("{SITE}{more}"), env).unwrap_err().to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn a_short_file_has_the_defaults() {
    let settings = load(SITE, &[]).unwrap();
    assert_eq!(settings.site.base_url, "https://verdicts.example");
    assert_eq!(settings.site.list_id, "weekly.verdicts.example");
    assert_eq!(settings.site.reply_to, None);
    assert_eq!(settings.schedule.cron, "0 0 9 * * Tue");
    assert_eq!(settings.schedule.timezone, chrono_tz::America::New_York);
    assert_eq!(settings.schedule.catch_up, Duration::from_secs(12 * 3_600));
    assert_eq!((settings.schedule.min_comparisons, settings.schedule.max_comparisons), (1, 5));
    assert_eq!((settings.relay.connections, settings.relay.rate), (10, None));
    assert_eq!(settings.delivery.max_age, Duration::from_secs(2 * 86_400));
    assert_eq!(settings.delivery.keep, Duration::from_secs(90 * 86_400));
    assert_eq!(settings.web.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.secret.key_file, settings.folder.join("verdicts.key"));
    assert_eq!(settings.database.url.sqlite_file(), Some(&*settings.folder.join("subscribers/verdicts.db")));
    assert_eq!(settings.relay.url, RelayUrl::Outbox(settings.folder.join("outbox")));
}

#[test]
fn the_environment_overrides_the_file_by_the_type_of_the_key() {
    let env = [
        ("VERDICTS__RELAY__URL", "smtp://127.0.0.1:2525"),
        ("VERDICTS__RELAY__CONNECTIONS", "3"),
        ("VERDICTS__RELAY__RATE", "600/m"),
        ("VERDICTS__SITE__NAME", "42"),
        ("VERDICTS_OTHER", "is not ours"),
        ("HOME", "/root"),
    ];
    let settings = load(&format!("{SITE}[relay]\nurl = \"outbox:x\"\nconnections = 7\n"), &env).unwrap();
    assert_eq!(settings.relay.url.to_string(), "smtp://127.0.0.1:2525");
    assert_eq!(settings.relay.connections, 3);
    assert_eq!(settings.relay.rate, Some("600/m".parse().unwrap()));
    assert_eq!(settings.site.name, "42");
}

#[test]
fn the_environment_alone_is_enough() {
    let env = [
        ("VERDICTS__SITE__NAME", "Verdicts"),
        ("VERDICTS__SITE__BASE_URL", "https://verdicts.example"),
        ("VERDICTS__SITE__FROM", "letters@verdicts.example"),
        ("VERDICTS__SITE__POSTAL_ADDRESS", "1 Street"),
    ];
    assert!(load("", &env).is_ok());
    let missing = load("", &env[1..]).unwrap_err().to_string();
    assert!(
        missing.contains("site.name is not set") && missing.contains("VERDICTS__SITE__NAME"),
        "{missing}"
    );
}

#[test]
fn unknown_keys_are_refused_by_name_and_place() {
    for (more, names) in [
        ("\n[relay]\nconections = 3\n", ["toml:8:", "relay.conections", "did you mean relay.connections?"]),
        ("[relais]\nurl = \"x\"\n", ["toml:6:", "relais", "not a setting"]),
        ("cron = \"x\"\n", ["toml:6:", "site.cron", "did you mean schedule.cron?"]),
        ("[tracking]\npixel = \"x\"\n", ["toml:6:", "tracking", "\"verdicts init\""]),
    ] {
        let text = error(more, &[]);
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
    }
    let text = error("", &[("VERDICTS__RELAY__ULR", "x")]);
    assert!(
        text.contains("VERDICTS__RELAY__ULR") && text.contains("did you mean VERDICTS__RELAY__URL?"),
        "{text}"
    );
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_remedy() {
    for (more, names) in [
        ("[schedule]\ncron = \"0 9 * * 2\"", ["toml:7: schedule.cron = \"0 9 * * 2\"", "use names"]),
        (
            "[schedule]\ntimezone = \"Mars/Olympus\"",
            ["schedule.timezone = \"Mars/Olympus\"", "Europe/Berlin"],
        ),
        ("[schedule]\ncatch_up = \"soon\"", ["schedule.catch_up = \"soon\"", "12h"]),
        ("[schedule]\ncatch_up = 5", ["schedule.catch_up = \"5\"", "quotes"]),
        (
            "[schedule]\nmin_comparisons = 9",
            ["schedule.max_comparisons = \"5\"", "min_comparisons, which is 9"],
        ),
        ("[relay]\nconnections = \"3\"", ["relay.connections = \"3\"", "without quotes"]),
        ("[relay]\nconnections = -3", ["relay.connections = \"-3\"", "whole number"]),
        ("[relay]\nconnections = 501", ["relay.connections = \"501\"", "1 to 500"]),
        ("[relay]\nrate = \"fast\"", ["relay.rate = \"fast\"", "100/s"]),
        ("[relay]\nhelo = \"a b\"", ["relay.helo = \"a b\"", "mail.example.com"]),
        ("[delivery]\nfirst_retry = \"0s\"", ["delivery.first_retry = \"0s\"", "a second or more"]),
        ("[delivery]\nkeep = \"1d\"", ["delivery.keep = \"1d\"", "delivery.max_age"]),
        ("[delivery]\nmax_age = \"1s\"", ["delivery.max_age = \"1s\"", "delivery.first_retry"]),
        ("[dkim]\nselector = \"v1\"", ["toml:7: dkim.selector = \"v1\"", "set dkim.key_file"]),
        ("[dkim]\nkey_file = \"v1.pem\"", ["dkim.key_file = \"v1.pem\"", "set dkim.selector"]),
        ("[dkim]\ndomain = \"other.example\"", ["dkim.domain = \"other.example\"", "verdicts.example"]),
        ("[dkim]\ndomain = \"example\"", ["dkim.domain = \"example\"", "verdicts.example"]),
        ("[dkim]\nalso = \"v1\"", ["dkim.also = \"v1\"", "SELECTOR:FILE"]),
        ("[dkim]\nalso = \"v1@x y:f\"", ["dkim.also = \"v1@x y:f\"", "SELECTOR:FILE"]),
        ("bounce_address = \"a+b@x.example\"", ["site.bounce_address = \"a+b@x.example\"", "no plus"]),
        ("[web]\nlisten = \"8080\"", ["web.listen = \"8080\"", "127.0.0.1:8080"]),
        ("reply_to = \"nobody\"", ["site.reply_to = \"nobody\"", "name@example.com"]),
        ("list_id = \"my list\"", ["site.list_id = \"my list\"", "weekly.example.com"]),
        ("[relay\n", ["toml:6: this is not TOML", "[brackets]"]),
        ("name = \"twice\"", ["toml:6: this is not TOML", "duplicate"]),
    ] {
        let text = error(more, &[]);
        assert!(names.iter().all(|name| text.contains(name)), "{more}: {text}");
    }
    let text = error("", &[("VERDICTS__RELAY__CONNECTIONS", "many")]);
    assert!(
        text.contains("environment variable VERDICTS__RELAY__CONNECTIONS: relay.connections = \"many\""),
        "{text}"
    );
}

#[test]
fn the_base_url_is_https_or_this_machine() {
    for good in
        ["http://localhost:8080/", "http://127.0.0.1", "http://[::1]:8080", "https://example.org/letters/"]
    {
        let settings = load(SITE, &[("VERDICTS__SITE__BASE_URL", good)]).unwrap();
        assert_eq!(settings.site.base_url, good.trim_end_matches('/'));
    }
    for bad in [
        "http://verdicts.example",
        "verdicts.example",
        "ftp://x.example",
        "https://u@x.example",
        "https://x.example/?a",
        "",
    ] {
        let text = error("", &[("VERDICTS__SITE__BASE_URL", bad)]);
        assert!(text.contains("site.base_url") && text.contains("https://verdicts.example"), "{text}");
    }
}

#[test]
fn nothing_may_smuggle_a_line_into_a_header() {
    for key in ["NAME", "POSTAL_ADDRESS", "FROM"] {
        let text = error("", &[(&format!("VERDICTS__SITE__{key}"), "A\r\nBcc: x@example.com")]);
        assert!(text.contains(&format!("site.{}", key.to_lowercase())), "{text}");
    }
}

#[test]
fn dkim_keys_are_one_main_key_and_others() {
    let text = format!(
        "{SITE}[dkim]\nselector = \"v2\"\nkey_file = \"v2.pem\"\nalso = \"v1:/keys/v1.pem, e@mail.example.org:e.pem\"\n"
    );
    let settings = load(&text, &[]).unwrap();
    let keys: Vec<_> = settings
        .dkim
        .iter()
        .map(|key| (key.domain.as_str(), key.selector.as_str(), key.key_file.clone(), key.setting))
        .collect();
    let at = |name: &str| settings.folder.join(name);
    assert_eq!(
        keys,
        [
            ("verdicts.example", "v2", at("v2.pem"), "dkim.key_file"),
            ("verdicts.example", "v1", PathBuf::from("/keys/v1.pem"), "dkim.also"),
            ("mail.example.org", "e", at("e.pem"), "dkim.also"),
        ]
    );
    assert_eq!(load(SITE, &[]).unwrap().dkim, []);
    // The parent and a part of the sender's domain are aligned with it.
    for (from, domain) in
        [("a@news.verdicts.example", "verdicts.example"), ("a@verdicts.example", "Mail.Verdicts.Example")]
    {
        let env = [("VERDICTS__SITE__FROM", from), ("VERDICTS__DKIM__DOMAIN", domain)];
        let settings = load(&text, &env).unwrap();
        assert_eq!(settings.dkim[0].domain, domain.to_lowercase());
    }
}

#[test]
fn secrets_come_from_files_and_the_environment_has_the_last_word() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("relay-url"), "smtps://u:hunter2@mail.example.com\n").unwrap();
    let path = folder.path().join(FILE_NAME);
    let load = |more: &str, env: &[(&str, &str)]| {
        std::fs::write(&path, format!("{SITE}[relay]\n{more}")).unwrap();
        Settings::load(Some(&path), env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    };
    let from_file = "url_file = \"relay-url\"";
    let secret = "smtps://u:***@mail.example.com:465";
    assert_eq!(load(from_file, &[]).unwrap().relay.url.to_string(), secret);
    assert_eq!(
        load("", &[("VERDICTS__RELAY__URL_FILE", "relay-url")]).unwrap().relay.url.to_string(),
        secret
    );
    let over = [("VERDICTS__RELAY__URL", "smtp://127.0.0.1")];
    assert_eq!(load(from_file, &over).unwrap().relay.url.to_string(), "smtp://127.0.0.1:25");
    let over = [("VERDICTS__RELAY__URL_FILE", "relay-url")];
    assert_eq!(load("url = \"outbox:x\"", &over).unwrap().relay.url.to_string(), secret);

    let both = load("url = \"outbox:x\"\nurl_file = \"relay-url\"", &[]).unwrap_err().to_string();
    assert!(both.contains("relay.url_file = \"relay-url\"") && both.contains("keep one"), "{both}");
    let absent = load("url_file = \"absent\"", &[]).unwrap_err().to_string();
    assert!(absent.contains("relay.url_file = \"absent\"") && absent.contains("can't be read"), "{absent}");
}

#[test]
fn secrets_are_never_printed() {
    let text = format!(
        "{SITE}[relay]\nurl = \"smtps://u:hunter2@mail.example.com\"\n[database]\n\
         url = \"postgres://u:hunter2@db.example.com/verdicts?password=hunter2\"\n"
    );
    let settings = load(&text, &[]).unwrap();
    assert!(settings.database.url.expose().contains("hunter2"));
    let printed = format!("{settings:?}{}", settings.database.url);
    assert!(
        !printed.contains("hunter2") && printed.contains("postgres://u:***@db.example.com/verdicts"),
        "{printed}"
    );
    for (section, bad) in [
        ("relay", "smtps://hunter2@mail.example.com"),
        ("relay", "hunter2"),
        ("database", "mysql://u:hunter2@db.example.com/x"),
        ("database", "hunter2"),
        ("database", "sqlite:hunter2.db?mode=memory"),
    ] {
        let text = error(&format!("[{section}]\nurl = \"{bad}\"\n"), &[]);
        assert!(!text.contains("hunter2") && text.contains(&format!("{section}.url")), "{text}");
    }
    let text = error("[relay]\nurl = [\"hunter2\"]\n", &[]);
    assert!(!text.contains("hunter2"), "{text}");
    // Nor where the TOML itself is broken around it.
    let text = error("[relay]\nurl = \"smtps://u:hunter2@mail.example.com\n", &[]);
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_file_of_init_loads_and_is_the_defaults() {
    let settings = load(&init_file(), &[]).unwrap();
    let short = load(SITE, &[]).unwrap();
    assert_eq!(settings.schedule.rule.text(), short.schedule.rule.text());
    assert_eq!(settings.relay.connections, short.relay.connections);
    // Every line that may be absent is right as well, except that a secret has one place only.
    let uncommented: String = init_file()
        .lines()
        .filter(|line| !line.contains("url_file") && !line.starts_with("# more"))
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let settings = load(&uncommented, &[]).unwrap();
    assert!(
        settings.relay.rate.is_some() && settings.relay.helo.is_some() && settings.site.reply_to.is_some()
    );
}

#[test]
fn the_file_of_init_has_every_key_with_its_comment_and_nothing_else() {
    let file = init_file();
    let (mut section, mut found, mut before) = (String::new(), Vec::new(), "");
    for line in file.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_owned();
        }
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some((key, _)) = bare.split_once(" = ").filter(|(key, _)| !key.contains(' ')) {
            assert!(before.starts_with("# ") && before.len() > 10, "{section}.{key} has no comment");
            found.push(format!("{section}.{key}"));
        }
        before = line;
    }
    let known: Vec<_> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(found, known);
}

/// A key in the table that nothing reads would be a lie: a wrong value for it must be noticed.
#[test]
fn every_key_is_read() {
    for key in KEYS {
        let variable = format!("VERDICTS__{}", key.name.to_uppercase().replace('.', "__"));
        let refused = load(SITE, &[(&variable, "\u{1}")]);
        let taken = load(SITE, &[(&variable, "")]);
        assert!(refused.is_err() || taken.is_err(), "{}", key.name);
    }
}

#[test]
fn limits_of_domains_ramp_and_more_relays_are_read_from_tables_of_either_form() {
    let text = "[relay]\nurl = \"smtp://127.0.0.1:25\"\nwarmup = [500, 1_000]\nweight = 3\n\
                [relay.domains.\"Example.COM\"]\nrate = \"20/s\"\nconnections = 0x4\n\
                [relay.domains]\n\"b\u{fc}cher.example\" = { rate = \"9/m\" }\n\
                [[relay.more]]\nurl = \"smtps://u:hunter2@mail2.example.com\"\nweight = 2\n";
    let settings = load(&format!("{SITE}{text}"), &[]).unwrap();
    let limit = settings.relay.domains["example.com"];
    assert_eq!((limit.rate.unwrap().to_string().as_str(), limit.connections), ("20/s", Some(4)));
    assert!(settings.relay.domains.contains_key("xn--bcher-kva.example"));
    assert_eq!((settings.relay.warmup, settings.relay.weight), (vec![500, 1000], 3));
    assert_eq!(settings.relay.more[0].url.to_string(), "smtps://u:***@mail2.example.com:465");
    let over = [
        ("VERDICTS__RELAY__WARMUP", "[7]"),
        ("VERDICTS__RELAY__DOMAINS", "{ \"a.test\" = { connections = 1 } }"),
    ];
    let settings = load(SITE, &over).unwrap();
    assert_eq!((settings.relay.warmup, settings.relay.domains.len()), (vec![7], 1));
}

#[test]
fn what_is_wrong_in_a_table_is_named_and_no_secret_is() {
    for (text, words) in [
        ("domains = { \"example.com\" = { rat = \"1/s\" } }", "rat"),
        ("domains = { \"example.com\" = { rate = \"1\" } }", "has no /"),
        ("domains = { \"example.com\" = { connections = 0 } }", "1 to 500"),
        ("domains = { \"example.com\" = {} }", "no limit"),
        ("domains = { \"ann@example.com\" = { connections = 1 } }", "after the @"),
        ("domains = \"example.com\"", "not a table"),
        ("warmup = [0]", "0 letters"),
        ("warmup = [\"500\"]", "wrong form"),
        ("weight = 0", "1 to 100"),
        ("more = [{ url = \"smtp://127.0.0.1\" }]", "outbox"),
        ("url = \"smtp://127.0.0.1\"\nmore = [{ url = \"smtps://hunter2@x.example\" }]", "password"),
        (
            "url = \"smtp://127.0.0.1\"\nmore = [{ url = \"smtps://u:hunter2@x.example\", w = 1 }]",
            "unknown field",
        ),
        ("url = \"smtp://127.0.0.1\"\nmore = [{ weight = 1 }]", "url or a url_file"),
    ] {
        let said = error(&format!("[relay]\n{text}\n"), &[]);
        assert!(
            said.contains(words) && said.contains("relay.") && !said.contains("hunter2"),
            "{text}: {said}"
        );
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn a_theme_is_read_and_what_could_break_a_letter_is_refused() {
    let settings = load(SITE, &[]).unwrap();
    assert_eq!(settings.theme, Theme::default());
    let text = "[theme]\naccent = \"#FFCC00\"\naccent_dark = \"#ffdd55\"\nlogo = \"https://verdicts.example/logo.png\"\n\
                logo_width = 160\nlogo_height = 40\nheading_font = \"'Iowan Old Style', Georgia, serif\"\nradius = 0\n";
    let theme = load(&format!("{SITE}{text}"), &[]).unwrap().theme;
    assert_eq!(theme.light().accent.to_string(), "#ffcc00");
    assert_eq!(theme.dark().accent.to_string(), "#ffdd55");
    assert_eq!(theme.heading, "'Iowan Old Style', Georgia, serif");
    assert_eq!((theme.radius, theme.radius_small()), (0, 0));
    let logo = theme.logo.unwrap();
    assert_eq!((logo.width, logo.height, logo.alt.as_str()), (160, 40, "Verdicts"));
    for (key, value, words) in [
        ("accent", "\"#fc0\"", "six digits"),
        ("accent", "\"gold\"", "six digits"),
        ("accent_dark", "\"#12345g\"", "six digits"),
        ("radius", "25", "0 to 24"),
        ("heading_font", "\"Georgia; color: red\"", "names between commas"),
        ("body_font", "\"Arial</style>\"", "names between commas"),
        ("body_font", "\"Arial,,serif\"", "names between commas"),
        ("heading_font", "\"'Georgia\"", "names between commas"),
        ("logo", "\"http://verdicts.example/logo.png\"", "https"),
        ("logo", "\"https://verdicts.example/a.png' x='\"", "https"),
        ("logo", "\"https://verdicts.example/logo.png\"", "theme.logo_width"),
        ("logo_width", "5000", "16 to 320"),
        ("logo_height", "1", "16 to 120"),
        ("logo_alt", "\" \"", "is empty"),
    ] {
        let said = error(&format!("[theme]\n{key} = {value}\n"), &[]);
        assert!(said.contains(words) && said.contains(&format!("theme.{key}")), "{key} = {value}: {said}");
    }
}
