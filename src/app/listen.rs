//! Takes connections and serves them, within bounds: how many, how long a request's head may take,
//! how large it may be. A client that says nothing, or a letter a minute, holds its place only so
//! long, and no address holds all places.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::in_force::InForce;
use crate::life::Stop;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Connections at a time.
    pub most: usize,
    /// Of one address. A proxy on this machine has no bound but `most`.
    pub most_of_one: usize,
    /// Longest wait for the head of a request, the next one on an open connection included.
    pub head: Duration,
    /// The same for a proxy on this machine, which keeps connections for later and would be
    /// surprised to find one closed.
    pub head_of_proxy: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            most: 4096,
            most_of_one: 256,
            head: Duration::from_secs(20),
            head_of_proxy: Duration::from_secs(90),
        }
    }
}

/// Largest head of a request: address and headers.
const LARGEST_HEAD: usize = 32 * 1024;
/// Headers of a request.
const MOST_HEADERS: usize = 64;

/// Serves pages until asked to stop, each request by the routes of its moment; ready when every connection has ended, at the latest when
/// stopping is insisted on.
pub(crate) async fn pages(
    mut listener: TcpListener,
    router: InForce<Router>,
    bounds: Bounds,
    stop: Stop,
) {
    let tasks = TaskTracker::new();
    let room = Arc::new(Semaphore::new(bounds.most));
    let addresses = Addresses::default();
    loop {
        let taken = tokio::select! {
            () = stop.soft.cancelled() => break,
            taken = next(&mut listener, &room) => taken,
        };
        let Some((stream, peer, place)) = taken else {
            break;
        };
        let of_proxy = peer.ip().is_loopback();
        let seat = match of_proxy {
            true => None,
            // One too many is closed at once: it costs nothing, and the others are not held up.
            false => match addresses.sit(peer.ip(), bounds.most_of_one) {
                Some(seat) => Some(seat),
                None => continue,
            },
        };
        let head = if of_proxy {
            bounds.head_of_proxy
        } else {
            bounds.head
        };
        let (router, stop) = (router.clone(), stop.clone());
        tasks.spawn(async move {
            let info = ConnectInfo(peer);
            serve(TokioIo::new(stream), router, Some(info), head, &stop).await;
            drop((place, seat));
        });
    }
    tasks.close();
    tasks.wait().await;
}

/// The same for the commands; the file's permissions say who may come.
pub(crate) async fn commands(mut listener: UnixListener, router: InForce<Router>, stop: Stop) {
    let tasks = TaskTracker::new();
    loop {
        let (stream, _): (UnixStream, _) = tokio::select! {
            () = stop.soft.cancelled() => break,
            taken = Listener::accept(&mut listener) => taken,
        };
        let (router, stop) = (router.clone(), stop.clone());
        tasks.spawn(async move {
            let head = Bounds::default().head_of_proxy;
            serve(TokioIo::new(stream), router, None, head, &stop).await;
        });
    }
    tasks.close();
    tasks.wait().await;
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, when there is room for one.
async fn next(
    listener: &mut TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    // Waits out what is wrong for a moment, such as too many open files.
    let (stream, peer) = Listener::accept(listener).await;
    Some((stream, peer, place))
}

async fn serve<S>(
    io: TokioIo<S>,
    router: InForce<Router>,
    info: Option<ConnectInfo<SocketAddr>>,
    head: Duration,
    stop: &Stop,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        if let Some(info) = info {
            request.extensions_mut().insert(info);
        }
        Router::clone(&router.now()).oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS);
    let mut connection = std::pin::pin!(http.serve_connection(io, service));
    // How a connection ends is the peer's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.soft.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = stop.hard.cancelled() => {}
    }
}

/// How many connections each address has.
#[derive(Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them, given back when it ends.
struct Seat {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    fn sit(&self, address: IpAddr, most: usize) -> Option<Seat> {
        let mut taken = self.lock();
        let count = taken.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat {
            addresses: self.clone(),
            address,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.addresses.lock();
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn serving(bounds: Bounds) -> (SocketAddr, Stop, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::default();
        let router = InForce::new(Router::new().fallback(async || "fine"));
        let served = tokio::spawn(pages(listener, router, bounds, stop.clone()));
        (address, stop, served)
    }

    #[tokio::test]
    async fn who_says_a_letter_now_and_then_is_let_go_and_the_next_gets_the_place() {
        let bounds = Bounds {
            most: 1,
            head_of_proxy: Duration::from_millis(200),
            ..Bounds::default()
        };
        let (address, stop, served) = serving(bounds).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HT").await.unwrap();
        let mut next = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        next.write_all(request).await.unwrap();
        let mut answer = String::new();
        next.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("fine"), "{answer}");
        let mut rest = Vec::new();
        let _ = slow.read_to_end(&mut rest).await;
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
        stop.soft.cancel();
        served.await.unwrap();
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_refused() {
        let (address, stop, served) = serving(Bounds::default()).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
            "a".repeat(64 * 1024)
        );
        let _ = client.write_all(head.as_bytes()).await;
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 431");
        drop(client);
        stop.hard.cancel();
        stop.soft.cancel();
        served.await.unwrap();
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let addresses = Addresses::default();
        let address = "192.0.2.7".parse().unwrap();
        let seats: Vec<_> = (0..3).map_while(|_| addresses.sit(address, 3)).collect();
        assert_eq!(seats.len(), 3);
        assert!(addresses.sit(address, 3).is_none());
        assert!(addresses.sit("192.0.2.8".parse().unwrap(), 3).is_some());
        drop(seats);
        assert!(addresses.lock().is_empty());
    }
}
