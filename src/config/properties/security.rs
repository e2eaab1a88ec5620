//! TLS and SASL settings that cannot work together: librdkafka reports them in the words of OpenSSL or of its
//! own build, or not at all. kreplay says in one sentence what is missing, before it tries anything.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::{Properties, value};
use crate::error::{Error, reason};

/// SASL mechanisms of librdkafka as kreplay builds it.
const MECHANISMS: &str = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER";
/// The first bytes of Java's own keystores (sun.security.provider.JavaKeyStore, JceKeyStore).
const JAVA_KEYSTORES: [[u8; 4]; 2] = [[0xFE, 0xED, 0xFE, 0xED], [0xCE, 0xCE, 0xCE, 0xCE]];
/// The first byte of every PKCS#12 file: a DER sequence.
const DER_SEQUENCE: u8 = 0x30;
/// Files of librdkafka's TLS settings.
const FILES: [&str; 5] = [
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.crl.location",
    KEYSTORE,
];
const KEYSTORE: &str = "ssl.keystore.location";
/// What OpenSSL 3 says about ciphers that only its legacy provider has.
const OLD_CIPHER: &str = "unsupported";

/// Whether a run has its own source of OAUTHBEARER tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenSupply {
    /// `--oauth-command` or `--oauth-file`.
    Flag,
    /// Only the properties.
    Properties,
}

/// Checks the TLS and SASL properties.
///
/// # Errors
/// Returns [`Error::Config`], which says what is missing or cannot be read, and what to do.
pub(crate) fn check(properties: &Properties, tokens: TokenSupply) -> Result<(), Error> {
    let protocol = value(properties, "security.protocol").unwrap_or("plaintext");
    let protocol = protocol.trim().to_ascii_lowercase();
    if protocol.starts_with("sasl_") {
        check_sasl(properties, &protocol.to_ascii_uppercase(), tokens)?;
    }
    if protocol.ends_with("ssl") {
        check_files(properties)?;
    }
    Ok(())
}

/// Settings that switch off a part of TLS's check of the broker, as the user wrote them. A broker that is
/// named by its IP address has no name to compare; this matters only if all of `brokers` are.
pub(crate) fn unchecked(properties: &Properties, brokers: &str) -> Vec<String> {
    let protocol = value(properties, "security.protocol").unwrap_or("plaintext");
    if !protocol.trim().to_ascii_lowercase().ends_with("ssl") {
        return Vec::new();
    }
    let is = |name, off: &str| set(properties, name).is_some_and(|v| v.eq_ignore_ascii_case(off));
    let is_ip = |broker: &str| {
        let address = broker.trim();
        let address = address
            .split_once("://")
            .map_or(address, |(_, address)| address);
        address.parse::<SocketAddr>().is_ok() || address.parse::<IpAddr>().is_ok()
    };
    let (verification, name) = (
        "enable.ssl.certificate.verification",
        "ssl.endpoint.identification.algorithm",
    );
    let mut off = Vec::new();
    if is(verification, "false") {
        off.push(format!("{verification}=false"));
    }
    if is(name, "none") && !brokers.split(',').all(is_ip) {
        off.push(format!("{name}=none"));
    }
    off
}

fn refused(message: String, hint: &str) -> Error {
    Error::Config {
        message,
        hint: Some(hint.into()),
    }
}

/// The value of a property, if it is set and not empty.
fn set<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    value(properties, name)
        .map(str::trim)
        .filter(|v| !v.is_empty())
}

fn check_sasl(properties: &Properties, protocol: &str, tokens: TokenSupply) -> Result<(), Error> {
    let mechanism =
        set(properties, "sasl.mechanism").or_else(|| set(properties, "sasl.mechanisms"));
    let Some(mechanism) = mechanism else {
        let message = format!("`security.protocol={protocol}` needs `sasl.mechanism`");
        return Err(refused(message, &format!("set it to {MECHANISMS}")));
    };
    match mechanism.to_ascii_uppercase().as_str() {
        // librdkafka and the broker decide which hash functions exist.
        name if name == "PLAIN" || name.starts_with("SCRAM-SHA-") => {
            let wanted = ["sasl.username", "sasl.password"];
            let missing = wanted
                .into_iter()
                .find(|name| set(properties, name).is_none());
            missing.map_or(Ok(()), |name| {
                let message = format!("`sasl.mechanism={mechanism}` needs `{name}`");
                Err(refused(message, "set it in a file for `-F`"))
            })
        }
        "OAUTHBEARER" => check_tokens(properties, tokens),
        "GSSAPI" => Err(refused(
            "`sasl.mechanism=GSSAPI`: kreplay is built without Kerberos".into(),
            &format!("use {MECHANISMS}"),
        )),
        _ => Err(refused(
            format!("`sasl.mechanism={mechanism}` is not a mechanism that kreplay knows"),
            &format!("use {MECHANISMS}"),
        )),
    }
}

fn check_tokens(properties: &Properties, tokens: TokenSupply) -> Result<(), Error> {
    let sources = "name a source of tokens with `--oauth-command COMMAND` or `--oauth-file FILE`";
    if set(properties, "sasl.oauthbearer.method").is_some_and(|m| m.eq_ignore_ascii_case("oidc")) {
        let message = "`sasl.oauthbearer.method=oidc`: kreplay is built without OIDC".into();
        return Err(refused(message, sources));
    }
    let unsecured = set(properties, "enable.sasl.oauthbearer.unsecure.jwt");
    match tokens == TokenSupply::Flag || unsecured == Some("true") {
        true => Ok(()),
        false => Err(refused("OAUTHBEARER needs tokens".into(), sources)),
    }
}

/// Checks that the files of the TLS settings exist and are of the right kind.
fn check_files(properties: &Properties) -> Result<(), Error> {
    for name in FILES {
        // librdkafka itself looks for an authority's certificate if this property says so.
        let path = set(properties, name).filter(|path| *path != "probe");
        let Some(path) = path else { continue };
        let start = start_of(Path::new(path)).map_err(|why| {
            Error::config(format!("cannot read {path}, which is `{name}`: {why}"))
        })?;
        check_kind(name, path, &start)?;
    }
    Ok(())
}

/// The first bytes of a file; `None` for a folder, in which OpenSSL looks for certificates.
fn start_of(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |e: std::io::Error| reason(&e);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    let mut start = Vec::new();
    // Opening a named pipe would wait for its writer, and reading it would take what librdkafka needs.
    if metadata.is_file() {
        let file = File::open(path).map_err(failed)?;
        file.take(4).read_to_end(&mut start).map_err(failed)?;
    }
    Ok(start)
}

fn check_kind(name: &str, path: &str, start: &[u8]) -> Result<(), Error> {
    let is_java = JAVA_KEYSTORES.iter().any(|magic| start == magic);
    match name {
        _ if is_java && name == "ssl.ca.location" => Err(refused(
            format!("{path}, which is `{name}`, is a Java keystore, not PEM"),
            &format!(
                "`keytool -exportcert -rfc -keystore {path} -alias ALIAS -file ca.pem` converts it"
            ),
        )),
        _ if is_java => Err(refused(
            format!(
                "{path}, which is `{name}`, is a Java keystore, which librdkafka does not read"
            ),
            &format!(
                "`keytool -importkeystore -srckeystore {path} -destkeystore keystore.p12 \
                 -deststoretype PKCS12` converts it"
            ),
        )),
        KEYSTORE if !start.is_empty() && start[0] != DER_SEQUENCE => Err(refused(
            format!("{path}, which is `{name}`, is not PKCS#12"),
            "PEM files go into `ssl.certificate.location` and `ssl.key.location`",
        )),
        _ => Ok(()),
    }
}

/// What librdkafka's refusal to create a client means, if a file of the TLS settings is the cause; `text` is
/// librdkafka's own, and `setting` returns the value of a property.
pub(crate) fn explain<'a>(setting: impl Fn(&str) -> Option<&'a str>, text: &str) -> Option<Error> {
    let name = FILES.into_iter().find(|name| text.contains(name))?;
    let path = setting(name)?;
    let file = format!("{path}, which is `{name}`,");
    Some(if text.contains("mac verify") {
        let message = format!("{file} does not open with `ssl.keystore.password`");
        Error::config(message)
    } else if name == KEYSTORE && text.contains(OLD_CIPHER) {
        refused(
            format!("{file} uses an old cipher that OpenSSL 3 does not read"),
            &format!(
                "`openssl pkcs12 -legacy -in {path} -nodes | openssl pkcs12 -export -out \
                 keystore.p12` converts it"
            ),
        )
    } else if name == KEYSTORE {
        Error::config(format!("{file} is not a whole PKCS#12 file"))
    } else {
        refused(
            format!("{file} does not contain PEM of that kind"),
            "check what the file contains",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn properties(text: &str) -> Properties {
        let pairs = text
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    }

    fn refusal(text: &str, tokens: TokenSupply) -> Option<(String, Option<String>)> {
        let error = check(&properties(text), tokens).err()?;
        Some((error.to_string(), error.hint()))
    }

    #[test]
    fn missing_sasl_settings_are_named_in_one_sentence() {
        let tokens =
            "name a source of tokens with `--oauth-command COMMAND` or `--oauth-file FILE`";
        for (text, message, hint) in [
            (
                "security.protocol=SASL_SSL",
                "`security.protocol=SASL_SSL` needs `sasl.mechanism`",
                "set it to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
            ),
            (
                "security.protocol=sasl_plaintext sasl.mechanisms=PLAIN sasl.username=a",
                "`sasl.mechanism=PLAIN` needs `sasl.password`",
                "set it in a file for `-F`",
            ),
            (
                "security.protocol=SASL_SSL sasl.mechanism=SCRAM-SHA-512 sasl.password=x",
                "`sasl.mechanism=SCRAM-SHA-512` needs `sasl.username`",
                "set it in a file for `-F`",
            ),
            (
                "security.protocol=SASL_SSL sasl.mechanism=GSSAPI",
                "`sasl.mechanism=GSSAPI`: kreplay is built without Kerberos",
                "use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
            ),
            (
                "security.protocol=SASL_SSL sasl.mechanism=SCRAM",
                "`sasl.mechanism=SCRAM` is not a mechanism that kreplay knows",
                "use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
            ),
            (
                "security.protocol=SASL_SSL sasl.mechanism=OAUTHBEARER",
                "OAUTHBEARER needs tokens",
                tokens,
            ),
            (
                "security.protocol=SASL_SSL sasl.mechanism=OAUTHBEARER sasl.oauthbearer.method=oidc",
                "`sasl.oauthbearer.method=oidc`: kreplay is built without OIDC",
                tokens,
            ),
        ] {
            let expected = Some((message.to_string(), Some(hint.to_string())));
            assert_eq!(refusal(text, TokenSupply::Properties), expected, "{text}");
        }
    }

    #[test]
    fn complete_security_settings_are_accepted() {
        for (text, tokens) in [
            ("", TokenSupply::Properties),
            ("sasl.mechanism=PLAIN", TokenSupply::Properties),
            (
                "security.protocol=SASL_SSL sasl.mechanism=PLAIN sasl.username=a sasl.password=b",
                TokenSupply::Properties,
            ),
            (
                "security.protocol=SASL_SSL sasl.mechanism=OAUTHBEARER",
                TokenSupply::Flag,
            ),
            (
                "security.protocol=SASL_PLAINTEXT sasl.mechanism=OAUTHBEARER \
                 enable.sasl.oauthbearer.unsecure.jwt=true",
                TokenSupply::Properties,
            ),
            (
                "security.protocol=SSL ssl.ca.location=probe",
                TokenSupply::Properties,
            ),
            // Without TLS no file is read.
            ("ssl.ca.location=/no/such/file", TokenSupply::Properties),
        ] {
            assert_eq!(refusal(text, tokens), None, "{text}");
        }
    }

    #[test]
    fn a_missing_or_unsuitable_key_file_is_named() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("the folder is writable");
            path.display().to_string()
        };
        let jks = file("x.jks", b"\xFE\xED\xFE\xED\0\0\0\x02");
        let pem = file("x.pem", b"-----BEGIN CERTIFICATE-----");
        let p12 = file("x.p12", b"\x30\x82\x09\x39");
        let tls = |name: &str, path: &str| {
            refusal(
                &format!("security.protocol=ssl {name}={path}"),
                TokenSupply::Properties,
            )
        };
        assert_eq!(tls("ssl.ca.location", &pem), None);
        assert_eq!(
            tls("ssl.ca.location", &folder.path().display().to_string()),
            None
        );
        assert_eq!(tls("ssl.keystore.location", &p12), None);
        let sentence = |refusal: Option<(String, Option<String>)>| refusal.map(|(text, _)| text);
        assert_eq!(
            sentence(tls("ssl.ca.location", "/no/such/ca.pem")).as_deref(),
            Some(
                "cannot read /no/such/ca.pem, which is `ssl.ca.location`: no such file or directory"
            )
        );
        let (text, hint) = tls("ssl.ca.location", &jks).expect("Java's is not PEM");
        assert_eq!(
            text,
            format!("{jks}, which is `ssl.ca.location`, is a Java keystore, not PEM")
        );
        assert!(hint.is_some_and(|hint| hint.contains("keytool -exportcert -rfc")));
        let (text, hint) = tls("ssl.keystore.location", &jks).expect("Java's is not PKCS#12");
        let expected = format!(
            "{jks}, which is `ssl.keystore.location`, is a Java keystore, which librdkafka does not read"
        );
        assert_eq!(text, expected);
        assert!(hint.is_some_and(|hint| hint.contains("-deststoretype PKCS12")));
        assert_eq!(
            sentence(tls("ssl.keystore.location", &pem)),
            Some(format!(
                "{pem}, which is `ssl.keystore.location`, is not PKCS#12"
            ))
        );
    }

    /// What librdkafka 2.12.1 says with OpenSSL 3.
    #[test]
    fn an_openssl_error_about_a_file_becomes_a_sentence() {
        for (said, sentence) in [
            (
                "Failed to parse ssl.keystore.location PKCS#12 file: f: error:0308010C:digital envelope \
                 routines::unsupported: Global default library context, Algorithm (RC2-40-CBC : 0)",
                "f, which is `ssl.keystore.location`, uses an old cipher that OpenSSL 3 does not read",
            ),
            (
                "Failed to parse ssl.keystore.location PKCS#12 file: f: error:11800071:PKCS12 \
                 routines::mac verify failure",
                "f, which is `ssl.keystore.location`, does not open with `ssl.keystore.password`",
            ),
            (
                "ssl.ca.location failed: error:05800088:x509 certificate routines::no certificate or \
                 crl found",
                "f, which is `ssl.ca.location`, does not contain PEM of that kind",
            ),
            (
                "ssl.key.location failed: error:0A080009:SSL routines::PEM lib",
                "f, which is `ssl.key.location`, does not contain PEM of that kind",
            ),
        ] {
            let explained = explain(|_| Some("f"), said).map(|error| error.to_string());
            assert_eq!(explained.as_deref(), Some(sentence));
        }
        assert_eq!(explain(|_| Some("f"), "no brokers"), None);
    }
}
