// Produce sends column one of a CSV that `speedctl extract data` wrote to a topic: what a careful
// reader of a guide writes. Asynchronous produce, the client's defaults (idempotent, acks from all
// replicas), a flush at the end, and every delivery error counted. Compression is off, as is kcat's
// default, so that both send plain bytes.
package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	log.SetFlags(0)
	brokers := flag.String("b", "127.0.0.1:9092", "bootstrap servers, HOST:PORT,...")
	topic := flag.String("t", "bench", "destination topic")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: produce -b HOST:PORT -t TOPIC FILE.csv")
	}
	sent, failed, err := run(*brokers, *topic, flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	if failed > 0 {
		log.Fatalf("%d of %d records failed", failed, sent)
	}
	fmt.Printf("%d records sent\n", sent)
}

func run(brokers, topic, path string) (sent, failed int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()

	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()

	rows := csv.NewReader(bufio.NewReaderSize(file, 1<<20))
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil {
		return 0, 0, fmt.Errorf("header: %w", err)
	}
	ctx := context.Background()
	var failures atomic.Int64
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return sent, failures.Load(), err
		}
		client.Produce(ctx, kgo.StringRecord(row[0]), func(_ *kgo.Record, err error) {
			if err != nil {
				failures.Add(1)
			}
		})
		sent++
	}
	if err := client.Flush(ctx); err != nil {
		return sent, failures.Load(), err
	}
	return sent, failures.Load(), nil
}
