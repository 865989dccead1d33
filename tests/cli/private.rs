//! What a command leaves on the disk is its owner's alone, whatever the umask; and what `serve` says of a taken port.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::house::House;

/// Everything under a folder that others than its owner may read or enter.
fn open_to_others(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::metadata(&path).unwrap();
        if meta.permissions().mode() & 0o077 != 0 {
            found.push(path.display().to_string());
        }
        if meta.is_dir() {
            open_to_others(&path, found);
        }
    }
}

/// The umask of this process, which its children get.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:")).expect("Linux tells the umask");
    u32::from_str_radix(line.trim(), 8).unwrap()
}

#[test]
fn what_holds_addresses_or_secrets_is_made_for_its_owner_alone() {
    assert_eq!(umask() & 0o044, 0, "under this umask the test shows nothing; run it under 022");
    let house = House::new("outbox:made/outbox", "");
    let settings = fs::read_to_string(house.path("verdicts.toml")).unwrap();
    let settings = settings.replace("sqlite:verdicts.db", "sqlite:made/db/verdicts.db");
    house.write("verdicts.toml", &settings.replace("\"verdicts.key\"", "\"made/verdicts.key\""));
    fs::create_dir(house.path("made")).unwrap();
    fs::rename(house.path("verdicts.key"), house.path("made/verdicts.key")).unwrap();
    house.furnish(3);
    house.must(&["send"]);
    house.must(&["key", "rotate"]);
    house.must(&["db", "backup", "made/copy.db"]);
    house.must(&["dkim", "generate", "--dir", "made/dkim", "--type", "ed25519"]);
    house.must(&["subscribers", "export", "--out", "made/list.csv"]);
    let bad = house.write("bad.csv", "email\nno address\n");
    // There before, and open to all.
    fs::set_permissions(house.write("made/report.csv", "old"), fs::Permissions::from_mode(0o644)).unwrap();
    house.run(&["subscribers", "import", bad.to_str().unwrap(), "--report", "made/report.csv"]);
    let serve = house.start_logged(&["worker"], "log");
    assert!(house.wait_for_line("log", "working", std::time::Duration::from_secs(20)));
    let mut found = Vec::new();
    open_to_others(&house.path("made"), &mut found);
    assert!(house.path("made/db/verdicts.db-wal").exists() && house.path("made/db/verdicts.db-shm").exists());
    drop(serve);
    assert!(found.is_empty(), "others can read {found:?}");
}

#[test]
fn check_names_files_of_before_that_others_can_read() {
    let house = House::new("outbox:outbox", "");
    house.furnish(1);
    house.must(&["send"]);
    fs::set_permissions(house.path("verdicts.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let said = house.must(&["check"]).out;
    assert!(!said.contains("others can read"), "{said}");
    for (name, mode, remedy) in [("verdicts.db", 0o644, "chmod 600"), ("outbox", 0o755, "chmod 700")] {
        fs::set_permissions(house.path(name), fs::Permissions::from_mode(mode)).unwrap();
        let said = house.must(&["check"]).out;
        let line = said.lines().find(|line| line.contains(remedy)).unwrap_or_else(|| panic!("{said}"));
        assert!(line.starts_with("warn") && line.ends_with(name), "{line}");
    }
}

#[test]
fn a_taken_port_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let house = House::new("outbox:outbox", &format!("[web]\nlisten = \"{address}\"\n"));
    house.furnish(1);
    let ran = house.run(&["--log", "error", "serve"]);
    let line = format!("verdicts: web.listen = \"{address}\" is in use; stop the other or choose a port\n");
    assert_eq!((ran.code, ran.err), (2, line));
    let ran = house.run(&["issue", "preview", "1", "--serve", "--listen", &address.to_string()]);
    let line = format!("verdicts: --listen {address} is in use; stop the other or choose a port\n");
    assert_eq!((ran.code, ran.err), (2, line));
}
