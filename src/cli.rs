//! What the user typed. The doc comments here are the manual that `--help` prints; what the flags
//! mean together is settled in `config.rs`.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::record::{NameFault, TopicId};

const SHORTLY: &str = "\
The commonest calls:
  kreplay snapshot <ID> -b localhost:9092     replay a Speedscale snapshot
  kreplay raw capture.jsonl -b localhost:9092 replay RRPairs from a file
  kreplay snapshot <ID> --rehearse            try it without a Kafka

`kreplay help` says more, `kreplay <COMMAND> --help` everything.";

const EXIT_CODES: &str = "\
Exit codes:
  0    everything found was delivered, or left out on purpose and counted
  1    the replay ran; some records failed, are unreadable, out of order or lost a part, none was
       found (unless --allow-empty), or a report was not written
  2    usage or configuration
  3    the cluster: unreachable, not authorised, a topic or partition missing,
       the captured cluster, or silent for too long
  4    the source failed or is incomplete
  70   the ledger does not balance: a defect of kreplay
  130  interrupted by SIGINT (143: by SIGTERM, SIGHUP or SIGQUIT); the report still says what
       was delivered";

const EXTRACT_EXIT_CODES: &str = "\
Exit codes:
  0    every record was printed, or left out on purpose and counted, or the reader of stdout left
  1    some records are unreadable, none was found (unless --allow-empty), or stdout took no more
  2    usage or configuration
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT)";

const INSPECT_EXIT_CODES: &str = "\
Exit codes:
  0    everything was looked at
  1    some records are unreadable, none was found (unless --allow-empty), or a path given
       matches nothing
  2    usage or configuration
  4    the source failed or is incomplete
  70   the counts do not balance: a defect of kreplay
  130  interrupted (143: terminated by SIGTERM, SIGHUP or SIGQUIT); what was seen by then is told";

/// Replays captured Kafka traffic into Kafka: every record delivered, or named.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES, max_term_width = 100)]
#[command(arg_required_else_help = true, before_help = SHORTLY)]
pub struct Cli {
    /// What to replay.
    #[command(subcommand)]
    pub command: Command,
}

/// The sources that can be replayed.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// One step: speedctl extracts a snapshot, kreplay sends its records.
    #[command(after_help = EXIT_CODES)]
    Snapshot(Snapshot),
    /// Replay CSVs that `speedctl extract data` wrote.
    #[command(after_help = EXIT_CODES)]
    Csv(Csv),
    /// Replay RRPairs from files and folders: every record of every Fetch response.
    #[command(after_help = EXIT_CODES)]
    Raw(Raw),
    /// Replay record lines: what `kreplay extract` printed, a rejects file, or `kcat -J`.
    #[command(after_help = EXIT_CODES)]
    Records(Records),
    /// Print the records of a capture as record lines, one JSON object each; nothing is sent.
    ///
    /// A line is {"topic":"orders","partition":0,"offset":12,"timestamp":1764787375659,"key":"k1",
    /// "value":"..","headers":[["trace","abc"],["empty",null]]}. The timestamp is in milliseconds.
    /// Bytes that are not UTF-8 stand in `key_base64` and `value_base64`, in headers as
    /// {"base64":".."}; what the capture does not contain is left out; a topic known only by its id is
    /// a `topic_id`. `kreplay records` reads the lines back and no byte changes on the way.
    #[command(after_help = EXTRACT_EXIT_CODES)]
    Extract(Extract),
    /// Describe what is in a capture: topics, gaps, keys, sizes, clients; or every path. Nothing is sent.
    ///
    /// One screen: what was read, what a replay would send, what a CSV would lose of it, and for each
    /// topic its partitions, records, keys and sizes. Different keys are counted exactly up to 1,024,
    /// beyond that to about 2 %; percentiles of sizes are exact up to 4,096 different sizes in a topic,
    /// beyond that at most 0.1 % too high. `--report json` contains all of it, also partition by
    /// partition. With --paths: every path that occurs in the RRPairs.
    #[command(after_help = INSPECT_EXIT_CODES)]
    Inspect(Inspect),
    /// Print a built-in profile as TOML, to begin one of your own with.
    Profile(Profile),
}

/// `kreplay snapshot`.
#[derive(Debug, Args)]
pub struct Snapshot {
    /// The snapshot's id.
    pub id: String,
    /// How to get at the records: `csv` runs `speedctl extract data`, `raw` runs `speedctl pull
    /// snapshot` and reads its RRPairs, `auto` begins with csv and changes to raw when the CSV
    /// cannot carry what is there and nothing has been sent yet.
    #[arg(long, value_enum, default_value_t = Via::Auto, value_name = "WAY")]
    pub via: Via,
    /// How speedctl is run.
    #[command(flatten)]
    pub speedctl: Speedctl,
    /// Print the speedctl command that would run, quoted for a shell, and stop.
    #[arg(long)]
    pub print_command: bool,
    /// Which RRPairs are replayed, and where in them records are.
    #[command(flatten)]
    pub extraction: Extraction,
    /// Where records go, and what is told of it.
    #[command(flatten)]
    pub sending: Sending,
}

/// How speedctl is run.
#[derive(Debug, Args)]
pub struct Speedctl {
    /// Which speedctl to run; else the one on PATH.
    #[arg(long, env = "KREPLAY_SPEEDCTL", value_name = "PATH")]
    pub speedctl: Option<PathBuf>,
    /// One more argument for speedctl, repeatable.
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub speedctl_arg: Vec<String>,
    /// The longest silence of speedctl, and of what it started, before it counts as hung.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    pub speedctl_timeout: Duration,
}

/// `kreplay csv`.
#[derive(Debug, Args)]
pub struct Csv {
    /// CSVs, or `-` for stdin; read in the order given, each with its own header row. Columns are
    /// found by their headers, in any order.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Which RRPairs are replayed, and where in them records are.
    #[command(flatten)]
    pub extraction: Extraction,
    /// Where records go, and what is told of it.
    #[command(flatten)]
    pub sending: Sending,
}

/// `kreplay raw`.
#[derive(Debug, Args)]
pub struct Raw {
    /// Files of RRPairs, folders of them, or `-` for stdin; read in the order given. A file may be
    /// JSON lines (raw.jsonl), JSON (one RRPair, several, or an array of them) or the Markdown that
    /// proxymock writes, in UTF-8 or UTF-16, and compressed with gzip or zstd: its content decides,
    /// not its name. An export of BYOC (OTLP JSON) is read as the RRPairs in it; a CSV of speedctl or
    /// record lines are read as what they are. The files of a folder are read in the order of the
    /// times in their names, or else of their first `ts`; those without RRPairs are skipped and
    /// counted, and listed with -v. With paths of your own and an empty
    /// --filter any JSON is input.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Which RRPairs are replayed, and where in them records are.
    #[command(flatten)]
    pub extraction: Extraction,
    /// Where records go, and what is told of it.
    #[command(flatten)]
    pub sending: Sending,
}

/// `kreplay records`.
#[derive(Debug, Args)]
pub struct Records {
    /// Files of record lines, or `-` for stdin; read in the order given.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Send also the records of a rejects file of which the earlier run could not tell whether they
    /// are in the log (outcome `unknown`): they may then be there twice. Else they are left out.
    #[arg(long)]
    pub send_unknown: bool,
    /// What topics are called that the lines know only by their ids.
    #[command(flatten)]
    pub naming: Naming,
    /// Where records go, and what is told of it.
    #[command(flatten)]
    pub sending: Sending,
}

/// `kreplay extract`.
#[derive(Debug, Args)]
pub struct Extract {
    /// Files and folders of RRPairs as `kreplay raw` takes them, a CSV of speedctl, files of record
    /// lines (the content decides), `-` for any of these from stdin, or `snapshot:<ID>` for a
    /// snapshot that `speedctl pull snapshot` gets; read in the order given.
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// How speedctl is run.
    #[command(flatten)]
    pub speedctl: Speedctl,
    /// Which RRPairs are read, and where in them records are.
    #[command(flatten)]
    pub extraction: Extraction,
    /// A source without a single record is no failure.
    #[arg(long)]
    pub allow_empty: bool,
    /// Print nothing on stderr but errors and problems.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print what is run to get at the records.
    #[arg(short, long)]
    pub verbose: bool,
}

/// `kreplay inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// Files and folders of RRPairs as `kreplay raw` takes them, a CSV of speedctl, files of record
    /// lines (the content decides), `-` for any of these from stdin, or `snapshot:<ID>` for a
    /// snapshot that `speedctl pull snapshot` gets; read in the order given.
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,
    /// List every path that occurs, with how often it does, its types and a sample; of all RRPairs
    /// unless --filter chooses. A path can be copied into any flag that takes one.
    #[arg(long, conflicts_with_all = [
        "profile", "record", "value", "key", "headers", "timestamp", "topic_path",
        "partition_path", "offset_path", "value_encoding", "key_encoding", "header_encoding",
        "keep_duplicates", "with_aborted", "topic_id",
    ])]
    pub paths: bool,
    /// The form of what is told on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM")]
    pub report: ReportForm,
    /// How speedctl is run.
    #[command(flatten)]
    pub speedctl: Speedctl,
    /// Which RRPairs are looked at, and where in them records are.
    #[command(flatten)]
    pub extraction: Extraction,
    /// A source without a single record is no failure.
    #[arg(long)]
    pub allow_empty: bool,
    /// Print nothing on stderr but errors.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print what is run to get at the RRPairs, and the files skipped.
    #[arg(short, long)]
    pub verbose: bool,
}

/// `kreplay profile`.
#[derive(Debug, Args)]
pub struct Profile {
    /// The profile's name: `fetch`, `produce` or `byoc`.
    #[arg(default_value = "fetch", value_name = "NAME")]
    pub name: String,
}

/// What all commands that send records take.
#[derive(Debug, Args)]
pub struct Sending {
    /// Where records go.
    #[command(flatten)]
    pub destination: Destination,
    /// What is kept for when not everything is delivered.
    #[command(flatten)]
    pub delivery: Delivery,
    /// What is printed.
    #[command(flatten)]
    pub output: Output,
}

/// Where records go and how they get there.
#[derive(Debug, Args)]
#[command(next_help_heading = "Destination")]
pub struct Destination {
    /// Bootstrap servers; else `bootstrap.servers` of -X, -F or kcat's config file.
    #[arg(short, long, env = "KREPLAY_BROKERS", value_name = "HOST:PORT,...")]
    pub brokers: Option<String>,
    /// Send everything to this topic; else a record goes to the topic it was captured from.
    #[arg(short, long, value_name = "NAME", conflicts_with = "map", value_parser = topic_name)]
    pub topic: Option<String>,
    /// Rename a topic, repeatable. FROM is a captured name, or `*` for all others; `{topic}` in TO
    /// stands for the captured name. A FROM that matches nothing is an error.
    #[arg(long, value_name = "FROM=TO", value_parser = renaming)]
    pub map: Vec<(String, String)>,
    /// Which partition a record goes to. `auto`: the captured one where the destination has it,
    /// else by key (murmur2, as Java clients do); `keep`: the captured one, or an error; `key`: by
    /// key; `any`: the client's own choice.
    #[arg(long, value_enum, default_value_t = Partition::Auto, value_name = "HOW")]
    pub partition: Partition,
    /// The time that records get: that of sending, or the original one.
    #[arg(long, value_enum, default_value_t = Timestamps::Now, value_name = "WHICH")]
    pub timestamps: Timestamps,
    /// Add a header to every record, repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub header: Vec<(String, String)>,
    /// Set a librdkafka property, repeatable. A password is better in a file for -F: others can see
    /// a command line.
    #[arg(short = 'X', value_name = "KEY=VALUE", value_parser = PropertyParser)]
    pub property: Vec<(String, String)>,
    /// Read librdkafka properties from a file of KEY=VALUE lines, as kcat does; else from kcat's
    /// own file ($KCAT_CONFIG or ~/.config/kcat.conf) where there is one. `none` reads no file. A
    /// rehearsal never reads one.
    #[arg(short = 'F', value_name = "FILE")]
    pub property_file: Option<PathBuf>,
    /// Authenticate by OAUTHBEARER with the token that this shell command prints, as it is or as the
    /// `access_token` of a JSON object. It runs again before the token expires. Implies
    /// sasl.mechanism=OAUTHBEARER and, unless it is set, security.protocol=SASL_SSL.
    #[arg(long, value_name = "COMMAND", conflicts_with = "oauth_file")]
    pub oauth_command: Option<String>,
    /// The same with a token from a file, which is read again before the token expires.
    #[arg(long, value_name = "FILE")]
    pub oauth_file: Option<PathBuf>,
    /// Send without idempotence: lets -X set acks, retries and requests in flight to anything. A
    /// record that is called delivered may then be in the log twice, out of order, or be lost.
    #[arg(long)]
    pub no_idempotence: bool,
    /// Create missing topics with the captured partition count.
    #[arg(long)]
    pub create_topics: bool,
    /// Send although the destination is the cluster that the records were captured from.
    #[arg(long)]
    pub yes: bool,
    /// Replay into a broker inside this process: everything runs, nothing leaves the machine.
    #[arg(long)]
    pub rehearse: bool,
}

/// What is kept for when not everything is delivered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub struct Delivery {
    /// Write what is found and not delivered to a file, as record lines with `outcome` and `reason`:
    /// `kreplay records FILE` sends it again. It must be empty or not exist, unless --resume says
    /// that all of it is tried again.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Keep a journal of what is delivered, and go on where it ends: the same command continues after
    /// an interruption, a crash or a kill. At most the records that were in flight are sent twice; how
    /// many is printed at the start.
    #[arg(long, value_name = "FILE", conflicts_with = "rehearse")]
    pub resume: Option<PathBuf>,
    /// What becomes of a batch that the broker refuses for one record. `isolate`: it is sent again in
    /// halves until that record stands alone, so that only it is missing; what is in the log behind
    /// later records then is named. `leave`: all of it stays in the rejects.
    #[arg(long, value_enum, default_value_t = OnRefused::Isolate, value_name = "HOW")]
    pub on_refused: OnRefused,
    /// Stop when no record was acknowledged for so long while some were in flight; the rest is named.
    /// Time in which kreplay itself is stopped does not count.
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = humantime::parse_duration)]
    pub give_up_after: Duration,
    /// Records that came too late to be sent in the order of their partition are no failure: they are
    /// counted and named, and do not change the exit code.
    #[arg(long)]
    pub allow_reordered: bool,
    /// A source without a single record is no failure.
    #[arg(long)]
    pub allow_empty: bool,
}

/// Which RRPairs are replayed, and where in them records are. A PATH is JSONPath (begins with `$`)
/// or speedctl's dotted notation.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Extraction")]
pub struct Extraction {
    /// Replay the RRPairs for which this holds, in Speedscale's filter language; else the profile's
    /// own filter, such as `(command IS "Fetch")`.
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// The set of paths: `fetch`, `produce`, `byoc`, or a TOML file (`kreplay profile` prints one).
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// The node of one record. One that exists without a value is a tombstone.
    #[arg(long, value_name = "PATH")]
    pub record: Option<String>,
    /// A record's value. Without --record each node that it matches is a record.
    #[arg(long, visible_alias = "path", value_name = "PATH")]
    pub value: Option<String>,
    /// A record's key.
    #[arg(long, value_name = "PATH")]
    pub key: Option<String>,
    /// A record's headers: a list of objects with `key` and `value...`, or one object.
    #[arg(long, value_name = "PATH")]
    pub headers: Option<String>,
    /// A record's time: milliseconds since 1970, or RFC 3339.
    #[arg(long, value_name = "PATH")]
    pub timestamp: Option<String>,
    /// The topic that a record was captured from.
    #[arg(long, value_name = "PATH")]
    pub topic_path: Option<String>,
    /// The partition that a record was captured from.
    #[arg(long, value_name = "PATH")]
    pub partition_path: Option<String>,
    /// A record's offset in its partition.
    #[arg(long, value_name = "PATH")]
    pub offset_path: Option<String>,
    /// How a value becomes bytes. `auto`: a string is its text, anything else its JSON text; base64
    /// below names that end in `Bytes` or `Base64`.
    #[arg(long, value_enum, value_name = "HOW")]
    pub value_encoding: Option<Encoding>,
    /// How a key becomes bytes.
    #[arg(long, value_enum, value_name = "HOW")]
    pub key_encoding: Option<Encoding>,
    /// How a header's value becomes bytes; `valueString`, `valueBytes` and `valueBase64` of a header
    /// object say it by their names. A `value` is base64 in the built-in profiles, `auto` elsewhere.
    #[arg(long, value_enum, value_name = "HOW")]
    pub header_encoding: Option<Encoding>,
    /// Replay a record as often as it was captured; else once per topic, partition and offset.
    #[arg(long)]
    pub keep_duplicates: bool,
    /// Replay records of aborted transactions too.
    #[arg(long)]
    pub with_aborted: bool,
    /// What topics are called that the capture knows only by their ids.
    #[command(flatten)]
    pub naming: Naming,
}

/// What topics are called that the capture knows only by their ids.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Extraction")]
pub struct Naming {
    /// The name of a topic that the capture knows only by its id, repeatable; ID is a UUID, or Kafka's
    /// base64 of one. It is the topic's captured name from then on: duplicates, order and --map see
    /// NAME. The report lists the ids that nothing names.
    #[arg(long, value_name = "ID=NAME", value_parser = naming)]
    pub topic_id: Vec<(String, String)>,
}

/// How what a path leads to becomes bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the flag's text tells")]
pub enum Encoding {
    #[default]
    Auto,
    Text,
    Base64,
    Json,
}

/// What is printed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// The form of the report on stdout.
    #[arg(long, value_enum, default_value_t = ReportForm::Text, value_name = "FORM")]
    pub report: ReportForm,
    /// Also write the report as JSON to a file.
    #[arg(long, value_name = "FILE")]
    pub report_file: Option<PathBuf>,
    /// Progress on stderr: a bar on a terminal, else a line every 10 s.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    pub progress: When,
    /// Print nothing but errors and the report.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print the speedctl command, the files skipped and librdkafka's log.
    #[arg(short, long)]
    pub verbose: bool,
}

/// How a snapshot is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the flag's text tells")]
pub enum Via {
    Auto,
    Csv,
    Raw,
}

/// What becomes of the batch of a record that a broker refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the flag's text tells")]
pub enum OnRefused {
    #[default]
    Isolate,
    Leave,
}

/// How a record comes to its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the flag's text tells")]
pub enum Partition {
    Auto,
    Keep,
    Key,
    Any,
}

/// The time that records get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the flag's text tells")]
pub enum Timestamps {
    Now,
    Original,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the flag's text tells")]
pub enum ReportForm {
    Text,
    Json,
    None,
}

/// When something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the flag's text tells")]
pub enum When {
    Auto,
    Always,
    Never,
}

/// Splits a property, and keeps what is wrong to itself: it may be a password.
#[derive(Debug, Clone, Copy)]
struct PropertyParser;

impl TypedValueParser for PropertyParser {
    type Value = (String, String);

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        value
            .to_str()
            .and_then(|text| pair(text).ok())
            .ok_or_else(|| {
                let text = "what follows `-X` is not of the form KEY=VALUE\n";
                clap::Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
            })
    }
}

/// Splits `KEY=VALUE` at the first `=`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().into(), value.into())),
        _ => Err("expected `KEY=VALUE`".into()),
    }
}

/// Splits `ID=NAME` at the last `=`: an id in base64 may end with some, a topic's name has none.
fn naming(text: &str) -> Result<(String, String), String> {
    let Some((id, name)) = text.rsplit_once('=') else {
        return Err("expected `ID=NAME`".into());
    };
    if TopicId::parse(id).is_none() {
        return Err(format!(
            "`{id}` is no topic id: it is a UUID, or Kafka's base64 of one (22 characters)"
        ));
    }
    Ok((id.into(), topic_name(name)?))
}

/// Splits `FROM=TO` at the last `=`: a topic's name has none.
fn renaming(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            // What stands for the captured name is as good as that.
            topic_name(&to.replace("{topic}", "t"))?;
            Ok((from.into(), to.into()))
        }
        _ => Err("expected `FROM=TO`".into()),
    }
}

/// A name that Kafka takes.
fn topic_name(text: &str) -> Result<String, String> {
    match NameFault::of(text) {
        Some(fault) => Err(fault.to_string()),
        None => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_flag_that_names_no_topic_is_a_usage_error() {
        let longer = "a".repeat(250);
        for (flag, text) in [
            ("-t", longer.clone()),
            ("-t", "a b".into()),
            ("--map", "orders=..".into()),
            ("--map", format!("*={{topic}}{longer}")),
        ] {
            let words = ["kreplay", "raw", "x", flag, &text];
            assert!(Cli::try_parse_from(words).is_err(), "{flag} {text}");
        }
        let words = ["kreplay", "raw", "x", "--map", "*={topic}-copy"];
        assert!(Cli::try_parse_from(words).is_ok());
    }

    #[test]
    fn a_topic_id_is_given_in_either_notation_and_with_a_legal_name() {
        for id in [
            "F6sC8x-GQPaI5g9Nn7Nhwg",
            "F6sC8x+GQPaI5g9Nn7Nhwg==",
            "17ab02f3-1f86-40f6-88e6-0f4d9fb361c2",
        ] {
            let given = naming(&format!("{id}=orders"));
            assert_eq!(given, Ok((id.into(), "orders".into())));
        }
        for wrong in [
            "orders",
            "orders=orders",
            "=orders",
            "F6sC8x-GQPaI5g9Nn7Nhw=orders",
            "AAAAAAAAAAAAAAAAAAAAAA=orders",
            "F6sC8x-GQPaI5g9Nn7Nhwg=",
            "F6sC8x-GQPaI5g9Nn7Nhwg=a b",
        ] {
            assert!(naming(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pair_is_split_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(pair("a="), Ok(("a".into(), String::new())));
        assert!(pair("=b").is_err());
        assert!(pair("ab").is_err());
    }
}
