//! The broker of these trials: its listeners, users and key stores.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::{PASSWORD, STORE_PASSWORD};
use crate::harness::kafka::KafkaOptions;

/// How users log in at a listener: by each mechanism.
fn logins(listener: &str) -> Vec<(String, String)> {
    let module = "org.apache.kafka.common.security";
    let name = |rest: &str| format!("listener.name.{listener}.{rest}");
    let mechanisms = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER".to_owned();
    let mut properties = vec![
        (name("sasl.enabled.mechanisms"), mechanisms),
        (
            name("plain.sasl.jaas.config"),
            format!(
                "{module}.plain.PlainLoginModule required user_alice=\"{PASSWORD}\" \
                 user_bob=\"{PASSWORD}\";"
            ),
        ),
        (
            name("oauthbearer.sasl.jaas.config"),
            format!(
                "{module}.oauthbearer.OAuthBearerLoginModule required \
                 unsecuredLoginStringClaim_sub=\"x\";"
            ),
        ),
    ];
    for scram in ["scram-sha-256", "scram-sha-512"] {
        let module = format!("{module}.scram.ScramLoginModule required;");
        properties.push((name(&format!("{scram}.sasl.jaas.config")), module));
    }
    properties
}

/// A broker with all listeners; alice may do everything, bob nothing.
///
/// # Errors
/// Returns an error if keytool makes no key stores.
pub(crate) fn options() -> Result<KafkaOptions, String> {
    let folder = stores()?;
    let file = |name: &str| folder.join(name).display().to_string();
    let mut properties: Vec<(String, String)> = [
        ("ssl.keystore.location", file("broker.p12").as_str()),
        ("ssl.keystore.password", STORE_PASSWORD),
        ("ssl.keystore.type", "PKCS12"),
        ("ssl.truststore.location", file("trusted.p12").as_str()),
        ("ssl.truststore.password", STORE_PASSWORD),
        ("ssl.truststore.type", "PKCS12"),
        ("listener.name.mtls.ssl.client.auth", "required"),
        (
            "authorizer.class.name",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        ),
        (
            "super.users",
            "User:ANONYMOUS;User:alice;User:CN=kreplay-test",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    properties.extend(
        ["sasl", "sasls"]
            .iter()
            .flat_map(|listener| logins(listener)),
    );
    let listeners = [
        ("SASL", "SASL_PLAINTEXT"),
        ("SASLS", "SASL_SSL"),
        ("TLS", "SSL"),
        ("MTLS", "SSL"),
    ];
    let scram = |mechanism| format!("{mechanism}=[name=alice,password={PASSWORD}]");
    let format_args = ["SCRAM-SHA-256", "SCRAM-SHA-512"].map(scram);
    let format_args = format_args
        .into_iter()
        .flat_map(|a| ["--add-scram".into(), a]);
    Ok(KafkaOptions {
        properties,
        listeners: listeners.map(|(n, p)| (n.into(), p.into())).into(),
        format_args: format_args.collect(),
        ..KafkaOptions::default()
    })
}

/// The folder of key stores, made once for all runs.
fn stores() -> Result<PathBuf, String> {
    static LOCK: Mutex<()> = Mutex::new(());
    let _one = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("key-stores-1");
    if folder.exists() {
        return Ok(folder);
    }
    let new = folder.with_extension(std::process::id().to_string());
    let failed = |e: std::io::Error| format!("cannot make {}: {e}", new.display());
    fs::create_dir_all(&new).map_err(failed)?;
    let pair = |store: &str, name: &str, more: &[&str]| {
        let mut args = vec![
            "-genkeypair",
            "-alias",
            "x",
            "-keyalg",
            "RSA",
            "-dname",
            name,
        ];
        args.extend(["-validity", "36500"]);
        args.extend(more);
        keytool(&new, store, &args)
    };
    let localhost = ["-ext", "SAN=dns:localhost,ip:127.0.0.1"];
    pair("broker.p12", "CN=localhost", &localhost)?;
    pair("client.p12", "CN=kreplay-test", &[])?;
    pair("other.p12", "CN=localhost", &localhost)?;
    for name in ["broker", "client", "other"] {
        let pem = format!("{name}.pem");
        let args = ["-exportcert", "-rfc", "-alias", "x", "-file", &pem];
        keytool(&new, &format!("{name}.p12"), &args)?;
    }
    let import = [
        "-importcert",
        "-noprompt",
        "-alias",
        "c",
        "-file",
        "client.pem",
    ];
    keytool(&new, "trusted.p12", &import)?;
    // Another process may have been faster; its stores are as good.
    if fs::rename(&new, &folder).is_err() {
        fs::remove_dir_all(&new).ok();
    }
    Ok(folder)
}

fn keytool(folder: &Path, store: &str, args: &[&str]) -> Result<(), String> {
    let store = [
        "-storetype",
        "PKCS12",
        "-keystore",
        store,
        "-storepass",
        STORE_PASSWORD,
    ];
    let output = Command::new("keytool")
        .args(args)
        .args(store)
        .current_dir(folder)
        .output()
        .map_err(|e| format!("cannot run keytool: {e}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}

pub(super) fn store(name: &str) -> String {
    let folder = stores().expect("the broker was started with them");
    folder.join(name).display().to_string()
}
