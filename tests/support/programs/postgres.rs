//! A private Postgres server for one test binary, gone with it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, Connection as _};

struct Server {
    base: String,
}

static SERVER: OnceLock<Server> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(1);

/// The URL of a new, empty database.
pub async fn fresh_database() -> String {
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(start)).await.expect("the server starts");
    let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    sqlx::any::install_default_drivers();
    let mut connection = connect(&format!("{}/postgres", server.base)).await;
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(create).execute(&mut connection).await.expect("CREATE DATABASE works");
    connection.close().await.expect("the connection closes");
    format!("{}/{name}", server.base)
}

async fn connect(url: &str) -> AnyConnection {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match AnyConnection::connect(url).await {
            Ok(connection) => return connection,
            Err(error) if Instant::now() > until => panic!("the test's Postgres does not answer: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn start() -> Server {
    let bin = newest_bin();
    sweep(&std::env::temp_dir());
    let folder = tempfile::Builder::new().prefix("verdicts-pg-").tempdir().expect("a folder").keep();
    let data = folder.join("data");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(&folder));
    }
    run(as_postgres(&bin.join("initdb"))
        .args(["--auth=trust", "--username=verdicts", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"])
        .arg(&data));
    let mut server = as_postgres(&bin.join("postgres"));
    server
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(&folder)
        .args(["-p", &port.to_string()])
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "synchronous_commit=off"])
        .args(["-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB"])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("log")).expect("a log file"))
        .stdin(Stdio::null());
    // The death signal belongs to the *thread* that starts the child, and a test's threads end with the test.
    std::thread::spawn(move || {
        let child = server.spawn();
        child.expect("postgres starts").wait()
    });
    Server { base: format!("postgres://verdicts@127.0.0.1:{port}") }
}

/// A static is never dropped, so a run can't remove its own folder: it removes those of servers that are gone.
fn sweep(temp: &Path) {
    for entry in std::fs::read_dir(temp).into_iter().flatten().flatten() {
        let pid = std::fs::read_to_string(entry.path().join("data/postmaster.pid")).unwrap_or_default();
        let pid = pid.lines().next().unwrap_or("").trim();
        // While initdb works, the process in its file comes and goes: a young folder is somebody's who is starting.
        let old = entry
            .metadata()
            .and_then(|meta| meta.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_secs(600)));
        let ours = old && entry.file_name().to_string_lossy().starts_with("verdicts-pg-");
        if ours && !pid.is_empty() && !Path::new("/proc").join(pid).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Postgres refuses to run as root; and whatever starts it here dies with the thread's process.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    // As another user the signal has to be set after the change, or the kernel clears it.
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        command.args(["setpriv"]);
    }
    command.args(["--pdeathsig", "KILL"]).arg(program).current_dir("/");
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"))
}

fn run(command: &mut Command) {
    let out = command.stdin(Stdio::null()).output().expect("the program runs");
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn newest_bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .max_by_key(|bin| {
            let version = bin.parent().and_then(|p| p.file_name()).and_then(|n| n.to_str());
            version.and_then(|v| v.parse::<u32>().ok())
        })
        .expect("these tests need a Postgres server: apt-get install postgresql")
}
