//! The pages of a house in the test's own process, without a worker: whatever changes in the database, a request did it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, Row as _};
use tokio::sync::watch;
use verdicts::app::App;
use verdicts::config::Settings;

use super::house::House;

pub struct Served {
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    /// Serves the house's pages on `address`, which its settings name as the one of every link.
    pub fn start(house: &House, address: SocketAddr) -> Self {
        Self::with(house, address, Vec::new())
    }

    /// As [`Served::start`], with more variables of the environment.
    pub fn with(house: &House, address: SocketAddr, mut variables: Vec<(String, String)>) -> Self {
        variables.push(("VERDICTS__SITE__BASE_URL".to_owned(), format!("http://{address}")));
        let settings = Settings::load(Some(&house.path("verdicts.toml")), variables.into_iter()).unwrap();
        let (stop, stopped) = watch::channel(false);
        let (ready, started) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(async move {
                let app = App::open(settings).await.unwrap();
                let web = Arc::new(app.web().unwrap());
                let listener = tokio::net::TcpListener::bind(address).await.unwrap();
                ready.send(()).unwrap();
                verdicts::web::serve(listener, web, stopped).await;
                app.store.close().await;
            });
        });
        started.recv().expect("the pages are served");
        Self { address, stop, thread: Some(thread) }
    }

    /// Sends these octets and reads what comes until the connection ends.
    pub fn say(&self, octets: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // A body over the limit may be answered, and the line cut, before all of it is sent or read.
        let _ = stream.write_all(octets);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Every row of every table, as text.
pub fn dump(house: &House) -> BTreeMap<String, Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("sqlite:{}", house.path("verdicts.db").display());
    runtime.block_on(async move {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
        let names = sqlx::query(names).fetch_all(&mut connection).await.unwrap();
        let mut tables = BTreeMap::new();
        for name in names {
            let name: String = name.get("name");
            let columns = sqlx::query("SELECT group_concat('quote(' || name || ')', '||''|''||') AS all_columns FROM pragma_table_info($1)");
            let columns = columns.bind(&name).fetch_one(&mut connection).await.unwrap();
            let columns: String = columns.get("all_columns");
            let text = sqlx::AssertSqlSafe(format!("SELECT {columns} AS line FROM {name}"));
            let rows = sqlx::query(text).fetch_all(&mut connection).await.unwrap();
            let mut lines: Vec<String> = rows.iter().map(|row| row.get("line")).collect();
            lines.sort();
            tables.insert(name, lines);
        }
        tables
    })
}
