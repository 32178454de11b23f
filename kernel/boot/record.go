package boot

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// recordVersion is the newest format of a record that this code knows.
const recordVersion = 1

// keyPrefix begins the keys of all records in the store.
const keyPrefix = "runs/"

// Slot is the place of one instance: a framework of the manifest, and which one of it.
type Slot struct {
	Name  string
	Index uint32
}

func (s Slot) String() string { return fmt.Sprintf("%s.%d", s.Name, s.Index) }

// Key is where the slot's record stands in the store.
func (s Slot) Key() string { return fmt.Sprintf("%s%s/%d", keyPrefix, s.Name, s.Index) }

// Record is what the store keeps of the newest attempt of a slot. It is committed before
// the launch, and again when the attempt is over.
type Record struct {
	Version  int         `json:"version"`
	Name     string      `json:"name"`
	Index    uint32      `json:"index"`
	Attempt  uint64      `json:"attempt"`
	TaskID   sdk.TaskID  `json:"task_id"`
	AgentID  sdk.AgentID `json:"agent_id"`
	Hostname string      `json:"hostname"`
	OfferID  sdk.OfferID `json:"offer_id"`
	Digest   string      `json:"digest"`   // of what the manifest said
	Launched int64       `json:"launched"` // unix nanoseconds
	Over     bool        `json:"over,omitempty"`
	Lost     bool        `json:"lost,omitempty"`     // over because its agent is unreachable: it may come back
	Ended    int64       `json:"ended,omitempty"`    // unix nanoseconds, when Over
	Failures uint32      `json:"failures,omitempty"` // in a row, this one included
	Why      string      `json:"why,omitempty"`      // how it ended
}

// Slot is the place that the record is about.
func (r *Record) Slot() Slot { return Slot{r.Name, r.Index} }

// Encode writes a record as the store holds it.
func (r *Record) Encode() []byte {
	c := *r
	c.Version = recordVersion
	data, err := json.Marshal(&c)
	if err != nil {
		panic("boot: a record is plain values and always encodes: " + err.Error())
	}
	return data
}

// DecodeRecord reads what Encode wrote under that key. A newer version is refused by name.
func DecodeRecord(key string, data []byte) (*Record, error) {
	r := &Record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, sdk.Errorf(sdk.CodeInvalid, key, "is no launch record: %v", err)
	}
	switch {
	case r.Version > recordVersion:
		return nil, sdk.Errorf(sdk.CodeUnsupported, key, "is a launch record of version %d, this master knows up to %d: upgrade it", r.Version, recordVersion)
	case r.Version < 1 || r.Slot().Key() != key || r.TaskID == "" || r.Attempt == 0 || strings.Contains(r.Name, "/"):
		return nil, sdk.Errorf(sdk.CodeInvalid, key, "is damaged")
	}
	return r, nil
}
