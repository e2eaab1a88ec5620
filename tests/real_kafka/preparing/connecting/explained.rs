//! Connections that cannot be made, and what kreplay says about them.

use super::listeners::store;
use super::{brokers_at, flags, is_refused};
use crate::KafkaTrial;
use crate::harness::kafka::Kafka;

pub(crate) const CASES: &[KafkaTrial] = &[
    (
        "connecting_without_tls_to_a_tls_port_is_explained",
        plain_to_tls,
    ),
    (
        "connecting_with_tls_to_a_plain_port_is_explained",
        tls_to_plain,
    ),
    (
        "connecting_an_unknown_certificate_authority_is_explained",
        unknown_authority,
    ),
    (
        "connecting_without_sasl_to_a_sasl_port_is_explained",
        no_sasl,
    ),
    (
        "connecting_a_host_name_that_does_not_exist_is_explained",
        unknown_host,
    ),
];

fn plain_to_tls(kafka: &Kafka) {
    let why = "the broker closed the connection at once: its port seems to expect TLS";
    let hint = "`-X security.protocol=SSL`, or SASL_SSL if the cluster also asks for a user";
    is_refused(kafka, &brokers_at(kafka, "TLS"), &[], why, hint);
}

fn tls_to_plain(kafka: &Kafka) {
    let why = "the TLS handshake failed: the broker's port seems not to use TLS";
    let hint = "`-X security.protocol=PLAINTEXT`, or SASL_PLAINTEXT if the cluster asks for a user";
    let tls = flags(&[("security.protocol", "SSL")]);
    is_refused(kafka, &kafka.brokers(), &tls, why, hint);
}

fn unknown_authority(kafka: &Kafka) {
    let why = "the TLS handshake failed: the broker's certificate could not be verified";
    let hint = "name the authority's certificate with `-X ssl.ca.location=FILE`, and the host as the broker's certificate does";
    let other = store("other.pem");
    let tls = flags(&[("security.protocol", "SSL"), ("ssl.ca.location", &other)]);
    is_refused(kafka, &brokers_at(kafka, "TLS"), &tls, why, hint);
}

fn no_sasl(kafka: &Kafka) {
    let why = "the broker closed the connection at once: it may require a user";
    let hint = "`-X security.protocol=SASL_SSL` or SASL_PLAINTEXT, with `sasl.mechanism`, `sasl.username` and `sasl.password`";
    is_refused(kafka, &brokers_at(kafka, "SASL"), &[], why, hint);
}

fn unknown_host(kafka: &Kafka) {
    let why = "`kafka.invalid:9092` cannot be resolved: name or service not known";
    let hint = "";
    is_refused(kafka, "kafka.invalid:9092", &[], why, hint);
}
