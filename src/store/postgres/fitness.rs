//! Whether the server would keep what it acknowledges, asked of every connection that writes.

use super::dialect::Connection;
use crate::store::OpenError;

/// The oldest version this is tried with, as PostgreSQL counts.
const OLDEST: i32 = 140_000;

const ASK: &str = "SELECT current_setting('server_version_num')::int, current_setting('server_version'),
    current_setting('server_encoding'), pg_is_in_recovery(), current_setting('fsync'),
    current_setting('full_page_writes'), current_setting('synchronous_commit')";

/// What the server is, and how it keeps what is committed on this connection.
#[derive(sqlx::FromRow)]
struct Server(i32, String, String, bool, String, String, String);

/// Nothing is set right silently: who runs the database must know.
pub(super) async fn refuse_unless_fit(connection: &mut Connection) -> Result<(), OpenError> {
    let server: Server = sqlx::query_as(ASK).fetch_one(&mut *connection).await?;
    server.fits()?;
    // What is so now stays so on this connection, whatever the server is told later.
    sqlx::query("SELECT set_config('synchronous_commit', $1, false)").bind(server.6).execute(connection).await?;
    Ok(())
}

impl Server {
    fn fits(&self) -> Result<(), OpenError> {
        let Self(number, version, encoding, is_standby, fsync, full_page_writes, synchronous_commit) = self;
        let unfit = |setting, value: &str| Err(OpenError::Unfit { setting, value: value.to_owned() });
        let fleeting = |setting, value: &str| Err(OpenError::NotDurable { setting, value: value.to_owned() });
        match () {
            () if *number < OLDEST => unfit("server_version", version),
            () if encoding != "UTF8" => unfit("server_encoding", encoding),
            () if *is_standby => unfit("pg_is_in_recovery", "true"),
            () if fsync != "on" => fleeting("fsync", fsync),
            () if full_page_writes != "on" => fleeting("full_page_writes", full_page_writes),
            () if synchronous_commit == "off" => fleeting("synchronous_commit", synchronous_commit),
            () => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_an_old_version_is_refused() {
        let text = str::to_owned;
        let server = |number, version| {
            Server(number, text(version), text("UTF8"), false, text("on"), text("on"), text("remote_apply"))
        };
        assert!(server(150_018, "15.18").fits().is_ok());
        let refused = server(130_014, "13.14").fits().expect_err("too old").to_string();
        assert_eq!(refused, "the database server cannot be used: `server_version` is `13.14`");
    }
}
