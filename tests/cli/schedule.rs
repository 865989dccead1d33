//! The schedule with the real store: one issue per slot, whoever asks; too late and too quiet are written down.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use verdicts::app::App;
use verdicts::config::Settings;
use verdicts::domain::UnixMillis;
use verdicts::publish::Started;
use verdicts::worker::{Scheduled, Ticked, Worker};

use crate::support::house::{self, House, outbox};

const SCHEDULE: &str =
    "[schedule]\ncron = \"0 0 9 * * Tue\"\ntimezone = \"America/New_York\"\ncatch_up = \"12h\"\n";

/// Tuesday 17 November 2026, 09:00 in New York.
fn slot() -> DateTime<Utc> {
    "2026-11-17T14:00:00Z".parse().unwrap()
}

fn at(moment: DateTime<Utc>) -> UnixMillis {
    UnixMillis::from_utc(moment)
}

struct Week {
    house: House,
    app: App,
}

impl Week {
    /// A house with one reader and, if asked, a comparison from the day before the slot; first looked at two days before.
    async fn new(comparison: bool) -> Self {
        let house = House::new("outbox:outbox", SCHEDULE);
        if comparison {
            let text = house::comparison("lead", slot() - TimeDelta::days(1));
            let file = house.write("lead.json", &text);
            house.must(&["comparisons", "import", file.to_str().unwrap()]);
        }
        let file = house.write("readers.csv", "email\nann@example.com\n");
        house.must(&["subscribers", "import", file.to_str().unwrap()]);
        let settings = Settings::load(Some(&house.path("verdicts.toml")), std::iter::empty()).unwrap();
        let week = Self { app: App::open(settings).await.unwrap(), house };
        let first = week.tick(slot() - TimeDelta::days(2)).await;
        assert_eq!(first, Scheduled::NothingDue, "slots before the first look are not owed");
        week
    }

    fn worker(&self) -> Worker {
        // The channel's other end is gone, so a worker of this test would stop at once; ticks are called by hand.
        self.app.worker(tokio::sync::watch::channel(false).1).unwrap()
    }

    async fn tick(&self, now: DateTime<Utc>) -> Scheduled {
        self.worker().scheduler.tick(at(now)).await.unwrap()
    }
}

/// P1: a slot makes one issue.
#[tokio::test]
async fn a_slot_makes_one_issue_when_it_is_due() {
    let week = Week::new(true).await;
    assert_eq!(week.tick(slot() - TimeDelta::seconds(1)).await, Scheduled::NothingDue);
    let Scheduled::Ran(Started::Running { number, audience, .. }) = week.tick(slot()).await else {
        panic!("the slot is due")
    };
    assert_eq!((number.0, audience), (1, 1));
    assert_eq!(week.tick(slot() + TimeDelta::hours(1)).await, Scheduled::NothingDue, "a slot comes once");
    let issue = week.app.store.issue(number).await.unwrap().unwrap();
    assert_eq!(issue.slot.as_deref(), Some("2026-11-17T09:00:00 America/New_York"));
    drop(week.house);
}

/// P1: one issue of a slot, whoever looks at the same moment.
#[tokio::test]
async fn twenty_workers_make_one_issue() {
    let week = Week::new(true).await;
    let workers: Vec<_> = (0..20).map(|_| week.worker()).collect();
    let mut ticks = tokio::task::JoinSet::new();
    for worker in workers {
        ticks.spawn(async move { worker.scheduler.tick(at(slot())).await.unwrap() });
    }
    let ran = ticks.join_all().await.into_iter().filter(|t| matches!(t, Scheduled::Ran(_))).count();
    assert_eq!(ran, 1);
    assert_eq!(week.app.store.issues(10).await.unwrap().len(), 1);
}

/// P8: later than `catch_up` is skipped, once; the reason names the slot and the setting.
#[tokio::test]
async fn a_slot_that_is_too_late_is_skipped_and_said_so() {
    let week = Week::new(true).await;
    let late = slot() + TimeDelta::hours(12) + TimeDelta::seconds(1);
    let Scheduled::Skipped(reason) = week.tick(late).await else { panic!("it is over catch_up") };
    assert!(reason.contains("2026-11-17T09:00:00") && reason.contains("catch_up"), "{reason}");
    assert_eq!(week.tick(late).await, Scheduled::NothingDue, "it is skipped once");
    assert!(week.app.store.issues(10).await.unwrap().is_empty(), "and never sent stale");
}

/// P8 with the real binary, which looks at the real clock: whoever runs `serve` reads in its log what was skipped and why.
#[tokio::test(flavor = "multi_thread")]
async fn serve_says_in_its_log_that_a_slot_was_too_late() {
    // Daily, so that the newest slot is three to four hours ago, whatever day it is.
    let now = Utc::now();
    let hour = (now - TimeDelta::hours(3)).hour();
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let schedule = format!(
        "[schedule]\ncron = \"0 0 {hour} * * *\"\ntimezone = \"UTC\"\ncatch_up = \"1h\"\n\
         [web]\nlisten = \"{address}\"\n"
    );
    let house = House::new("outbox:outbox", &schedule);
    house.furnish(1);
    let settings = Settings::load(Some(&house.path("verdicts.toml")), std::iter::empty()).unwrap();
    let app = App::open(settings).await.unwrap();
    let worker = app.worker(tokio::sync::watch::channel(false).1).unwrap();
    // The worker that knew of the schedule before, and was down since.
    assert_eq!(worker.scheduler.tick(at(now - TimeDelta::hours(12))).await.unwrap(), Scheduled::NothingDue);
    drop((worker, app));

    let _serving = house.start_logged(&["serve"], "serve.log");
    assert!(
        house.wait_for_line("serve.log", "a scheduled slot passes without a letter", Duration::from_secs(30)),
        "{}",
        std::fs::read_to_string(house.path("serve.log")).unwrap()
    );
    let log = std::fs::read_to_string(house.path("serve.log")).unwrap();
    let line = log.lines().find(|line| line.contains("a scheduled slot passes")).unwrap();
    let slot = format!("{}T{hour:02}:00:00", (now - TimeDelta::hours(3)).format("%Y-%m-%d"));
    assert!(line.contains(&slot) && line.contains("schedule.catch_up"), "{line}");
    assert!(outbox(&house.path("outbox")).is_empty(), "and nothing stale is sent");
}

/// P8, its other side: within `catch_up` a slot is not skipped.
#[tokio::test]
async fn a_worker_that_was_down_catches_up_within_the_limit() {
    let week = Week::new(true).await;
    assert!(matches!(week.tick(slot() + TimeDelta::hours(11)).await, Scheduled::Ran(_)));
}

#[tokio::test]
async fn a_quiet_week_passes_without_a_letter() {
    let week = Week::new(false).await;
    let Scheduled::Skipped(reason) = week.tick(slot()).await else { panic!("nothing is new") };
    assert!(reason.contains("quiet"), "{reason}");
    assert_eq!(week.tick(slot()).await, Scheduled::NothingDue);
}

/// P1: one issue of a slot, wherever the clock goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_makes_no_second_issue_of_a_slot() {
    let week = Week::new(true).await;
    assert!(matches!(week.tick(slot()).await, Scheduled::Ran(Started::Running { .. })));
    for moment in [
        slot() - TimeDelta::hours(1),
        slot() - TimeDelta::days(1),
        slot(),
        slot() + TimeDelta::days(1),
        slot() - TimeDelta::hours(1),
        slot() + TimeDelta::hours(1),
    ] {
        assert_eq!(week.tick(moment).await, Scheduled::NothingDue, "at {moment}");
    }
    let mut deliverer = week.worker().deliverer;
    let early = deliverer.tick(&(), at(slot() - TimeDelta::hours(1))).await.unwrap();
    assert_eq!(early, Ticked::Idle);
    deliverer.tick(&(), at(slot() + TimeDelta::days(1))).await.unwrap();
    assert_eq!(week.house.must(&["issue", "list", "--json"]).out.matches("\"number\"").count(), 1);
    assert_eq!(week.house.status()["sent"], 1, "and its letter is not lost");
}
