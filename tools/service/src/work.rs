//! The service at work: reads, answers, commits.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::util::Timeout;

use crate::answer;
use crate::fault::PlantedFault;
use crate::options::{Protocol, ServiceOptions};

/// How long a call of the cluster may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A record that comes later than this was not there before: the service had nothing to do.
const LATE: Duration = Duration::from_millis(500);

/// How long a held-back answer waits for another record.
const IDLE: Duration = Duration::from_secs(1);

/// How a run ended.
pub(crate) enum ServiceEnd {
    Stopped,
    /// The planted crash.
    Crashed,
}

/// One life of the service.
struct ServiceLife<'a> {
    wanted: &'a ServiceOptions,
    consumer: BaseConsumer,
    producer: BaseProducer,
    /// The offsets to commit: the next one of each partition.
    next: HashMap<i32, i64>,
    committed_at: Instant,
    /// Records read so far.
    read: u64,
    /// The number read from the partition that is stuck in the end.
    read_of_stuck: u64,
    /// An answer that waits for the next one of its key to go first.
    held: Option<Answer>,
    /// Since when it is busy, and how much it had read by then.
    busy: Option<(Instant, u64)>,
    /// When the last record came.
    came_at: Instant,
    is_in_transaction: bool,
}

/// Runs until `stop` is set, or until the planted crash.
///
/// # Errors
/// Returns that of a call of the cluster.
pub(crate) fn run(wanted: &ServiceOptions, stop: &AtomicBool) -> KafkaResult<ServiceEnd> {
    let mut service = ServiceLife {
        wanted,
        consumer: consumer(wanted)?,
        producer: producer(wanted)?,
        next: HashMap::new(),
        committed_at: Instant::now(),
        read: 0,
        read_of_stuck: 0,
        held: None,
        busy: None,
        came_at: Instant::now(),
        is_in_transaction: false,
    };
    if wanted.transactional {
        service.producer.init_transactions(PATIENCE)?;
    }
    service.consumer.subscribe(&[&wanted.from])?;
    service.serve(stop)
}

fn consumer(wanted: &ServiceOptions) -> KafkaResult<BaseConsumer> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &wanted.brokers)
        .set("group.id", &wanted.group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        // librdkafka looks again for a topic that does not exist when the group is joined: after 5 minutes by default.
        .set("topic.metadata.refresh.interval.ms", "1000")
        .set("isolation.level", "read_committed");
    match wanted.protocol {
        Protocol::Classic => config.set("session.timeout.ms", "6000"),
        Protocol::Consumer => config.set("group.protocol", "consumer"),
    };
    config.create()
}

fn producer(wanted: &ServiceOptions) -> KafkaResult<BaseProducer> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &wanted.brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "1");
    if wanted.transactional {
        config.set("transactional.id", format!("{}-service", wanted.group));
    }
    config.create()
}

impl ServiceLife<'_> {
    fn serve(&mut self, stop: &AtomicBool) -> KafkaResult<ServiceEnd> {
        let mut is_ready = false;
        while !stop.load(Ordering::SeqCst) {
            let message = self.consumer.poll(Duration::from_millis(20));
            if !is_ready && self.consumer.assignment()?.count() > 0 {
                is_ready = true;
                writeln!(io::stdout(), "ready").ok();
                io::stdout().flush().ok();
            }
            self.producer.poll(Duration::ZERO);
            match message {
                // The next answer of its key may still come.
                None if self.came_at.elapsed() < IDLE => {}
                None => self.release_held()?,
                Some(Err(KafkaError::MessageConsumption(code))) if is_passing(code) => {}
                Some(Err(error)) => return Err(error),
                Some(Ok(message)) => {
                    let input = InputRecord::of(&message);
                    self.came_at = Instant::now();
                    drop(message);
                    if self.take(&input)? {
                        return Ok(ServiceEnd::Crashed);
                    }
                }
            }
            if self.committed_at.elapsed() >= Duration::from_millis(self.wanted.commit_ms) {
                self.commit()?;
            }
        }
        self.release_held()?;
        self.commit()?;
        Ok(ServiceEnd::Stopped)
    }

    /// Handles a record; returns whether the service crashes at it.
    fn take(&mut self, input: &InputRecord) -> KafkaResult<bool> {
        let fault = self.wanted.fault;
        if fault == Some(PlantedFault::Stuck) && input.partition == self.wanted.partition {
            if self.read_of_stuck >= self.wanted.every {
                return Ok(false);
            }
            self.read_of_stuck += 1;
        }
        self.wait_for_capacity();
        self.read += 1;
        let is_bad = self.read.is_multiple_of(self.wanted.every);
        if fault == Some(PlantedFault::Crash) && is_bad && !CRASHED.swap(true, Ordering::SeqCst) {
            return Ok(true);
        }
        let value = input.value.as_deref();
        let headers = match self.wanted.set_trace {
            true => with_trace(&input.headers, &answer::id(self.read)),
            false => input.headers.clone(),
        };
        let value = match fault {
            Some(PlantedFault::WrongValue) if is_bad => answer::wrong(value),
            Some(PlantedFault::OtherIds) => answer::with_ids(value, self.read),
            _ => answer::healthy(value),
        };
        let answer = Answer {
            key: input.key.clone().unwrap_or_default(),
            value: value.to_string(),
            headers,
        };
        match fault {
            Some(PlantedFault::MissingRecord) if is_bad => {}
            Some(PlantedFault::Aborted) if is_bad => {
                self.commit()?;
                self.send(&answer)?;
                self.abort()?;
                self.send(&answer)?;
            }
            Some(PlantedFault::Duplicated) if is_bad => {
                self.send(&answer)?;
                self.send(&answer)?;
            }
            Some(PlantedFault::Reordered) if is_bad && self.held.is_none() => {
                self.held = Some(answer);
            }
            _ => {
                self.send(&answer)?;
                if self
                    .held
                    .as_ref()
                    .is_some_and(|held| held.key == answer.key)
                {
                    self.release_held()?;
                }
            }
        }
        self.next.insert(input.partition, input.offset + 1);
        Ok(false)
    }

    /// Waits until the record is due by the capacity, counted from the first one, so that the rate holds
    /// however long a wait, or a commit, turns out.
    fn wait_for_capacity(&mut self) {
        let Some(capacity) = self.wanted.capacity else {
            return;
        };
        let now = Instant::now();
        let (since, read) = *self.busy.get_or_insert((now, self.read));
        let due = since + Duration::from_secs_f64((self.read - read) as f64 / capacity);
        // A service that was idle does not make up for that time.
        if now.saturating_duration_since(due) > LATE {
            self.busy = Some((now, self.read));
        }
        thread::sleep(due.saturating_duration_since(now));
    }

    fn send(&mut self, answer: &Answer) -> KafkaResult<()> {
        let Some(topic) = &self.wanted.to else {
            return Ok(());
        };
        if self.wanted.transactional && !self.is_in_transaction {
            self.producer.begin_transaction()?;
            self.is_in_transaction = true;
        }
        let mut record = BaseRecord::to(topic)
            .key(&answer.key)
            .payload(&answer.value)
            .headers(answer.headers.clone());
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    fn release_held(&mut self) -> KafkaResult<()> {
        match self.held.take() {
            Some(answer) => self.send(&answer),
            None => Ok(()),
        }
    }

    /// Takes back what was written since the last commit.
    fn abort(&mut self) -> KafkaResult<()> {
        if std::mem::take(&mut self.is_in_transaction) {
            self.producer.flush(Timeout::After(PATIENCE))?;
            self.producer.abort_transaction(PATIENCE)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> KafkaResult<()> {
        self.committed_at = Instant::now();
        let mut offsets = TopicPartitionList::new();
        for (partition, next) in self.next.drain() {
            offsets.add_partition_offset(&self.wanted.from, partition, Offset::Offset(next))?;
        }
        if self.is_in_transaction {
            let group = self.consumer.group_metadata();
            let group = group.ok_or(KafkaError::Canceled)?;
            self.producer
                .send_offsets_to_transaction(&offsets, &group, PATIENCE)?;
            self.producer.commit_transaction(PATIENCE)?;
            self.is_in_transaction = false;
            return Ok(());
        }
        // Only answered records are committed: answers come first.
        self.producer.flush(Timeout::After(PATIENCE))?;
        if offsets.count() == 0 || self.wanted.fault == Some(PlantedFault::NeverCommits) {
            return Ok(());
        }
        self.consumer.commit(&offsets, CommitMode::Sync)
    }
}

/// Whether the planted crash has happened: it does so once.
static CRASHED: AtomicBool = AtomicBool::new(false);

/// What the service writes for a record.
struct Answer {
    key: Vec<u8>,
    value: String,
    /// Those of the record.
    headers: OwnedHeaders,
}

/// What the service needs of a record.
struct InputRecord {
    partition: i32,
    offset: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: OwnedHeaders,
}

impl InputRecord {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        Self {
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: message
                .headers()
                .map_or_else(OwnedHeaders::new, |headers| headers.detach()),
        }
    }
}

/// The same headers, with `id` as the value of `trace`.
fn with_trace(headers: &OwnedHeaders, id: &str) -> OwnedHeaders {
    let mut changed = OwnedHeaders::new();
    for header in headers.iter() {
        let value = match header.key {
            "trace" => Some(id.as_bytes()),
            _ => header.value,
        };
        let key = header.key;
        changed = changed.insert(Header { key, value });
    }
    changed
}

/// Whether a consumer recovers from that by itself.
fn is_passing(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::PartitionEOF
    )
}
