//! Settings that cannot work: brokers without an address, incomplete TLS and SASL, property files. kreplay answers
//! each with one sentence and a hint, before it tries anything.

use std::fs;
use std::path::Path;

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput};

/// Runs a replay of the demo with `args` and this environment.
fn replay(args: &[&str], env: &[(&str, &str)]) -> RunOutput {
    let demo = fixture("demo.jsonl").display().to_string();
    let mut run = Run::new([&["replay", demo.as_str()], args].concat());
    for (name, value) in env {
        run = run.env(name, value);
    }
    run.output()
}

/// Checks that a run ends with code 2 and these lines, and prints nothing else.
fn is_refused(args: &[&str], lines: &[&str]) {
    let output = replay(args, &[]);
    let said: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (2, ""),
        "{args:?}: {output:?}"
    );
    assert_eq!(said, lines, "{args:?}");
}

#[test]
fn a_broker_without_an_address_is_named() {
    let shape = "hint: name brokers as HOST:PORT, separated by commas";
    is_refused(
        &["-b", ","],
        &["kreplay: `,` does not name a broker", shape],
    );
    is_refused(
        &["-b", "127.0.0.1:74628"],
        &[
            "kreplay: `127.0.0.1:74628` has no port between 1 and 65535",
            shape,
        ],
    );
    is_refused(
        &["-b", "::1"],
        &[
            "kreplay: `::1` is an IPv6 address without brackets",
            "hint: write it as `[::1]:9092`",
        ],
    );
    is_refused(
        &["-b", "kafka+ssl://k:9093"],
        &[
            "kreplay: `kafka+ssl://k:9093`: `kafka+ssl` is not a protocol that Kafka clients use",
            "hint: write `k:9093` and set `-X security.protocol=SSL`, or SASL_SSL",
        ],
    );
    is_refused(
        &["-X", "bootstrap.servers=me:hunter2@k:9093"],
        &[
            "kreplay: a broker's address cannot contain a user or a password",
            "hint: set `sasl.username` and `sasl.password` in a file for `-F`",
        ],
    );
    is_refused(
        &[
            "-X",
            "bootstrap.server=k:9093",
            "-X",
            "broker.address.family=v4",
        ],
        &[
            "kreplay: no brokers are named",
            "hint: `bootstrap.server` does not name them; the property is `bootstrap.servers`",
        ],
    );
}

#[test]
fn missing_tls_and_sasl_settings_are_named_before_anything_is_tried() {
    is_refused(
        &["-b", "k:1", "-X", "security.protocol=SASL_SSL"],
        &[
            "kreplay: `security.protocol=SASL_SSL` needs `sasl.mechanism`",
            "hint: set it to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
        ],
    );
    is_refused(
        &[
            "-b",
            "k:1",
            "-X",
            "security.protocol=SASL_SSL",
            "-X",
            "sasl.mechanism=OAUTHBEARER",
        ],
        &[
            "kreplay: OAUTHBEARER needs tokens",
            "hint: name a source of tokens with `--oauth-command COMMAND` or `--oauth-file FILE`",
        ],
    );
    is_refused(
        &[
            "-b",
            "k:1",
            "-X",
            "security.protocol=SSL",
            "-X",
            "ssl.ca.location=/no/ca.pem",
        ],
        &["kreplay: cannot read /no/ca.pem, which is `ssl.ca.location`: no such file or directory"],
    );
}

#[test]
fn a_keystore_in_an_old_cipher_is_named_with_the_command_that_renews_it() {
    let keystore = fixture("tls/rc2.p12").display().to_string();
    let location = format!("ssl.keystore.location={keystore}");
    let password = |word: &str| format!("ssl.keystore.password={word}");
    let args = [
        "-b",
        "k:1",
        "-X",
        "security.protocol=SSL",
        "-X",
        &location,
        "-X",
    ];
    let sentence = format!(
        "kreplay: {keystore}, which is `ssl.keystore.location`, uses an old cipher that OpenSSL 3 does \
         not read"
    );
    let hint = format!(
        "hint: `openssl pkcs12 -legacy -in {keystore} -nodes | openssl pkcs12 -export -out \
         keystore.p12` converts it"
    );
    let right = password("fixture");
    is_refused(&[&args[..], &[&right]].concat(), &[&sentence, &hint]);
    let sentence = format!(
        "kreplay: {keystore}, which is `ssl.keystore.location`, does not open with \
         `ssl.keystore.password`"
    );
    let wrong = password("another");
    is_refused(&[&args[..], &[&wrong]].concat(), &[&sentence]);
}

#[test]
fn a_short_secret_is_not_cut_out_of_ordinary_words() {
    let output = replay(
        &[
            "-b",
            "k:1",
            "-X",
            "sasl.password=a",
            "-X",
            "ssl.endpoint.identification.algorithm=a",
        ],
        &[],
    );
    assert_eq!(output.code, 2, "{output:?}");
    assert_eq!(
        output.stderr,
        "kreplay: librdkafka does not accept the property `ssl.endpoint.identification.algorithm`: Invalid \
         value \"a\" for configuration property \"ssl.endpoint.identification.algorithm\"\n"
    );
}

/// A home folder with a kcat.conf that `make` puts there.
fn home(make: impl Fn(&Path)) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("the system has a temporary folder");
    let folder = home.path().join(".config");
    fs::create_dir(&folder).expect("the folder is new");
    make(&folder.join("kcat.conf"));
    home
}

#[test]
fn kcats_configuration_file_is_read_where_that_is_possible() {
    let path = |home: &tempfile::TempDir| home.path().display().to_string();
    let named = home(|file| fs::write(file, "bootstrap.servers=::1\n").expect("it is writable"));
    let refusal = "kreplay: `::1` is an IPv6 address without brackets\n\
                   hint: write it as `[::1]:9092`\n";
    let nobody = "kreplay: no brokers are named\n\
                  hint: give `-b HOST:PORT`, set KREPLAY_BROKERS, or try `--rehearse`\n";
    let home_of = |home: &tempfile::TempDir, args: &[&str], more: &[(&str, &str)]| {
        let home = path(home);
        replay(args, &[&[("HOME", home.as_str())], more].concat()).stderr
    };
    assert_eq!(home_of(&named, &[], &[]), refusal);
    assert_eq!(home_of(&named, &[], &[("KCAT_CONFIG", "")]), refusal);
    assert_eq!(home_of(&named, &["-F", "none"], &[]), nobody);
    // A folder cannot be read as a file, by any user.
    let unreadable = home(|file| fs::create_dir(file).expect("the folder is new"));
    assert_eq!(home_of(&unreadable, &[], &[]), nobody);
    let file = unreadable
        .path()
        .join(".config/kcat.conf")
        .display()
        .to_string();
    let expected = format!("kreplay: cannot read {file}: is a directory\n");
    assert_eq!(home_of(&unreadable, &["-F", &file], &[]), expected);
}

#[test]
fn properties_of_consumers_are_refused_as_flags_and_left_out_of_shared_files() {
    is_refused(
        &["-b", "127.0.0.1:1", "-X", "auto.offset.reset=earliest"],
        &[
            "kreplay: `auto.offset.reset` would have no effect: it is a property of consumers",
            "hint: leave it out: kreplay only produces",
        ],
    );
    let text = "group.id=g\nlinger.ms=5\ntopic.auto.offset.reset=earliest\n";
    let shared = home(|file| fs::write(file, text).expect("it is writable"));
    let home = shared.path().display().to_string();
    // Nobody listens there.
    let output = replay(&["-b", "127.0.0.1:1"], &[("HOME", &home)]);
    assert_eq!(output.code, 3, "{output:?}");
    let note = "kreplay: ignored, because kreplay only produces: `group.id`, `auto.offset.reset`\n";
    assert!(output.stderr.starts_with(note), "{}", output.stderr);
    assert_eq!(
        output.stderr.matches("ignored").count(),
        1,
        "{}",
        output.stderr
    );
}

#[test]
fn a_rehearsal_reads_no_property_file() {
    let broken = home(|file| fs::write(file, "no property\n").expect("it is writable"));
    let home = broken.path().display().to_string();
    let output = replay(&["--rehearse", "-F", "no-such-file"], &[("HOME", &home)]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:?}");
    let output = replay(&["-b", "k:1"], &[("HOME", &home)]);
    let file = broken.path().join(".config/kcat.conf");
    let expected = format!("kreplay: {}:1: expected `KEY=VALUE`\n", file.display());
    assert_eq!((output.code, output.stderr), (2, expected));
}

#[test]
fn a_property_of_a_file_that_is_refused_is_named_with_its_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("kcat.conf");
    let file = path.to_str().expect("text").to_owned();
    let promise = "would break kreplay's promise that every record delivered is in the log once \
                   and in order";
    let hint = "hint: leave it out, or set it to all, -1; `--no-idempotence` \
                replays without it";
    let obeyed = "`enable.partition.eof` would have no effect: it is a property of consumers";
    let cases = [
        // A property that librdkafka does not know, and a value that it does not accept.
        (
            "no.such=1",
            "librdkafka does not accept the property `no.such`: No such configuration property: \"no.such\"",
        ),
        (
            "linger.ms=abc",
            "librdkafka does not accept the property `linger.ms`: Invalid value for configuration property \"queue.buffering.max.ms\"",
        ),
    ];
    for (line, said) in cases {
        fs::write(&path, format!("# comment\n\n{line}\n")).expect("it is writable");
        let expected = format!("kreplay: {file}:3: {said}");
        is_refused(&["-b", "127.0.0.1:1", "-F", &file], &[&expected]);
        // The same by a flag has no line, whatever the file says about it.
        let expected = format!("kreplay: {said}");
        is_refused(
            &["-b", "127.0.0.1:1", "-F", &file, "-X", line],
            &[&expected],
        );
    }
    fs::write(&path, "client.id=me\nacks=1\n").expect("it is writable");
    let expected = format!("kreplay: {file}:2: `acks=1` {promise}");
    is_refused(&["-b", "127.0.0.1:1", "-F", &file], &[&expected, hint]);
    // A property of consumers is only left out of a file, but refused as a flag.
    fs::write(&path, "enable.partition.eof=true\n").expect("it is writable");
    let eof = [
        "-b",
        "127.0.0.1:1",
        "-F",
        &file,
        "-X",
        "enable.partition.eof=true",
    ];
    let hint = "hint: leave it out: kreplay only produces";
    is_refused(&eof, &[&format!("kreplay: {obeyed}"), hint]);
}

#[test]
fn a_wait_for_a_group_needs_a_cluster_and_a_name() {
    for (args, said) in [
        (
            &["--rehearse", "--wait-group", "g"][..],
            "error: the argument '--rehearse' cannot be used with '--wait-group <GROUP>'\n",
        ),
        (
            &["-b", "127.0.0.1:9", "--drain-timeout", "1m"],
            "error: the following required arguments were not provided:\n  --wait-group <GROUP>\n",
        ),
        (
            // Zero is a value here, and means not to wait.
            &["-b", "127.0.0.1:9", "--drain-timeout", "0s"],
            "error: the following required arguments were not provided:\n  --wait-group <GROUP>\n",
        ),
        (
            &["-b", "127.0.0.1:9", "--max-lag", "5"],
            "error: the following required arguments were not provided:\n  --wait-group <GROUP>\n",
        ),
        (
            &["-b", "127.0.0.1:9", "--wait-group", "g", "--max-lag", "0"],
            "error: invalid value '0' for '--max-lag <N>': 0 is not in 1..",
        ),
        (
            &["-b", "127.0.0.1:9", "--wait-group", ""],
            "error: a value is required for '--wait-group <GROUP>' but none was supplied\n",
        ),
        (
            &[
                "-b",
                "127.0.0.1:9",
                "--wait-group",
                "g",
                "--drain-timeout",
                "5",
            ],
            "error: invalid value '5' for '--drain-timeout <DURATION>'",
        ),
    ] {
        let output = replay(args, &[]);
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.stderr.starts_with(said), "{output:?}");
    }
}
