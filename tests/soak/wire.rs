//! A wire between the daemon and a peer, which may be cut.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It carries.
    Whole,
    /// Nobody is at its end: connections are dropped, those that stand as well.
    Gone,
    /// Connections are taken, and nothing is ever heard.
    Deaf,
    /// Every connection waits first.
    Slow,
    /// So many bytes of what the daemon says pass, then it is cut.
    Cut(usize),
}

pub struct Wire {
    pub port: u16,
    state: Arc<watch::Sender<State>>,
    task: tokio::task::JoinHandle<()>,
}

impl Wire {
    pub async fn to(peer: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(State::Whole));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let state = shared.subscribe();
                tokio::spawn(carry(tcp, peer, state));
            }
        });
        Self { port, state, task }
    }

    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut tcp: TcpStream, peer: u16, mut state: watch::Receiver<State>) {
    let now = *state.borrow_and_update();
    match now {
        State::Gone => return,
        State::Deaf => {
            // Held until the weather changes, then dropped.
            let _ = state.changed().await;
            return;
        }
        State::Slow => tokio::time::sleep(Duration::from_millis(400)).await,
        State::Whole | State::Cut(_) => {}
    }
    let Ok(mut other) = TcpStream::connect(("127.0.0.1", peer)).await else {
        return;
    };
    if let State::Cut(bytes) = now {
        let (mut from, mut to) = tcp.split();
        let (mut back, mut on) = other.split();
        let mut some = tokio::io::AsyncReadExt::take(&mut from, bytes as u64);
        tokio::select! {
            _ = tokio::io::copy(&mut some, &mut on) => {}
            _ = tokio::io::copy(&mut back, &mut to) => {}
        }
        let _ = other.shutdown().await;
        return;
    }
    let gone = async {
        while state.changed().await.is_ok() {
            if *state.borrow() == State::Gone {
                return;
            }
        }
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut tcp, &mut other) => {}
        () = gone => {}
    }
}
