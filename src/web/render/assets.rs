//! The few files that pages load, each under a name with the hash of its content: a browser may
//! keep it for good, and a new binary, or a new style of the operator's, has new names.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use tera::{Kwargs, State, Tera, TeraResult};

use crate::templates::File;

/// Octets of the hash in a name: beyond any accident, since nobody else chooses what is in the
/// files.
const HASH_OCTETS: usize = 6;
const KINDS: [(&str, &str); 3] =
    [("css", "text/css; charset=utf-8"), ("svg", "image/svg+xml"), ("js", "text/javascript; charset=utf-8")];

/// By the name under which a browser asks: `style.0123456789ab.css`.
pub struct Assets(BTreeMap<String, Asset>);

pub struct Asset {
    /// `style.css`.
    name: String,
    pub kind: &'static str,
    pub text: String,
}

impl Assets {
    /// Those among these files.
    pub fn of(files: &[File]) -> Self {
        let asset = |file: &File| {
            let (stem, end) = file.name.rsplit_once('.')?;
            let (_, kind) = KINDS.iter().find(|(own, _)| *own == end)?;
            let hash = Sha256::digest(file.text.as_bytes());
            let hash: String = hash[..HASH_OCTETS].iter().map(|octet| format!("{octet:02x}")).collect();
            let asset = Asset { name: file.name.clone(), kind, text: file.text.clone() };
            Some((format!("{stem}.{hash}.{end}"), asset))
        };
        Self(files.iter().filter_map(asset).collect())
    }

    pub fn find(&self, asked: &str) -> Option<&Asset> {
        self.0.get(asked)
    }

    /// Gives `tera` the function `asset(name="style.css")`: the path under which it is served.
    pub fn teach(&self, tera: &mut Tera) {
        let paths = self.0.iter().map(|(path, asset)| (asset.name.clone(), format!("/assets/{path}")));
        let paths: BTreeMap<String, String> = paths.collect();
        tera.register_function("asset", move |arguments: Kwargs, _: &State<'_>| -> TeraResult<String> {
            let name = arguments.must_get::<&str>("name")?;
            paths.get(name).cloned().ok_or_else(|| tera::Error::message(format!("there is no asset {name}")))
        });
    }
}
