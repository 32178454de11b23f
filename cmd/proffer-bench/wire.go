package main

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// plainOffer is the same offer as a Go program would write it for encoding/json by hand,
// with just the fields that are used: the least that encoding/json can do.
type plainOffer struct {
	ID          plainValue      `json:"id"`
	FrameworkID plainValue      `json:"framework_id"`
	AgentID     plainValue      `json:"agent_id"`
	Hostname    string          `json:"hostname"`
	Resources   []plainResource `json:"resources,omitempty"`
	Attributes  []plainResource `json:"attributes,omitempty"`
	Allocation  *plainRole      `json:"allocation_info,omitempty"`
}

type plainValue struct {
	Value string `json:"value"`
}

type plainRole struct {
	Role string `json:"role,omitempty"`
}

type plainResource struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Scalar *struct {
		Value float64 `json:"value"`
	} `json:"scalar,omitempty"`
	Ranges *struct {
		Range []struct {
			Begin uint64 `json:"begin"`
			End   uint64 `json:"end"`
		} `json:"range,omitempty"`
	} `json:"ranges,omitempty"`
	Text       *plainValue `json:"text,omitempty"`
	Allocation *plainRole  `json:"allocation_info,omitempty"`
}

// wireOffer has 20 resources and 4 attributes.
func wireOffer() *sdk.Offer {
	const master = "63e24954-bd1e-4587-888d-1cd2c45912c0"
	role := &sdk.AllocationInfo{Role: "web"}
	o := &sdk.Offer{ID: master + "-O17", FrameworkID: master + "-0011", AgentID: master + "-S0", Hostname: "127.0.0.1", AllocationInfo: role}
	for i, name := range []string{"cpus", "mem", "disk", "gpus"} {
		o.Resources = append(o.Resources, sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: 15.5 * float64(i+1)}, AllocationInfo: role})
	}
	o.Resources = append(o.Resources, sdk.Resource{Name: "ports", Type: sdk.ValueRanges, AllocationInfo: role,
		Ranges: &sdk.Ranges{Range: []sdk.Range{{Begin: 31000, End: 31099}, {Begin: 31200, End: 32000}}}})
	for i := len(o.Resources); i < 20; i++ {
		o.Resources = append(o.Resources, sdk.Resource{Name: fmt.Sprintf("license_%d", i), Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: float64(i)}, AllocationInfo: role})
	}
	for i := range 4 {
		o.Attributes = append(o.Attributes, sdk.Attribute{Name: fmt.Sprintf("tag_%d", i), Type: sdk.ValueText, Text: &sdk.Text{Value: "eu-1a"}})
	}
	return o
}

// timed is the time of one call, in microseconds.
func timed(work func() error) (float64, error) {
	var failure error
	r := testing.Benchmark(func(b *testing.B) {
		for range b.N {
			if err := work(); err != nil {
				failure = err
				return
			}
		}
	})
	return float64(r.NsPerOp()) / 1000, failure
}

// both is the time to encode and the time to decode.
func both(encode func() ([]byte, error), decode func([]byte) error) (enc, dec float64, size int, err error) {
	body, err := encode()
	if err != nil {
		return 0, 0, 0, err
	}
	if enc, err = timed(func() error { _, err := encode(); return err }); err != nil {
		return 0, 0, 0, err
	}
	dec, err = timed(func() error { return decode(body) })
	return enc, dec, len(body), err
}

// wireBench is perf-24: the offer in our encodings, against encoding/json.
func wireBench(context.Context, options) ([]row, error) {
	offer, plain := wireOffer(), &plainOffer{}
	text, err := wire.Marshal(wire.JSON, offer)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, plain); err != nil {
		return nil, err
	}
	stdEnc, stdDec, stdSize, err := both(func() ([]byte, error) { return json.Marshal(plain) }, func(b []byte) error { return json.Unmarshal(b, &plainOffer{}) })
	if err != nil {
		return nil, err
	}
	rows := []row{{ID: "json", What: "encoding/json, offer with 20 resources: encode + decode", Figure: stdEnc + stdDec, Unit: "us", Note: fmt.Sprintf("%.1f + %.1f us, %d B", stdEnc, stdDec, stdSize)}}
	for _, e := range []wire.Encoding{wire.Msgpack, wire.JSON, wire.Protobuf} {
		enc, dec, size, err := both(func() ([]byte, error) { return wire.Marshal(e, offer) }, func(b []byte) error { return wire.Unmarshal(e, b, &sdk.Offer{}) })
		if err != nil {
			return rows, err
		}
		note := fmt.Sprintf("%.1f + %.1f us, %d B", enc, dec, size)
		switch e {
		case wire.Msgpack:
			rows = append(rows, row{ID: "perf-24", What: "msgpack: encode + decode against encoding/json", Figure: (enc + dec) / (stdEnc + stdDec), Unit: "x", Note: note}.atMost(0.35),
				row{ID: "perf-24", What: "msgpack: size", Figure: float64(size), Unit: "B"}.atMost(1000))
		case wire.JSON:
			rows = append(rows, row{ID: "perf-24", What: "JSON: encode against encoding/json", Figure: enc / stdEnc, Unit: "x", Note: note}.atMost(1.1))
		default:
			rows = append(rows, row{ID: "perf-24", What: "protobuf: encode + decode against encoding/json", Figure: (enc + dec) / (stdEnc + stdDec), Unit: "x", Note: note})
		}
	}
	return rows, nil
}
