//! A file of people on its way into the store, out again, and one person at a time.

use std::path::Path;

use verdicts::cli::subscribers::{SubscribersCommand, run};
use verdicts::cli::{CommandError, Exit};
use verdicts::domain::EmailAddress;
use verdicts::domain::subscriber::{Subscriber, SubscriberId, SubscriberStatus};
use verdicts::domain::token::{KEY_OCTETS, Keyring};
use verdicts::store::Store;

struct Desk {
    folder: tempfile::TempDir,
    store: Store,
    keyring: Keyring,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("v.db").display())).await.unwrap();
        let keyring = Keyring::parse(&Keyring::file_text(1, &[7; KEY_OCTETS])).unwrap();
        Self { folder, store, keyring }
    }

    async fn run(&self, command: SubscribersCommand) -> Result<Exit, CommandError> {
        run(command, &self.store, &self.keyring, false).await
    }

    async fn import(&self, name: &str, text: &str) -> Result<Exit, CommandError> {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let report = Some(self.folder.path().join("report.csv"));
        self.run(SubscribersCommand::Import { file, status: None, source: None, report, json: false }).await
    }

    async fn export(&self, name: &str) -> String {
        let out = self.folder.path().join(name);
        self.run(SubscribersCommand::Export { status: None, out: Some(out.clone()) }).await.unwrap();
        std::fs::read_to_string(out).unwrap()
    }

    async fn find(&self, email: &str) -> Option<Subscriber> {
        self.store.subscriber(&EmailAddress::parse(email).unwrap()).await.unwrap()
    }

    async fn counts(&self) -> (i64, i64, i64) {
        let counts = self.store.count_subscribers().await.unwrap();
        let of = |status| counts.get(status).copied().unwrap_or(0);
        (of("active"), of("unsubscribed"), self.store.count_suppressed().await.unwrap())
    }
}

#[tokio::test]
async fn good_rows_go_in_and_bad_ones_are_reported() {
    let desk = Desk::new().await;
    let text = "email,name,status,mood\n\
        ann@example.com,Ann,active,fine\n\
        no address,Bob,active,fine\n\
        ANN@example.com,Other,active,fine\n\
        ann@EXAMPLE.com,Again,active,fine\n\
        cleo@example.com,Cleo,unsubscribed,sad\n";
    assert_eq!(desk.import("people.csv", text).await.unwrap(), Exit::Incomplete);
    let ann = desk.find("ann@example.com").await.unwrap();
    assert_eq!((ann.name.as_deref(), ann.source.as_str()), (Some("Ann"), "import:people.csv"));
    // The local part is its host's to interpret, so ANN@ is somebody else; ann@EXAMPLE.com is not.
    assert_eq!(desk.counts().await, (2, 1, 1));
    let report = std::fs::read_to_string(desk.folder.path().join("report.csv")).unwrap();
    assert!(report.starts_with("line,field,reason\n3,email,") && report.lines().count() == 2, "{report}");
    assert!(!report.contains("no address"), "a bad row's text may be a person's: {report}");
}

#[tokio::test]
async fn the_same_file_twice_changes_nothing_and_nobody_who_left_comes_back() {
    let desk = Desk::new().await;
    let people: String = (0..2_500).map(|n| format!("r{n}@example.com,Reader {n}\n")).collect();
    let text = format!("email,name\n{people}");
    assert_eq!(desk.import("people.csv", &text).await.unwrap(), Exit::Done);
    assert_eq!(desk.counts().await, (2_500, 0, 0));

    let email = || "r7@example.com".to_owned();
    desk.run(SubscribersCommand::Unsubscribe { email: email() }).await.unwrap();
    desk.run(SubscribersCommand::Erase { email: "r8@example.com".to_owned(), yes: true }).await.unwrap();
    let before = desk.export("before.csv").await;
    assert_eq!(desk.import("people.csv", &text).await.unwrap(), Exit::Done);
    assert_eq!(desk.export("after.csv").await, before);
    assert_eq!(desk.find(&email()).await.unwrap().status, SubscriberStatus::Unsubscribed);
    assert!(desk.find("r8@example.com").await.is_none());
    assert_eq!(desk.counts().await, (2_498, 1, 2));
}

#[tokio::test]
async fn an_export_is_an_import_elsewhere_and_its_file_is_private() {
    let desk = Desk::new().await;
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("subscribers/example.csv"))
        .unwrap();
    assert_eq!(desk.import("example.csv", &text).await.unwrap(), Exit::Done);
    desk.import("more.csv", "email,name\nzoe@example.com,=HYPERLINK(1)\nxi@example.com,👩‍🚀 Xi\n")
        .await
        .unwrap();
    let exported = desk.export("out.csv").await;
    assert!(!desk.folder.path().join("out.csv.partial").exists());

    let other = Desk::new().await;
    assert_eq!(other.import("out.csv", &exported).await.unwrap(), Exit::Done);
    assert_eq!(other.export("out.csv").await, exported);
    assert_eq!(other.counts().await, desk.counts().await);
    assert_eq!(other.find("zoe@example.com").await.unwrap().name.as_deref(), Some("=HYPERLINK(1)"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(desk.folder.path().join("out.csv")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn one_person_is_added_shown_and_erased_only_with_yes() {
    let desk = Desk::new().await;
    let email = || "ann@example.com".to_owned();
    let add = || SubscribersCommand::Add {
        email: email(),
        name: Some("Ann\nLee".to_owned()),
        status: SubscriberStatus::Active,
    };
    desk.run(add()).await.unwrap();
    assert_eq!(desk.find(&email()).await.unwrap().name.as_deref(), Some("Ann Lee"));
    assert_eq!(desk.run(SubscribersCommand::Show { email: email(), json: true }).await.unwrap(), Exit::Done);

    let refused = desk.run(SubscribersCommand::Erase { email: email(), yes: false }).await.unwrap_err();
    assert!(matches!(&refused, CommandError::Usage(text) if text.contains("--yes")), "{refused}");
    assert!(desk.find(&email()).await.is_some());
    desk.run(SubscribersCommand::Erase { email: email(), yes: true }).await.unwrap();
    assert!(desk.find(&email()).await.is_none());
    assert!(desk.store.subscriber_by_id(SubscriberId(1)).await.unwrap().is_none());

    let suppressed = desk.run(add()).await.unwrap_err().to_string();
    assert!(suppressed.contains("suppressed"), "{suppressed}");
    let unknown = desk.run(SubscribersCommand::Unsubscribe { email: email() }).await.unwrap_err().to_string();
    assert!(unknown.contains("a***@e***.com"), "{unknown}");
}

#[tokio::test]
async fn a_file_that_is_absent_or_no_list_is_named() {
    let desk = Desk::new().await;
    let error = desk.import("bad.csv", "name\nAnn\n").await.unwrap_err().to_string();
    assert!(error.contains("bad.csv") && error.contains("email"), "{error}");
    let file = desk.folder.path().join("absent.csv");
    let import = SubscribersCommand::Import { file, status: None, source: None, report: None, json: false };
    assert!(desk.run(import).await.unwrap_err().to_string().contains("absent.csv"));
}
