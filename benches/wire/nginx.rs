//! nginx as the limit: one file, served by what serves files best.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// nginx with a configuration of its own, serving one file.
pub struct Nginx {
    pub address: SocketAddr,
    master: Child,
}

impl Nginx {
    /// Serves `page` as `/compare/lead` on `address`; its files go into `folder`.
    pub fn start(address: SocketAddr, folder: &Path, page: &[u8]) -> Self {
        let folder = folder.join("nginx");
        fs::create_dir_all(folder.join("compare")).unwrap();
        fs::write(folder.join("compare/lead"), page).unwrap();
        let mut configuration = String::new();
        write!(
            configuration,
            "daemon off; worker_processes 2; pid {0}/pid; error_log {0}/error.log;\n{1}\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=100;\n\
             default_type text/html;\n\
             client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; fastcgi_temp_path {0}/t3; uwsgi_temp_path {0}/t4; \
             scgi_temp_path {0}/t5;\n\
             server {{ listen {address}; root {0}; }} }}\n",
            folder.display(),
            // A worker of root's would be nobody, who may not look into our folder.
            if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
                "user root;\n"
            } else {
                ""
            },
        )
        .unwrap();
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let nginx = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let master = Command::new(nginx)
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is missing; apt-get install nginx-light");
        Self { address, master }
    }

    /// The master and its workers.
    pub fn processes(&self) -> Vec<u32> {
        let id = self.master.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|child| child.parse().ok()).chain([id]).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master takes its workers along when it is asked to, and not when it is killed.
        let _ = Command::new("kill").arg(self.master.id().to_string()).status();
        let _ = self.master.wait();
    }
}
