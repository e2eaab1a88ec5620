//! A TCP proxy before a broker: it cuts connections so that answers get lost, or lets little through.
//!
//! It causes faults of the network, not of a broker. A client keeps using the proxy if the broker advertises the
//! proxy's port, see `KafkaOptions::advertised`.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::super::capture::seed::SeededRandom;

/// How often the proxy looks for new connections and for its end.
const TICK: Duration = Duration::from_millis(5);

/// How much is passed on at a time: a throttle is smooth, and a cut is in the middle of something.
const PIECE: usize = 8 << 10;

/// What happens to connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkFault {
    /// A connection ends after the client has sent a random number of bytes of this range.
    pub(crate) cut_after: Option<Range<u64>>,
    /// This many connections are cut, and no more.
    pub(crate) cuts: u64,
    /// Bytes a second that all clients together get through to the broker.
    pub(crate) rate: Option<u64>,
    /// Clients believe that the broker knows Produce requests up to this version only.
    pub(crate) newest_produce: Option<u8>,
}

/// A running proxy; dropping it ends it and all connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    inner: Arc<Inner>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    fault: NetworkFault,
    /// The broker; connections wait until there is one.
    target: Mutex<Option<SocketAddr>>,
    random: Mutex<SeededRandom>,
    /// One wait at a time: the throttle is the whole network's.
    network: Mutex<()>,
    cut: AtomicU64,
    lost_answers: AtomicU64,
    ending: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Takes a free port and begins to listen; the broker is set later, because it must know the port first.
    pub(crate) fn bind(fault: NetworkFault, random: SeededRandom) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let inner = Arc::new(Inner {
            fault,
            target: Mutex::default(),
            random: Mutex::new(random),
            network: Mutex::default(),
            cut: AtomicU64::new(0),
            lost_answers: AtomicU64::new(0),
            ending: AtomicBool::new(false),
            streams: Mutex::default(),
        });
        let accepting = thread::spawn({
            let inner = Arc::clone(&inner);
            move || inner.accept(&listener)
        });
        Ok(Self {
            port,
            inner,
            accepting: Some(accepting),
        })
    }

    /// Sets the broker, as `127.0.0.1:PORT`.
    ///
    /// # Panics
    /// Panics if that is not an address.
    pub(crate) fn forward_to(&self, broker: &str) {
        let address = broker.parse().expect("a broker's address");
        *lock(&self.inner.target) = Some(address);
    }

    /// The port that clients connect to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The bootstrap servers for clients, as `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.inner.cut.load(Ordering::SeqCst)
    }

    /// How many of the cuts swallowed an answer of the broker to what it had received.
    pub(crate) fn lost_answers(&self) -> u64 {
        self.inner.lost_answers.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.inner.ending.store(true, Ordering::SeqCst);
        if let Some(accepting) = self.accepting.take() {
            // A panic there has been printed by the panic itself.
            accepting.join().ok();
        }
        for stream in lock(&self.inner.streams).drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection of a client and what is left until its cut.
struct ProxiedConnection {
    client: TcpStream,
    broker: TcpStream,
    /// Bytes that the client may still send; far from 0 if no further cut is due.
    left: AtomicI64,
    how: Cut,
}

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The broker has received everything; its next answer is swallowed.
    Answer,
    /// In the middle of what the client sends.
    Request,
}

impl ProxiedConnection {
    fn end(&self) {
        // The other side was faster and has ended it, which is not an error.
        self.client.shutdown(Shutdown::Both).ok();
        self.broker.shutdown(Shutdown::Both).ok();
    }
}

impl Inner {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while !self.ending.load(Ordering::SeqCst) {
            match listener.accept() {
                Ok((client, _)) => {
                    // A broker that is down closes the client's connection too.
                    self.connect(client).ok();
                }
                Err(_) => thread::sleep(TICK),
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let target = (*lock(&self.target)).ok_or(io::ErrorKind::NotConnected)?;
        let broker = TcpStream::connect(target)?;
        client.set_nonblocking(false)?;
        client.set_nodelay(true)?;
        broker.set_nodelay(true)?;
        lock(&self.streams).extend([client.try_clone()?, broker.try_clone()?]);
        let (left, how) = self.plan();
        let line = Arc::new(ProxiedConnection {
            client,
            broker,
            left: AtomicI64::new(left),
            how,
        });
        let requests = (Arc::clone(self), Arc::clone(&line));
        thread::spawn(move || {
            requests.0.pass_requests(&requests.1).ok();
            requests.1.end();
        });
        let answers = Arc::clone(self);
        thread::spawn(move || {
            answers.pass_answers(&line).ok();
            line.end();
        });
        Ok(())
    }

    /// When a new connection is cut, and where: mostly so that an answer is lost.
    fn plan(&self) -> (i64, Cut) {
        let Some(range) = &self.fault.cut_after else {
            return (i64::MAX, Cut::Answer);
        };
        let mut random = lock(&self.random);
        let bytes = random.number(range.clone()).cast_signed();
        let how = match random.number(0..4) {
            0 => Cut::Request,
            _ => Cut::Answer,
        };
        (bytes, how)
    }

    fn pass_requests(&self, line: &ProxiedConnection) -> io::Result<()> {
        let mut piece = [0; PIECE];
        loop {
            let read = (&line.client).read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            self.throttle(read);
            let size = i64::try_from(read).expect("a piece is small");
            let left = line.left.fetch_sub(size, Ordering::SeqCst) - size;
            if left <= 0 && line.how == Cut::Request && self.may_cut() {
                (&line.broker).write_all(&piece[..read / 2])?;
                return Ok(());
            }
            (&line.broker).write_all(&piece[..read])?;
        }
    }

    fn pass_answers(&self, line: &ProxiedConnection) -> io::Result<()> {
        let mut piece = [0; PIECE];
        let mut is_first = true;
        loop {
            let read = (&line.broker).read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            let is_due = line.left.load(Ordering::SeqCst) <= 0 && line.how == Cut::Answer;
            if is_due && self.may_cut() {
                self.lost_answers.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
            if let Some(version) = self.fault.newest_produce.filter(|_| is_first) {
                age(&mut piece[..read], version);
            }
            is_first = false;
            (&line.client).write_all(&piece[..read])?;
        }
    }

    /// Takes one of the cuts, when one is left.
    fn may_cut(&self) -> bool {
        let most = self.fault.cuts;
        let next = |cut| (cut < most).then_some(cut + 1);
        let taken = self
            .cut
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
        taken.is_ok()
    }

    /// Waits as long as this many bytes take.
    fn throttle(&self, bytes: usize) {
        if let Some(rate) = self.fault.rate {
            let network = lock(&self.network);
            let us = bytes as u64 * 1_000_000 / rate;
            thread::sleep(Duration::from_micros(us));
            drop(network);
        }
    }
}

/// Changes the answer to ApiVersions (version 3), which is the first of a connection. After its size, the
/// correlation id, the error code and a byte for the length of the list comes the list: of Produce, which
/// has the number 0, the oldest and the newest version.
fn age(answer: &mut [u8], newest_produce: u8) {
    assert_eq!(
        answer[8..13],
        [0, 0, answer[10], 0, 0],
        "an answer with Produce first"
    );
    answer[15..17].copy_from_slice(&[0, newest_produce]);
}
