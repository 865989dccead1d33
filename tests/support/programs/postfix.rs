//! A real Postfix on a loopback port with a queue, a spool and a Maildir of its own, all in a temporary folder.
//!
//! It takes mail for `example.com` and `example.org` and delivers every letter into one Maildir that the test reads
//! back. Nothing of the machine's own Postfix is touched, and nothing leaves the machine.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub struct Postfix {
    folder: tempfile::TempDir,
    pub address: SocketAddr,
    master: std::process::Child,
}

impl Postfix {
    /// Starts Postfix. Needs root, as Postfix itself does.
    ///
    /// # Panics
    /// If Postfix is not installed or does not answer: a missing server is a failure, never a skip.
    pub fn start() -> Self {
        let daemons = Path::new("/usr/lib/postfix/sbin");
        assert!(
            daemons.join("master").exists(),
            "Postfix is missing: apt-get install --no-install-recommends postfix"
        );
        let folder =
            tempfile::Builder::new().prefix("verdicts-postfix-").tempdir().expect("a temporary folder");
        let root = folder.path().to_owned();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        let address = free_address();
        let (postfix_uid, nobody) = (id_of("postfix"), id_of("nobody"));
        make_folders(&root, postfix_uid, nobody);
        write_config(&root, daemons, address, nobody);
        let master = Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .arg(daemons.join("master"))
            .args(["-c", root.join("etc").to_str().unwrap(), "-d"])
            .env("MAIL_CONFIG", root.join("etc"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Postfix's master starts (setpriv is in util-linux)");
        let postfix = Self { folder, address, master };
        postfix.wait_until_it_answers();
        postfix
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The letters that have arrived, whole.
    pub fn letters(&self) -> Vec<Vec<u8>> {
        let folder = self.maildir().join("new");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        entries.filter_map(|entry| fs::read(entry.ok()?.path()).ok()).collect()
    }

    /// Waits until `count` letters have arrived: Postfix delivers after it has said 250.
    pub fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let start = Instant::now();
        loop {
            let arrived = fs::read_dir(self.maildir().join("new")).map_or(0, Iterator::count);
            if arrived >= count || start.elapsed() > Duration::from_secs(120) {
                return self.letters();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail/everybody")
    }

    fn wait_until_it_answers(&self) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if let Ok(mut stream) = TcpStream::connect(self.address) {
                use std::io::Read as _;
                let mut greeting = [0; 4];
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                if stream.read_exact(&mut greeting).is_ok() && &greeting == b"220 " {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.path().join("log/postfix.log")).unwrap_or_default();
        panic!("Postfix does not answer on {}; its log says: {log}", self.address);
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.master.id().to_string()]).status();
        let _ = self.master.wait();
    }
}

fn make_folders(root: &Path, postfix: u32, nobody: u32) {
    for name in [
        "etc",
        "log",
        "data",
        "mail",
        "spool",
        "spool/active",
        "spool/bounce",
        "spool/corrupt",
        "spool/defer",
        "spool/deferred",
        "spool/flush",
        "spool/hold",
        "spool/incoming",
        "spool/pid",
        "spool/private",
        "spool/public",
        "spool/saved",
        "spool/trace",
        "spool/maildrop",
    ] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in [
        "data",
        "spool/active",
        "spool/bounce",
        "spool/corrupt",
        "spool/defer",
        "spool/deferred",
        "spool/flush",
        "spool/hold",
        "spool/incoming",
        "spool/private",
        "spool/public",
        "spool/saved",
        "spool/trace",
        "spool/maildrop",
    ] {
        chown(root.join(name), Some(postfix), None).unwrap();
    }
    chown(root.join("mail"), Some(nobody), None).unwrap();
}

fn write_config(root: &Path, daemons: &Path, address: SocketAddr, nobody: u32) {
    let at = |name: &str| root.join(name).display().to_string();
    let main = format!(
        "compatibility_level = 3.6\n\
         queue_directory = {}\ndata_directory = {}\ndaemon_directory = {}\ncommand_directory = /usr/sbin\n\
         mail_owner = postfix\nsetgid_group = postdrop\nmyhostname = relay.test\nmydestination =\nmynetworks = 127.0.0.0/8\n\
         inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nalias_maps =\nlocal_recipient_maps =\n\
         virtual_mailbox_domains = example.com, example.org\nvirtual_mailbox_base = {}\n\
         virtual_mailbox_maps = static:everybody/\nvirtual_uid_maps = static:{nobody}\nvirtual_gid_maps = static:{nobody}\n\
         virtual_minimum_uid = 1\ndefault_transport = error:nothing leaves this machine\nrelay_transport = error\n\
         virtual_destination_recipient_limit = 1\nvirtual_destination_concurrency_limit = 20\n\
         maillog_file = {}\nmaillog_file_prefixes = {}\nsmtputf8_enable = no\n\
         smtpd_client_connection_count_limit = 0\nsmtpd_peername_lookup = no\nin_flow_delay = 0\n",
        at("spool"),
        at("data"),
        daemons.display(),
        at("mail"),
        at("log/postfix.log"),
        at("log"),
    );
    let master = format!(
        "{address} inet n - n - 30 smtpd\n\
         pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
         rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
         trace unix - - n - 0 bounce\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\n\
         error unix - - n - - error\nretry unix - - n - - error\nvirtual unix - n n - - virtual\n\
         anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 postlogd\n",
    );
    fs::write(root.join("etc/main.cf"), main).unwrap();
    fs::write(root.join("etc/master.cf"), master).unwrap();
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn id_of(user: &str) -> u32 {
    let answer = Command::new("id").args(["-u", user]).output().expect("id");
    String::from_utf8_lossy(&answer.stdout)
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("there is no user {user}"))
}
