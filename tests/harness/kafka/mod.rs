//! A real Apache Kafka of one node or several that lives no longer than the process that started it.
//!
//! `tools/broker` starts the same broker, so this module needs nothing of the tests.

pub(crate) mod cluster;
mod distribution;
pub(crate) mod on_demand;
pub(crate) mod quota;
mod settings;
mod watchdog;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use watchdog::Watchdog;

/// The longest that a start may take; 4 s is usual, a busy machine needs more.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Starts with fresh ports before giving up: another process may take a port that was just found free.
const ATTEMPTS: u32 = 4;

/// What a test may change about its broker; the default suits most tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct KafkaOptions {
    /// Server properties, added to the harness's own or replacing them by name.
    pub(crate) properties: Vec<(String, String)>,
    /// Listeners beside `PLAINTEXT`: name and security protocol, each on a free port.
    pub(crate) listeners: Vec<(String, String)>,
    /// More arguments for `StorageTool format`, such as `--add-scram`.
    pub(crate) format_args: Vec<String>,
    /// The port of the `PLAINTEXT` listener; the system chooses one when absent.
    pub(crate) port: Option<u16>,
    /// Listeners that clients are sent elsewhere for, such as to a proxy: name and port there.
    pub(crate) advertised: Vec<(String, u16)>,
    /// The heap of the server; 512 MB when absent.
    pub(crate) heap_mb: Option<u32>,
}

/// A running Apache Kafka; dropping it ends it and removes its data.
#[derive(Debug)]
pub(crate) struct Kafka {
    ports: Ports,
    watchdog: Mutex<Watchdog>,
    start_command: Vec<String>,
    restart_command: Vec<String>,
}

/// The ports of one node, all on 127.0.0.1.
#[derive(Clone, Debug)]
struct Ports {
    plaintext: u16,
    controller: u16,
    listeners: Vec<(String, u16)>,
}

/// Why a start did not succeed.
enum StartError {
    /// Another process took a port in the meantime; fresh ports may do.
    PortTaken(String),
    Fatal(String),
}

impl StartError {
    fn into_text(self) -> String {
        match self {
            Self::PortTaken(why) | Self::Fatal(why) => why,
        }
    }
}

impl Kafka {
    /// Whether this machine can run Kafka, or why it cannot.
    pub(crate) fn available() -> Result<(), String> {
        distribution::available()
    }

    /// Starts a broker with default options and returns once it answers metadata requests.
    pub(crate) fn start() -> Result<Self, String> {
        Self::start_with(&KafkaOptions::default())
    }

    /// Starts a broker and returns once it answers metadata requests.
    ///
    /// The first call on a machine fetches Kafka with Maven into the target folder.
    pub(crate) fn start_with(options: &KafkaOptions) -> Result<Self, String> {
        distribution::available()?;
        let libs = distribution::fetch()?;
        let mut attempt = 1;
        loop {
            match Self::attempt(options, &libs) {
                Ok(kafka) => return Ok(kafka),
                Err(StartError::PortTaken(_)) if attempt < ATTEMPTS && options.port.is_none() => {
                    attempt += 1;
                }
                Err(StartError::PortTaken(why) | StartError::Fatal(why)) => return Err(why),
            }
        }
    }

    fn attempt(options: &KafkaOptions, libs: &Path) -> Result<Self, StartError> {
        let ports = Ports::choose(options).map_err(no_port)?;
        let quorum = settings::Quorum::alone(&ports);
        Self::begin(options, ports, &quorum, libs)
    }

    /// Starts one node of a quorum and returns once it answers.
    fn begin(
        options: &KafkaOptions,
        ports: Ports,
        quorum: &settings::Quorum,
        libs: &Path,
    ) -> Result<Self, StartError> {
        let mut watchdog = Watchdog::spawn().map_err(StartError::Fatal)?;
        let folder = watchdog.folder().to_path_buf();
        let properties = folder.join("server.properties");
        std::fs::write(
            &properties,
            settings::render(options, &ports, quorum, &folder),
        )
        .map_err(|error| StartError::Fatal(format!("{}: {error}", properties.display())))?;
        watchdog
            .run(&settings::format_command(options, libs, &properties))
            .map_err(StartError::Fatal)?;
        let kafka = Self {
            ports,
            watchdog: Mutex::new(watchdog),
            start_command: settings::start_command(options, libs, &properties),
            restart_command: settings::restart_command(options, libs, &properties),
        };
        kafka.launch(&kafka.start_command)?;
        Ok(kafka)
    }

    /// Starts the server process and waits until it answers.
    fn launch(&self, command: &[String]) -> Result<(), StartError> {
        self.watchdog().start(command).map_err(StartError::Fatal)?;
        self.wait_until_ready(START_LIMIT)
    }

    fn wait_until_ready(&self, limit: Duration) -> Result<(), StartError> {
        let deadline = Instant::now() + limit;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.plaintext));
        let mut client = None;
        loop {
            // The process is checked first: whatever answers on the port of a dead one is a stranger.
            if !self.watchdog().is_running() {
                return Err(self.died());
            }
            if client.is_none() && TcpStream::connect(address).is_ok() {
                client = Some(metadata_client(&self.brokers()).map_err(StartError::Fatal)?);
            }
            if let Some(client) = &client
                && is_ready(client)
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                let log = self.watchdog().log_tail();
                return Err(StartError::Fatal(format!(
                    "Kafka did not answer within {} s:\n{log}",
                    limit.as_secs()
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn died(&self) -> StartError {
        let log = self.watchdog().log_tail();
        let why = format!("Kafka ended while it started:\n{log}");
        if log.contains("Address already in use") {
            StartError::PortTaken(why)
        } else {
            StartError::Fatal(why)
        }
    }

    /// The bootstrap servers, as `127.0.0.1:PORT`.
    pub(crate) fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.ports.plaintext)
    }

    /// The bootstrap servers of a listener named in [`KafkaOptions::listeners`].
    pub(crate) fn brokers_at(&self, listener: &str) -> Option<String> {
        let found = self
            .ports
            .listeners
            .iter()
            .find(|(name, _)| name == listener);
        found.map(|(_, port)| format!("127.0.0.1:{port}"))
    }

    /// The temporary folder of this broker, gone when it stops; TLS key stores may be put there.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.watchdog().folder().to_path_buf()
    }

    /// The process id of the server, as of its last start.
    pub(crate) fn pid(&self) -> Option<i32> {
        self.watchdog().pid()
    }

    /// Ends the server as a crash would (SIGKILL) and returns once it is gone; its data stay.
    pub(crate) fn kill9(&self) -> Result<(), String> {
        let watchdog = self.watchdog();
        watchdog.signal(Signal::SIGKILL)?;
        watchdog.wait_for_exit(Duration::from_secs(10))
    }

    /// Asks the server to shut down in order (SIGTERM) and returns once it is gone; its data stay.
    pub(crate) fn shut_down(&self) -> Result<(), String> {
        let watchdog = self.watchdog();
        watchdog.signal(Signal::SIGTERM)?;
        watchdog.wait_for_exit(Duration::from_secs(30))
    }

    /// Freezes the server (SIGSTOP): connections stay open and nothing answers.
    pub(crate) fn pause(&self) -> Result<(), String> {
        self.watchdog().signal(Signal::SIGSTOP)
    }

    /// Lets a paused server continue (SIGCONT).
    pub(crate) fn resume(&self) -> Result<(), String> {
        self.watchdog().signal(Signal::SIGCONT)
    }

    /// Starts the server again on the same ports and data, ending it first when it still runs.
    pub(crate) fn restart(&self) -> Result<(), String> {
        if self.watchdog().is_running() {
            self.kill9()?;
        }
        self.launch(&self.restart_command)
            .map_err(StartError::into_text)
    }

    /// Ends the broker and removes its data; returns once both are gone.
    pub(crate) fn stop(self) {
        drop(self);
    }

    fn watchdog(&self) -> MutexGuard<'_, Watchdog> {
        // A panic elsewhere leaves the watchdog as usable as before.
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ports {
    /// Finds ports that are free now, all held at once so that they differ.
    fn choose(options: &KafkaOptions) -> io::Result<Self> {
        let mut held = Vec::new();
        let mut free = || -> io::Result<u16> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            Ok(port)
        };
        let plaintext = match options.port {
            Some(port) => port,
            None => free()?,
        };
        let controller = free()?;
        let listeners = options.listeners.iter();
        let listeners = listeners.map(|(name, _)| Ok((name.clone(), free()?)));
        let listeners = listeners.collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            plaintext,
            controller,
            listeners,
        })
    }
}

fn no_port(error: io::Error) -> StartError {
    StartError::Fatal(format!("cannot find a free port: {error}"))
}

fn metadata_client(brokers: &str) -> Result<BaseConsumer, String> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .create()
        .map_err(|error| format!("cannot make a Kafka client: {error}"))
}

/// Whether the broker is registered and leads every partition that it knew before a restart.
fn is_ready(client: &BaseConsumer) -> bool {
    let answer = client.fetch_metadata(None, Duration::from_millis(500));
    answer.is_ok_and(|metadata| {
        let mut partitions = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions());
        !metadata.brokers().is_empty() && partitions.all(|partition| partition.leader() >= 0)
    })
}
