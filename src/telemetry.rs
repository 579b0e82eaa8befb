//! What the process says of itself: lines on standard error, never a name, a title or a body.

use tracing_subscriber::{EnvFilter, fmt};

/// Lines at the level of `RUST_LOG`, else `info`. What a stranger's head has wrong is no error of ours, so the server's own
/// lines about it are left out.
pub fn start() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,actix_server=warn,actix_http=off"));
    // A second start in one process (tests) keeps the first.
    let _already = fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
