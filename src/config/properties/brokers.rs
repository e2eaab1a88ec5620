//! The list of bootstrap servers: kreplay refuses what cannot be an address before it tries anything.
//! librdkafka accepts most of it, and reads some of it as another address: ports above 65535 wrap.

use crate::error::Error;

/// What librdkafka accepts before `://` (rdkafka_broker.c, rd_kafka_broker_name_parse).
const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];
/// What a broker's address looks like, for a hint.
const SHAPE: &str = "name brokers as HOST:PORT, separated by commas";

/// Checks every broker of `list`.
///
/// # Errors
/// Returns [`Error::Config`], which names the broker whose address is wrong and says what to write
/// instead.
pub(crate) fn check(list: &str) -> Result<(), Error> {
    if list.contains('@') {
        // What comes before `@` is a secret, and may hold commas.
        return Err(Error::Config {
            message: "a broker's address cannot contain a user or a password".into(),
            hint: Some("set `sasl.username` and `sasl.password` in a file for `-F`".into()),
        });
    }
    let mut brokers = list.split(',').map(str::trim).filter(|b| !b.is_empty());
    let Some(first) = brokers.next() else {
        return Err(Error::Config {
            message: format!("`{list}` does not name a broker"),
            hint: Some(SHAPE.into()),
        });
    };
    std::iter::once(first)
        .chain(brokers)
        .try_for_each(|broker| {
            check_one(broker).map_err(|RefusedBroker { what, hint }| Error::Config {
                message: what,
                hint: Some(hint),
            })
        })
}

struct RefusedBroker {
    what: String,
    hint: String,
}

fn check_one(broker: &str) -> Result<(), RefusedBroker> {
    let refused = |what: String, hint: &str| RefusedBroker {
        what,
        hint: hint.into(),
    };
    let address = match broker.split_once("://") {
        Some((protocol, address)) => check_protocol(broker, protocol, address)?,
        None => broker,
    };
    // librdkafka ignores what follows the slash after a host; nobody intends that.
    if address.contains(['/', ' ', '\t']) {
        return Err(refused(
            format!("`{broker}` is not an address of a broker"),
            SHAPE,
        ));
    }
    let (host, port) = split(broker, address)?;
    if host.is_empty() {
        return Err(refused(format!("`{broker}` has no host"), SHAPE));
    }
    match port.map(str::parse::<u32>) {
        None | Some(Ok(1..=65535)) => Ok(()),
        Some(_) => Err(refused(
            format!("`{broker}` has no port between 1 and 65535"),
            SHAPE,
        )),
    }
}

fn check_protocol<'a>(
    broker: &str,
    protocol: &str,
    address: &'a str,
) -> Result<&'a str, RefusedBroker> {
    let known = protocol.to_ascii_lowercase();
    if PROTOCOLS.contains(&known.as_str()) {
        return Ok(address);
    }
    let with_tls = ["ssl", "tls", "https"];
    let hint = match with_tls.iter().any(|sign| known.contains(sign)) {
        true => format!("write `{address}` and set `-X security.protocol=SSL`, or SASL_SSL"),
        false => {
            format!("write `{address}`, and set `-X security.protocol` if it is not PLAINTEXT")
        }
    };
    Err(RefusedBroker {
        what: format!("`{broker}`: `{protocol}` is not a protocol that Kafka clients use"),
        hint,
    })
}

/// Host and port; an IPv6 address is in brackets.
fn split<'a>(broker: &str, address: &'a str) -> Result<(&'a str, Option<&'a str>), RefusedBroker> {
    if let Some(rest) = address.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((host, "")) => Ok((host, None)),
            Some((host, port)) if port.starts_with(':') => Ok((host, Some(&port[1..]))),
            _ => Err(RefusedBroker {
                what: format!("`{broker}` is not an IPv6 address with a port"),
                hint: "write it as `[::1]:9092`".into(),
            }),
        };
    }
    if address.matches(':').count() > 1 {
        return Err(RefusedBroker {
            what: format!("`{broker}` is an IPv6 address without brackets"),
            hint: "write it as `[::1]:9092`".into(),
        });
    }
    Ok(match address.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_librdkafka_understands_pass() {
        for list in [
            "localhost:9092",
            "localhost",
            "a:1,b:65535",
            " a:1 , b:2 ,",
            "[::1]:9092",
            "[::1]",
            "SASL_SSL://kafka.example:9093",
            "ssl://[2001:db8::1]:9093",
        ] {
            assert_eq!(check(list), Ok(()), "{list}");
        }
    }

    #[test]
    fn an_invalid_address_is_named_with_the_correct_form() {
        for (list, message, hint) in [
            ("", "`` does not name a broker", SHAPE),
            (" , ", "` , ` does not name a broker", SHAPE),
            (
                "a:99999",
                "`a:99999` has no port between 1 and 65535",
                SHAPE,
            ),
            ("a:1,b:0", "`b:0` has no port between 1 and 65535", SHAPE),
            ("a:port", "`a:port` has no port between 1 and 65535", SHAPE),
            ("a:", "`a:` has no port between 1 and 65535", SHAPE),
            (":9092", "`:9092` has no host", SHAPE),
            ("a b:1", "`a b:1` is not an address of a broker", SHAPE),
            ("a:1/x", "`a:1/x` is not an address of a broker", SHAPE),
            (
                "::1",
                "`::1` is an IPv6 address without brackets",
                "write it as `[::1]:9092`",
            ),
            (
                "[::1]9092",
                "`[::1]9092` is not an IPv6 address with a port",
                "write it as `[::1]:9092`",
            ),
            (
                "kafka+ssl://k:9093",
                "`kafka+ssl://k:9093`: `kafka+ssl` is not a protocol that Kafka clients use",
                "write `k:9093` and set `-X security.protocol=SSL`, or SASL_SSL",
            ),
            (
                "http://k:80",
                "`http://k:80`: `http` is not a protocol that Kafka clients use",
                "write `k:80`, and set `-X security.protocol` if it is not PLAINTEXT",
            ),
            (
                "ssl://user:hunter2@k:1",
                "a broker's address cannot contain a user or a password",
                "set `sasl.username` and `sasl.password` in a file for `-F`",
            ),
        ] {
            let error = check(list).expect_err(list);
            assert_eq!(error.to_string(), message);
            assert_eq!(error.hint().as_deref(), Some(hint), "{list}");
        }
    }
}
