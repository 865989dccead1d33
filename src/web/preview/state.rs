//! What the preview's pages are made from: one letter for each address, made once for each version
//! of the files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use tokio::sync::watch;

use super::host::Guests;
use super::source::{PreviewSource, Shown, Wanted};
use super::template::PreviewTemplate;

/// What the preview's handlers are given.
pub struct PreviewServer {
    pub source: Arc<dyn PreviewSource>,
    pub template: PreviewTemplate,
    pub guests: Guests,
    /// Changes with the watched files.
    pub version: watch::Receiver<String>,
    pub stop: watch::Receiver<bool>,
    /// What has been made of one version.
    pub made: Mutex<(String, BTreeMap<Wanted, Arc<Shown>>)>,
}

/// What an address may say; what it says wrongly is as if it said nothing.
#[derive(Deserialize, Clone, Default, Debug)]
pub struct PreviewQuery {
    pub show: Option<String>,
    pub reader: Option<String>,
    pub part: Option<String>,
    pub scheme: Option<String>,
    pub width: Option<String>,
    pub images: Option<String>,
}

impl PreviewServer {
    /// The letter for this address, made once for each version of the files.
    pub async fn shown(&self, asked: &PreviewQuery) -> Arc<Shown> {
        let show = asked.show.clone().unwrap_or_default();
        let menu = self.source.menu();
        let show =
            menu.iter().map(|choice| &choice.key).find(|key| **key == show).or(menu.first().map(|c| &c.key));
        let wanted = Wanted {
            show: show.cloned().unwrap_or_default(),
            reader: asked.reader.clone().unwrap_or_default(),
        };
        let version = self.version.borrow().clone();
        {
            let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if made.0 != version {
                *made = (version.clone(), BTreeMap::new());
            }
            if let Some(shown) = made.1.get(&wanted) {
                return shown.clone();
            }
        }
        let shown = Arc::new(self.source.show(&wanted).await);
        let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // An address may ask for readers without end; nobody looks at so many.
        if made.0 == version && made.1.len() < 64 {
            made.1.insert(wanted, shown.clone());
        }
        shown
    }
}
