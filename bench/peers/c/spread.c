/* librdkafka alone over many partitions: the floor of bench/scale.sh.
 *
 *   spread TOPICS PARTITIONS [BOOTSTRAP]
 *
 * Sends 500,000 records, like those of bench/spread.py, over so many topics of so many partitions: into 32
 * mock brokers in the process, as a rehearsal of kreplay does, or to BOOTSTRAP. Nothing is read, and the
 * records of a partition come in a row, so that as few requests are made as can be. The settings are
 * kreplay's, and so is the number of producers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rdkafka.h"
#include "rdkafka_mock.h"

enum { RECORDS = 500000, BROKERS = 32, TOPICS_OF_PRODUCER = 500, PRODUCERS = 8, IN_FLIGHT = 40000 };

static long delivered, handed;

static void answer(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    if (message->err) {
        fprintf(stderr, "spread: %s\n", rd_kafka_err2str(message->err));
        exit(1);
    }
    delivered++;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "spread: %s\n", why);
        exit(2);
    }
}

static rd_kafka_t *producer(const char *bootstrap) {
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, bootstrap ? "bootstrap.servers" : "test.mock.num.brokers", bootstrap ? bootstrap : "32" /* BROKERS */);
    set(conf, "enable.idempotence", "true");
    set(conf, "compression.type", "lz4");
    set(conf, "linger.ms", "20");
    set(conf, "queue.buffering.max.messages", "200000");
    set(conf, "log_level", "3");
    rd_kafka_conf_set_dr_msg_cb(conf, answer);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!rk) {
        fprintf(stderr, "spread: %s\n", why);
        exit(2);
    }
    return rk;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: spread TOPICS PARTITIONS [BOOTSTRAP]\n");
        return 2;
    }
    int topics = atoi(argv[1]), partitions = atoi(argv[2]);
    if (topics < 1 || partitions < 1 || (long)topics * partitions > RECORDS)
        return 2;
    int used = 1 + (topics - 1) / TOPICS_OF_PRODUCER;
    const char *bootstrap = argc > 3 ? argv[3] : NULL;
    char (*names)[64] = calloc(topics, sizeof *names);
    for (int i = 0; i < topics; i++)
        snprintf(names[i], sizeof *names, "spread-%dx%d-%d", topics, partitions, i);

    rd_kafka_t *producers[PRODUCERS] = {producer(bootstrap)};
    if (!bootstrap) {
        rd_kafka_mock_cluster_t *mock = rd_kafka_handle_mock_cluster(producers[0]);
        /* One after the other, which takes longer than it costs: the mock cluster sleeps between them. */
        for (int i = 0; i < topics; i++)
            rd_kafka_mock_topic_create(mock, names[i], partitions, partitions < BROKERS ? BROKERS : 1);
        bootstrap = rd_kafka_mock_cluster_bootstraps(mock);
    }
    used = used < PRODUCERS ? used : PRODUCERS;
    for (int i = 1; i < used; i++)
        producers[i] = producer(bootstrap);
    rd_kafka_topic_t **handles = calloc(topics, sizeof *handles);
    for (int i = 0; i < topics; i++) {
        handles[i] = rd_kafka_topic_new(producers[i % used], names[i], NULL);
        const struct rd_kafka_metadata *metadata;
        /* A producer id is not asked for before there is a connection. */
        if (i < used && !rd_kafka_metadata(producers[i], 0, handles[i], &metadata, 10000))
            rd_kafka_metadata_destroy(metadata);
    }

    char value[100], key[32];
    memset(value, 'x', sizeof value);
    int all = topics * partitions, each = RECORDS / all;
    for (int p = 0; p < all; p++) {
        int topic = p / partitions;
        for (int n = 0; n < each; n++) {
            int length = snprintf(key, sizeof key, "key-%ld", handed);
            while (rd_kafka_produce(handles[topic], p % partitions, 0, value, sizeof value, key, length, NULL))
                rd_kafka_poll(producers[topic % used], 10);
            handed++;
        }
        do {
            int wait = handed - delivered > IN_FLIGHT ? 5 : 0;
            for (int i = 0; i < used; i++)
                rd_kafka_poll(producers[i], i ? 0 : wait);
        } while (handed - delivered > IN_FLIGHT);
    }
    for (int i = 0; i < used; i++)
        rd_kafka_flush(producers[i], 300000);
    for (int i = 0; i < topics; i++)
        rd_kafka_topic_destroy(handles[i]);
    for (int i = used - 1; i >= 0; i--)
        rd_kafka_destroy(producers[i]);
    if (delivered != RECORDS) {
        fprintf(stderr, "spread: %ld records delivered\n", delivered);
        return 1;
    }
    return 0;
}
