//! A connection to PostgreSQL that breaks or falls silent just when a transaction commits.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What happens to the next commit that comes by, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server never hears of it, and sees that the connection is gone.
    CutBefore,
    /// The server hears of it; its reply has nobody to go to.
    CutAfter,
    /// Nothing passes any more, on any connection, and nobody is told; the commit neither.
    SilentBefore,
    /// The same, but the commit is the last that passes.
    SilentAfter,
}

pub struct Proxy {
    pub port: u16,
    line: Arc<Line>,
}

struct Line {
    next: Mutex<Option<Fault>>,
    silent: watch::Sender<bool>,
}

/// Why forwarding ended: with both sides, or with the client's alone.
enum Cut {
    Both,
    Client(OwnedWriteHalf),
}

impl Proxy {
    /// Until the test's runtime ends.
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let line = Arc::new(Line { next: Mutex::new(None), silent: watch::Sender::new(false) });
        let shared = Arc::clone(&line);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, server, Arc::clone(&shared)));
            }
        });
        Self { port, line }
    }

    pub fn at_the_next_commit(&self, fault: Fault) {
        *self.line.next.lock().expect("sound") = Some(fault);
    }

    pub fn is_past(&self) -> bool {
        self.line.next.lock().expect("sound").is_none()
    }

    pub fn set_silent(&self, silent: bool) {
        self.line.silent.send_replace(silent);
    }
}

async fn connection(client: TcpStream, server: u16, line: Arc<Line>) {
    line.passes().await;
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    server.set_nodelay(true).and_then(|()| client.set_nodelay(true)).expect("set");
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let cut = tokio::select! {
        cut = questions(from_client, to_server, &line) => cut.unwrap_or(Cut::Both),
        _ = answers(&mut from_server, &mut to_client, &line) => Cut::Both,
    };
    drop(to_client);
    if let Cut::Client(_open) = cut {
        let _ = copy(&mut from_server, &mut sink()).await;
    }
}

async fn answers(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, line: &Line) -> io::Result<()> {
    let mut some = [0; 8192];
    loop {
        let count = from.read(&mut some).await?;
        if count == 0 {
            return Ok(());
        }
        line.passes().await;
        to.write_all(&some[..count]).await?;
    }
}

/// Forwards message by message, to know a commit when it comes.
async fn questions(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: &Line) -> io::Result<Cut> {
    // The first message has no letter.
    let start = message(&mut from).await?;
    to.write_all(&start).await?;
    let mut statement = Vec::new();
    let mut cut_after_this = None;
    loop {
        let letter = from.read_u8().await?;
        let message = message(&mut from).await?;
        let mut words = message[4..].split(|byte| *byte == 0);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if letter == b'P' && second == b"COMMIT" {
            statement = first.to_vec();
        }
        if letter == b'B' && second == statement && !statement.is_empty() {
            match line.take() {
                Some(Fault::CutBefore) => return Ok(Cut::Both),
                Some(Fault::SilentBefore) => drop(line.silent.send_replace(true)),
                after => cut_after_this = after,
            }
        }
        line.passes().await;
        to.write_u8(letter).await?;
        to.write_all(&message).await?;
        if letter == b'S' {
            match cut_after_this.take() {
                Some(Fault::CutAfter) => return Ok(Cut::Client(to)),
                Some(_) => drop(line.silent.send_replace(true)),
                None => {}
            }
        }
    }
}

/// Its length, which counts itself, and its body.
async fn message(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    message.resize(length as usize, 0);
    from.read_exact(&mut message[4..]).await?;
    Ok(message)
}

impl Line {
    fn take(&self) -> Option<Fault> {
        self.next.lock().expect("sound").take()
    }

    async fn passes(&self) {
        let _ = self.silent.subscribe().wait_for(|silent| !silent).await;
    }
}
