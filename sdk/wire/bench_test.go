package wire

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// The twin of the offer's types for encoding/json, with every field that the
// vocabulary has, in the way a Go program would write them by hand.
type (
	twinID struct {
		Value string `json:"value"`
	}
	twinScalar struct {
		Value float64 `json:"value"`
	}
	twinText struct {
		Value string `json:"value"`
	}
	twinRole struct {
		Role string `json:"role,omitempty"`
	}
	twinRange struct {
		Begin uint64 `json:"begin"`
		End   uint64 `json:"end"`
	}
	twinRanges struct {
		Range []twinRange `json:"range,omitempty"`
	}
	twinSet struct {
		Item []string `json:"item,omitempty"`
	}
	twinLabel struct {
		Key   string `json:"key"`
		Value string `json:"value,omitempty"`
	}
	twinLabels struct {
		Labels []twinLabel `json:"labels,omitempty"`
	}
	twinReservation struct {
		Type      string      `json:"type,omitempty"`
		Role      string      `json:"role,omitempty"`
		Principal string      `json:"principal,omitempty"`
		Labels    *twinLabels `json:"labels,omitempty"`
	}
	twinResource struct {
		ProviderID     *twinID           `json:"provider_id,omitempty"`
		Name           string            `json:"name"`
		Type           string            `json:"type"`
		Scalar         *twinScalar       `json:"scalar,omitempty"`
		Ranges         *twinRanges       `json:"ranges,omitempty"`
		Set            *twinSet          `json:"set,omitempty"`
		Role           string            `json:"role,omitempty"`
		AllocationInfo *twinRole         `json:"allocation_info,omitempty"`
		Reservation    *twinReservation  `json:"reservation,omitempty"`
		Reservations   []twinReservation `json:"reservations,omitempty"`
		Disk           *struct{}         `json:"disk,omitempty"`
		Revocable      *struct{}         `json:"revocable,omitempty"`
		Shared         *struct{}         `json:"shared,omitempty"`
	}
	twinAttribute struct {
		Name   string      `json:"name"`
		Type   string      `json:"type"`
		Scalar *twinScalar `json:"scalar,omitempty"`
		Ranges *twinRanges `json:"ranges,omitempty"`
		Set    *twinSet    `json:"set,omitempty"`
		Text   *twinText   `json:"text,omitempty"`
	}
	twinAddress struct {
		Hostname string `json:"hostname,omitempty"`
		IP       string `json:"ip,omitempty"`
		Port     int32  `json:"port"`
	}
	twinURL struct {
		Scheme   string      `json:"scheme"`
		Address  twinAddress `json:"address"`
		Path     string      `json:"path,omitempty"`
		Query    []twinLabel `json:"query,omitempty"`
		Fragment string      `json:"fragment,omitempty"`
	}
	twinOffer struct {
		ID             twinID          `json:"id"`
		FrameworkID    twinID          `json:"framework_id"`
		AgentID        twinID          `json:"agent_id"`
		Hostname       string          `json:"hostname"`
		URL            *twinURL        `json:"url,omitempty"`
		Domain         *struct{}       `json:"domain,omitempty"`
		Resources      []twinResource  `json:"resources,omitempty"`
		Attributes     []twinAttribute `json:"attributes,omitempty"`
		ExecutorIDs    []twinID        `json:"executor_ids,omitempty"`
		Unavailability *struct{}       `json:"unavailability,omitempty"`
		AllocationInfo *twinRole       `json:"allocation_info,omitempty"`
	}
)

// benchOffer is an offer with 20 resources and 4 attributes.
func benchOffer() *sdk.Offer {
	scalar := func(name string, v float64) sdk.Resource {
		return sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: v},
			AllocationInfo: &sdk.AllocationInfo{Role: "web"}}
	}
	const master = "63e24954-bd1e-4587-888d-1cd2c45912c0"
	o := &sdk.Offer{
		ID: master + "-O17", FrameworkID: master + "-0011", AgentID: master + "-S0", Hostname: "127.0.0.1",
		URL: &sdk.URL{Scheme: "http", Address: sdk.Address{Hostname: "127.0.0.1", IP: "127.0.0.1", Port: 5051}, Path: "/slave(1)"},
		Resources: []sdk.Resource{
			scalar("cpus", 15.5), scalar("mem", 63488), scalar("disk", 819200), scalar("gpus", 2),
			scalar("network_bandwidth", 1000), scalar("blkio_read", 250.125), scalar("blkio_write", 100.3),
			{Name: "ports", Type: sdk.ValueRanges, AllocationInfo: &sdk.AllocationInfo{Role: "web"},
				Ranges: &sdk.Ranges{Range: []sdk.Range{{Begin: 31000, End: 31099}, {Begin: 31200, End: 32000}}}},
			{Name: "rack", Type: sdk.ValueSet, AllocationInfo: &sdk.AllocationInfo{Role: "web"},
				Set: &sdk.Set{Item: []string{"r1", "r2"}}},
		},
		Attributes: []sdk.Attribute{
			{Name: "rack", Type: sdk.ValueText, Text: &sdk.Text{Value: "r1"}},
			{Name: "zone", Type: sdk.ValueText, Text: &sdk.Text{Value: "eu-1a"}},
			{Name: "level", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: 3}},
			{Name: "span", Type: sdk.ValueRanges, Ranges: &sdk.Ranges{Range: []sdk.Range{{Begin: 1, End: 5}}}},
		},
		AllocationInfo: &sdk.AllocationInfo{Role: "web"},
	}
	for i := len(o.Resources); i < 20; i++ {
		o.Resources = append(o.Resources, scalar(fmt.Sprintf("license_%d", i), float64(i)))
	}
	return o
}

func twinOf(t testing.TB) *twinOffer {
	b, err := Marshal(JSON, benchOffer())
	if err != nil {
		t.Fatal(err)
	}
	twin := new(twinOffer)
	if err := json.Unmarshal(b, twin); err != nil {
		t.Fatal(err)
	}
	return twin
}

func BenchmarkOfferEncode(b *testing.B) {
	o, twin := benchOffer(), twinOf(b)
	b.Run("encoding_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out, _ := json.Marshal(twin)
			b.ReportMetric(float64(len(out)), "bytes")
		}
	})
	for _, e := range []Encoding{JSON, Msgpack, Protobuf} {
		b.Run(e.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out, err := Marshal(e, o)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(out)), "bytes")
			}
		})
	}
}

func BenchmarkOfferDecode(b *testing.B) {
	twin, _ := json.Marshal(twinOf(b))
	b.Run("encoding_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := json.Unmarshal(twin, new(twinOffer)); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, e := range []Encoding{JSON, Msgpack, Protobuf} {
		data, err := Marshal(e, benchOffer())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(e.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Unmarshal(e, data, new(sdk.Offer)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestOfferSize holds the size of an offer with 20 resources and 4 attributes in
// our own encoding, and how little memory writing it takes.
func TestOfferSize(t *testing.T) {
	o := benchOffer()
	b, err := Marshal(Msgpack, o)
	if err != nil || len(b) > 1000 {
		t.Errorf("%d bytes, %v; at most 1000 are allowed", len(b), err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = Append(Msgpack, b[:0], o) }); n > 1 {
		t.Errorf("%v allocations to write it into a buffer that is large enough", n)
	}
}
