package wire

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// TestMarshalRefuses: what can not be written is refused alike in every encoding,
// with the path of the field.
func TestMarshalRefuses(t *testing.T) {
	nan := math.NaN()
	type behind struct {
		Inner *sdk.Scalar `wire:"1,inner,required"`
	}
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"required enumeration", sdk.Attribute{Name: "rack"}, "type: is required"},
		{"required pointer", behind{}, "inner: is required"},
		{"unknown enumeration", sdk.Call{Type: "SELFDESTRUCT"}, `type: "SELFDESTRUCT" is not a value of CallType`},
		{"not a number", sdk.Call{Accept: &sdk.Accept{Filters: &sdk.Filters{RefuseSeconds: &nan}}}, "accept.filters.refuse_seconds: is not a number"},
		{"text", sdk.Call{Accept: &sdk.Accept{OfferIDs: []sdk.OfferID{"a", "\xff"}}}, "accept.offer_ids[1]: is not valid UTF-8"},
		{"key", sdk.OfferConstraints{RoleConstraints: map[string]sdk.RoleConstraints{"\xff": {}}}, `role_constraints["\xff"]: the key is not valid UTF-8`},
	} {
		for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
			dst := []byte("before")
			got, err := Append(e, dst, c.v)
			if want := "write " + e.String() + ": " + c.want; err == nil || err.Error() != want || sdk.CodeOf(err) != sdk.CodeInvalid {
				t.Errorf("%s: %v, want %s", c.name, err, want)
			}
			if string(got) != "before" {
				t.Errorf("%s: dst became %q", c.name, got)
			}
		}
	}
}

// TestUnmarshalLeavesZero: what is refused leaves nothing behind, what is read
// replaces all that was there.
func TestUnmarshalLeavesZero(t *testing.T) {
	v := sdk.Kill{TaskID: "old", AgentID: "old"}
	if err := Unmarshal(JSON, []byte(`{"task_id":{"value":"new"},"agent_id":5}`), &v); err == nil || v != (sdk.Kill{}) {
		t.Errorf("%v left %v", err, v)
	}
	v = sdk.Kill{TaskID: "old", AgentID: "old"}
	if err := Unmarshal(JSON, []byte(`{"task_id":{"value":"new"}}`), &v); err != nil || v != (sdk.Kill{TaskID: "new"}) {
		t.Errorf("%v left %v", err, v)
	}
}

// TestBadTypes: a Go type that can not go over the wire is a fault of ours, and
// named as such.
func TestBadTypes(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{struct{ A string }{}, "needs a wire tag"},
		{struct {
			A string `wire:"a"`
		}{}, `the tag "a" is not`},
		{struct {
			A string `wire:"0,a"`
		}{}, `field number "0"`},
		{struct {
			A string `wire:"1,a,optional"`
		}{}, `unknown option "optional"`},
		{struct {
			A string `wire:"1,a"`
			B string `wire:"1,b"`
		}{}, "two fields"},
		{struct {
			A int `wire:"1,a,value"`
		}{}, "only for strings"},
		{struct {
			A chan int `wire:"1,a"`
		}{}, "a chan int can not"},
		{struct {
			A []string `wire:"1,a,default=x"`
		}{}, "can not have a default"},
		{struct {
			A sdk.TaskState `wire:"1,a,default=x"`
		}{}, `the default "x" is not a value of TaskState`},
		{5, "a int is not a message"},
		{(*sdk.Call)(nil), "is not a message"},
	} {
		_, err := Marshal(JSON, c.v)
		if err == nil || !strings.Contains(err.Error(), c.want) || sdk.CodeOf(err) != sdk.CodeInternal {
			t.Errorf("%T: %v, want %s", c.v, err, c.want)
		}
	}
	for _, v := range []any{nil, sdk.Call{}, (*sdk.Call)(nil), new(int)} {
		if err := Unmarshal(JSON, []byte("{}"), v); sdk.CodeOf(err) != sdk.CodeInternal {
			t.Errorf("into %T: %v", v, err)
		}
	}
	if _, err := Marshal(Encoding(9), sdk.Call{}); sdk.CodeOf(err) != sdk.CodeUnsupported {
		t.Errorf("encoding 9: %v", err)
	}
}

// TestConcurrent compiles one type and uses it from many goroutines at once; the
// race detector judges.
func TestConcurrent(t *testing.T) {
	type fresh struct {
		Offer *sdk.Offer `wire:"1,offer"`
		Self  *fresh     `wire:"2,self"`
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, e := range []Encoding{Msgpack, JSON, Protobuf} {
				b, err := Marshal(e, fresh{Self: &fresh{Offer: benchOffer()}})
				if err != nil {
					t.Error(err)
				}
				var back fresh
				if err := Unmarshal(e, b, &back); err != nil || len(back.Self.Offer.Resources) != 20 {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
