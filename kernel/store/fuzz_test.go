package store

import (
	"bytes"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

func seedCommands() []Command {
	id := Space{Principal: "p", Name: "s"}
	return []Command{
		{Space: id, Type: CommandGrant, Grant: &Grant{TTL: int64(time.Second), FrameworkID: "f", TaskID: "t"}},
		{Space: id, Type: CommandCommit, Commit: &sdk.StoreCommit{
			If:   []sdk.StoreCompare{{Type: sdk.StoreAbsent, Key: "a"}},
			Then: []sdk.StoreOp{{Type: sdk.StorePut, Key: "a", Value: []byte("v"), Lease: "1"}, {Type: sdk.StorePut, Key: "b"}},
			Else: []sdk.StoreOp{{Type: sdk.StoreDeletePrefix, Key: "a"}}}},
		{Space: id, Type: CommandRevoke, Revoke: &Revoke{Lease: "1", Cause: Expired}},
	}
}

// FuzzCommand: whatever is in the log, a command is refused or applied, and the
// state it leaves can be saved and restored to the same bytes.
func FuzzCommand(f *testing.F) {
	for _, c := range seedCommands() {
		data, err := EncodeCommand(nil, c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCommand(data)
		if err != nil {
			return
		}
		s := New()
		for i, seed := range seedCommands() {
			seed.Version = CommandVersion
			s.Apply(uint64(i+1), seed)
		}
		s.Apply(4, c)
		s.Apply(5, c)
		if before := image(t, s); !bytes.Equal(before, image(t, reload(t, s))) {
			t.Fatal("a restored state differs")
		}
	})
}

// FuzzRestore: whatever a snapshot says, it is refused or can be written again to
// the same bytes.
func FuzzRestore(f *testing.F) {
	s := New()
	f.Add(image(f, s))
	for i, c := range seedCommands() {
		c.Version = CommandVersion
		s.Apply(uint64(i+1), c)
		f.Add(image(f, s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Restore(bytes.NewReader(data))
		if err != nil {
			return
		}
		first := image(t, s)
		if second := image(t, reload(t, s)); !bytes.Equal(first, second) {
			t.Fatal("a restored state differs")
		}
	})
}

// A snapshot that was cut off anywhere is refused, and so is a newer one, by name.
func TestRestoreRefusesWhatIsDamaged(t *testing.T) {
	s := New()
	for i, c := range seedCommands()[:2] {
		c.Version = CommandVersion
		s.Apply(uint64(i+1), c)
	}
	data := image(t, s)
	for n := range data {
		if _, err := Restore(bytes.NewReader(data[:n])); err == nil {
			t.Errorf("cut off after %d of %d bytes, and taken", n, len(data))
		}
	}
	if _, err := Restore(bytes.NewReader(append(bytes.Clone(data), "1\n\x80"...))); err == nil {
		t.Error("something follows its end, and it was taken")
	}
	newer := New().Image()
	var b bytes.Buffer
	out := snapshotWriter{w: &b}
	out.record(&snapshotHead{Version: SnapshotVersion + 1, Index: newer.index})
	out.flush()
	if _, err := Restore(&b); sdk.CodeOf(err) != sdk.CodeUnsupported {
		t.Errorf("a newer one: %v", err)
	}
	newerCommand, err := EncodeCommand(nil, Command{Version: CommandVersion + 1, Type: CommandGrant, Space: Space{Name: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeCommand(newerCommand); sdk.CodeOf(err) != sdk.CodeUnsupported {
		t.Errorf("a newer command: %v", err)
	}
}
