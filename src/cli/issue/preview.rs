//! `verdicts issue preview --serve`: the letter as a page on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use crate::app::App;
use crate::app::preview::IssuePreview;
use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::cli::run::serve::unbindable;
use crate::cli::run::stop::stop_signal;
use crate::cli::terminal::say;
use crate::config::{FILE_NAME, Settings};
use crate::domain::issue::IssueNumber;
use crate::web::preview::{Guests, serve as serve_preview};

#[derive(Args)]
pub struct PreviewArgs {
    pub number: i64,
    /// The folder for letter.html, letter.txt and letter.eml
    #[arg(long, default_value = "preview", conflicts_with = "serve")]
    pub out: PathBuf,
    /// Show it as a page in HTML and text, light and dark, narrow and wide, that follows the
    /// templates as you save them
    #[arg(long)]
    pub serve: bool,
    /// Where the page is; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090", requires = "serve")]
    pub listen: SocketAddr,
    /// Let other machines see it as well: whoever reaches --listen reads the draft
    #[arg(long, requires = "serve")]
    pub public: bool,
    /// Comparison files to show as they are on disk [default: comparisons/ beside the settings, if
    /// it is there]
    #[arg(long, value_name = "PATH", requires = "serve")]
    pub comparisons: Vec<PathBuf>,
}

/// Serves until Ctrl-C. The operator's templates may be broken: that is what it shows then.
pub async fn serve(
    arguments: PreviewArgs,
    config: Option<&Path>,
    env: Vec<(String, String)>,
) -> CommandResult {
    let guests = guests(&arguments)?;
    let settings = Settings::load(config, env.clone().into_iter())?;
    let number = IssueNumber(arguments.number);
    let config = config.unwrap_or(Path::new(FILE_NAME)).to_owned();
    let comparisons = match arguments.comparisons {
        own if !own.is_empty() => own,
        _ => Some(settings.folder.join("comparisons")).filter(|folder| folder.is_dir()).into_iter().collect(),
    };
    let reread = {
        let (config, env) = (config.clone(), env);
        // Without a file the environment spoke for it.
        move || {
            let file = config.exists().then_some(config.as_path());
            Settings::load(file, env.clone().into_iter()).map_err(|error| error.to_string())
        }
    };
    let app = Arc::new(App::open_with_built_in(settings).await?);
    let preview = IssuePreview::open(app.clone(), Box::new(reread), config, number, comparisons).await?;
    let outcome = match preview {
        Some(preview) => run(preview, arguments.listen, guests).await,
        None => Err(CommandError::no_issue(number)),
    };
    app.store.close().await;
    outcome
}

async fn run(preview: IssuePreview, listen: SocketAddr, guests: Guests) -> CommandResult {
    let listener =
        TcpListener::bind(listen).await.map_err(|error| unbindable(&format!("--listen {listen}"), &error))?;
    say(format!("http://{}/ shows it until you press Ctrl-C", listener.local_addr()?));
    serve_preview(listener, Arc::new(preview), guests, stop_signal()).await?;
    Ok(Exit::Done)
}

fn guests(arguments: &PreviewArgs) -> Result<Guests, CommandError> {
    let listen = arguments.listen;
    if listen.ip().is_loopback() {
        return Ok(Guests::Loopback);
    }
    if !arguments.public {
        return Err(CommandError::Usage(format!(
            "--listen {listen} is no address of this machine alone (127.0.0.1, [::1]): others would read the draft; add --public if they may"
        )));
    }
    eprintln!("warning: whoever reaches {listen} reads the draft; there is no password");
    Ok(Guests::Anybody)
}
