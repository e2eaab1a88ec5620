// Topic gives every timed command an empty topic and counts afterwards what is in it, with a client
// that none of the compared commands has to thank for it. It starts faster than Kafka's own tools.
//
//	topic -b HOST:PORT -fresh NAME:PARTITIONS    delete NAME if it exists, create it, wait for its leaders
//	topic -b HOST:PORT -count NAME               print the number of records in NAME
//	topic -b HOST:PORT -delete NAME              delete NAME if it exists
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func main() {
	log.SetFlags(0)
	brokers := flag.String("b", "127.0.0.1:9092", "bootstrap servers, HOST:PORT,...")
	fresh := flag.String("fresh", "", "NAME:PARTITIONS of the topic to delete and create")
	count := flag.String("count", "", "NAME of the topic whose records are counted")
	remove := flag.String("delete", "", "NAME of the topic to delete")
	flag.Parse()

	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(*brokers, ",")...))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	switch {
	case *fresh != "":
		err = recreate(ctx, client, *fresh)
	case *count != "":
		var records int64
		if records, err = countRecords(ctx, client, *count); err == nil {
			fmt.Println(records)
		}
	case *remove != "":
		err = deleteTopic(ctx, client, *remove)
	default:
		err = errors.New("one of -fresh, -count and -delete is needed")
	}
	if err != nil {
		log.Fatal(err)
	}
}

func recreate(ctx context.Context, client *kgo.Client, spec string) error {
	name, number, found := strings.Cut(spec, ":")
	partitions, err := strconv.ParseInt(number, 10, 32)
	if !found || err != nil {
		return fmt.Errorf("`%s` is not NAME:PARTITIONS", spec)
	}
	if err := freeDiskSoon(ctx, client); err != nil {
		return err
	}
	if err := deleteTopic(ctx, client, name); err != nil {
		return err
	}
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, int32(partitions), 1
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if err := kerr.ErrorForCode(response.Topics[0].ErrorCode); err != nil {
		return fmt.Errorf("creating `%s`: %w", name, err)
	}
	return waitForLeaders(ctx, client, name, int(partitions))
}

// freeDiskSoon lets the logs of deleted topics leave the disk after a second instead of a minute, so
// that many rounds need little more space than one. The broker belongs to the benchmark alone.
func freeDiskSoon(ctx context.Context, client *kgo.Client) error {
	delay := "1000"
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value = "log.segment.delete.delay.ms", &delay
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeBroker, ""
	resource.Configs = append(resource.Configs, config)
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.Resources[0].ErrorCode)
}

func deleteTopic(ctx context.Context, client *kgo.Client, name string) error {
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = &name
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.TopicNames = []string{name}
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("deleting `%s`: %w", name, err)
	}
	return nil
}

// waitForLeaders returns when the broker itself answers for every partition.
func waitForLeaders(ctx context.Context, client *kgo.Client, name string, partitions int) error {
	for {
		if _, err := offsets(ctx, client, name, partitions, latest); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("topic `%s` has no leaders: %w", name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func countRecords(ctx context.Context, client *kgo.Client, name string) (int64, error) {
	metadata, err := topicMetadata(ctx, client, name)
	if err != nil {
		return 0, err
	}
	end, err := offsets(ctx, client, name, len(metadata.Partitions), latest)
	if err != nil {
		return 0, err
	}
	start, err := offsets(ctx, client, name, len(metadata.Partitions), earliest)
	return end - start, err
}

func topicMetadata(ctx context.Context, client *kgo.Client, name string) (kmsg.MetadataResponseTopic, error) {
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return kmsg.MetadataResponseTopic{}, err
	}
	return response.Topics[0], kerr.ErrorForCode(response.Topics[0].ErrorCode)
}

// The times that ListOffsets understands as the ends of a partition (Kafka protocol guide).
const (
	latest   = -1
	earliest = -2
)

// offsets sums one end of every partition. The broker of the benchmark is alone, so any broker leads.
func offsets(ctx context.Context, client *kgo.Client, name string, partitions int, time int64) (int64, error) {
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = name
	for p := range partitions {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = int32(p), time
		topic.Partitions = append(topic.Partitions, partition)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID = -1
	request.Topics = append(request.Topics, topic)
	var sum int64
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return 0, err
	}
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return 0, fmt.Errorf("offsets of `%s`: %w", name, err)
			}
			sum += partition.Offset
		}
	}
	return sum, nil
}
