package store

import (
	"errors"
	"io"
	"slices"

	"github.com/google/btree"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// SnapshotVersion is the newest snapshot format that this code knows. Version 2 is written
// only of what Reborn has made, whose floor an older master would lose.
const SnapshotVersion = 2

// A snapshot is a sequence of records: its head, then for each space, in order,
// the space's head, its keys and its history, in order. The heads say how many
// there are, so that one that was cut off is noticed; equal states are equal bytes.
type (
	snapshotHead struct {
		Version uint32 `wire:"1,version,required"`
		Index   uint64 `wire:"2,index"`
		Spaces  uint64 `wire:"3,spaces"`
		Floor   uint64 `wire:"4,floor"`
	}
	spaceHead struct {
		Space     Space       `wire:"1,space,required"`
		Keys      uint64      `wire:"2,keys"`
		History   uint64      `wire:"3,history"`
		Compacted uint64      `wire:"4,compacted"`
		Leases    []leaseHead `wire:"5,leases"`
	}
	leaseHead struct {
		ID    string `wire:"1,id,required"`
		Grant Grant  `wire:"2,grant,required"`
	}
	pastChanges struct {
		Revision uint64            `wire:"1,revision,required"`
		List     []sdk.StoreChange `wire:"2,list"`
	}
)

// maxSnapshotRecord bounds one record: a transaction's changes, or a space's leases.
const maxSnapshotRecord = 64 << 20

// Image is a state at one moment, to be written while the state goes on.
type Image struct {
	index  uint64
	floor  uint64
	spaces []spaceImage
}

type spaceImage struct {
	head    spaceHead
	keys    *btree.BTreeG[*sdk.StoreKV]
	history []Changes
}

// Image takes one, in a time that does not depend on the number of keys.
func (s *State) Image() *Image {
	im := &Image{index: s.index, floor: s.floor}
	for _, sp := range s.sorted() {
		head := spaceHead{Space: sp.id, Keys: uint64(sp.keys.Len()), History: uint64(len(sp.history)), Compacted: sp.compacted}
		for _, l := range sp.sortedLeases() {
			head.Leases = append(head.Leases, leaseHead{ID: l.ID, Grant: Grant{TTL: int64(l.TTL), FrameworkID: l.FrameworkID, TaskID: l.TaskID, AgentID: l.AgentID}})
		}
		im.spaces = append(im.spaces, spaceImage{head: head, keys: sp.keys.Clone(), history: slices.Clip(sp.history)})
	}
	return im
}

// Write writes the image as a snapshot, which Restore reads.
func (im *Image) Write(w io.Writer) error {
	out := snapshotWriter{w: w}
	version := uint32(1)
	if im.floor > 0 {
		version = 2
	}
	out.record(&snapshotHead{Version: version, Index: im.index, Spaces: uint64(len(im.spaces)), Floor: im.floor})
	for i := range im.spaces {
		sp := &im.spaces[i]
		out.record(&sp.head)
		sp.keys.Ascend(func(kv *sdk.StoreKV) bool {
			out.record(kv)
			return out.err == nil
		})
		for _, c := range sp.history {
			out.record(&pastChanges{Revision: c.Revision, List: c.List})
		}
	}
	out.flush()
	return out.err
}

type snapshotWriter struct {
	w            io.Writer
	buf, scratch []byte
	err          error
}

const snapshotBuffer = 256 << 10

func (o *snapshotWriter) record(message any) {
	if o.err != nil {
		return
	}
	if o.scratch, o.err = wire.Append(wire.Msgpack, o.scratch[:0], message); o.err != nil {
		return
	}
	o.buf = wire.AppendRecord(o.buf, o.scratch)
	if len(o.buf) >= snapshotBuffer {
		o.flush()
	}
}

func (o *snapshotWriter) flush() {
	if o.err == nil {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

// Restore reads a snapshot to its end. A newer format is refused by name
// (CodeUnsupported), a damaged one by what is wrong with it (CodeInvalid).
func Restore(r io.Reader) (*State, error) {
	in := wire.NewReader(r, maxSnapshotRecord)
	first, err := in.Next()
	if err != nil {
		return nil, damaged("it has no head: %v", err)
	}
	if err := refuseNewer(first, SnapshotVersion, "store snapshot"); err != nil {
		return nil, err
	}
	var head snapshotHead
	if err := wire.Unmarshal(wire.Msgpack, first, &head); err != nil {
		return nil, err
	}
	s := New()
	s.index, s.floor = head.Index, head.Floor
	for range head.Spaces {
		sp, err := restoreSpace(in)
		if err != nil {
			return nil, err
		}
		if s.spaces[sp.id] != nil {
			return nil, damaged("the space %q is there twice", sp.id.Name)
		}
		s.spaces[sp.id] = sp
	}
	if _, err := in.Next(); !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, damaged("something follows its end")
	}
	return s, nil
}

func damaged(format string, args ...any) error {
	return sdk.Errorf(sdk.CodeInvalid, "", "the store snapshot is damaged: "+format, args...)
}

func next(in *wire.Reader, message any) error {
	record, err := in.Next()
	if err != nil {
		return damaged("%v", err)
	}
	return wire.Unmarshal(wire.Msgpack, record, message)
}

func restoreSpace(in *wire.Reader) (*space, error) {
	var head spaceHead
	if err := next(in, &head); err != nil {
		return nil, err
	}
	if err := head.Space.validate(); err != nil {
		return nil, err
	}
	sp := newSpace(head.Space)
	sp.compacted = head.Compacted
	for _, l := range head.Leases {
		if sp.leases[l.ID] != nil {
			return nil, damaged("the lease %q is there twice", l.ID)
		}
		sp.leases[l.ID] = &lease{keys: map[string]struct{}{}, Lease: Lease{ID: l.ID, Space: sp.id, TTL: ttlOf(l.Grant),
			FrameworkID: l.Grant.FrameworkID, TaskID: l.Grant.TaskID, AgentID: l.Grant.AgentID}}
	}
	last := ""
	for range head.Keys {
		kv := &sdk.StoreKV{}
		if err := next(in, kv); err != nil {
			return nil, err
		}
		if kv.Key <= last {
			return nil, damaged("the key %q is out of order", kv.Key)
		}
		if kv.Lease != "" && sp.leases[kv.Lease] == nil {
			return nil, damaged("the key %q is attached to the lease %q, which is not there", kv.Key, kv.Lease)
		}
		last = kv.Key
		sp.keys.ReplaceOrInsert(kv)
		sp.attach(kv)
		sp.size += weight(kv)
	}
	for revision, n := head.Compacted, head.History; n > 0; n-- {
		var c pastChanges
		if err := next(in, &c); err != nil {
			return nil, err
		}
		if c.Revision <= revision {
			return nil, damaged("the history is out of order at revision %d", c.Revision)
		}
		revision = c.Revision
		past := Changes{Space: sp.id, Revision: c.Revision, List: c.List}
		sp.history = append(sp.history, past)
		sp.changes += len(c.List)
		sp.bytes += past.weight()
	}
	return sp, nil
}
