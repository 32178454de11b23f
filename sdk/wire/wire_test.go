package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/profferhq/proffer/sdk"
)

func TestEncodingsAgree(t *testing.T) {
	ten := 10.5
	in := sdk.Call{FrameworkID: "f", Type: sdk.CallAccept, Accept: &sdk.Accept{
		OfferIDs: []sdk.OfferID{"a", "b\n\"é"},
		Filters:  &sdk.Filters{RefuseSeconds: &ten},
	}, Acknowledge: &sdk.Acknowledge{AgentID: "a", UUID: []byte{0, 1, 255}}}
	for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
		b, err := Marshal(e, in)
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		var out sdk.Call
		if err := Unmarshal(e, b, &out); err != nil {
			t.Fatalf("%s: %v\n%q", e, err, b)
		}
		if d := cmp.Diff(in, out); d != "" {
			t.Errorf("%s: %s\n%q", e, d, b)
		}
	}
}
