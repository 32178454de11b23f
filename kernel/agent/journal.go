package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"syscall"
	"time"

	"github.com/profferhq/proffer/kernel/agent/checkpoint"
	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// ledgerRecord is the checkpoint's type of a ledger's record.
const ledgerRecord = 1

// compactAfter is how many records may be appended before the log is written anew,
// at least; it is also as many as the last snapshot had.
const compactAfter = 20_000

// anewAfter is how many records are between two tries to write a damaged log anew: until
// then each start reads around the damage.
const anewAfter = 100

// fullPause is between two tries to write to a full disk; each fullRemind-th is told.
const (
	fullPause  = 500 * time.Millisecond
	fullRemind = 60
)

// journal keeps the ledger's records on disk.
type journal struct {
	log      *checkpoint.Log
	slog     *slog.Logger
	dir      string
	reserve  *reserve
	failed   bool                // a store was given up, and none follows it
	quit     <-chan struct{}     // closed when the agent is to end; nil: it never is
	batch    []checkpoint.Record // reused
	buf      []byte              // reused
	late     []ledger.Record     // of add
	appended int
	snapshot int
	anew     bool // the file is damaged
}

// openJournal reads the checkpoint into the ledger. Of a damaged one what can be read is
// used, and the file and the loss are named; the ledger no longer says of any task that it
// was never here. Where nothing can be read, or not who the agent is, that is an error.
func openJournal(dir string, log *slog.Logger, l *ledger.Ledger) (*journal, error) {
	c, found, err := checkpoint.Open(checkpoint.Options{
		Dir: filepath.Join(dir, "checkpoint"), Name: "ledger",
		MaxVersion: func(uint16) uint16 { return ledger.RecordVersion },
		Salvage:    true,
	})
	if err != nil {
		return nil, err
	}
	if t := found.Torn; t != nil {
		log.Warn("cut off the end of the checkpoint that was being written when the agent ended", "file", t.File, "offset", t.Offset, "bytes", t.Bytes)
	}
	j := &journal{log: c, slog: log, dir: dir, reserve: newReserve(filepath.Join(dir, "checkpoint", "reserve"), log)}
	unfit := 0
	for i := range found.Records {
		r := &ledger.Record{}
		if found.Records[i].Type != ledgerRecord {
			return nil, sdk.Errorf(sdk.CodeUnsupported, "", "record %d of the checkpoint has type %d, which this program does not know", i, found.Records[i].Type)
		}
		err := wire.Unmarshal(wire.Msgpack, found.Records[i].Data, r)
		if err == nil {
			err = l.Restore(r)
		}
		if err != nil && len(found.Damaged) > 0 {
			unfit++ // it is about something that is lost
			log.Error("a record of the damaged checkpoint is about what is lost, and is left out", "record", i, "error", err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("record %d of %d of the checkpoint in %s does not fit: %w", i, len(found.Records), dir, err)
		}
	}
	j.appended = len(found.Records)
	if d := found.Damaged; len(d) > 0 {
		file := filepath.Join(dir, "checkpoint", "ledger")
		if err := l.Holed(time.Now()); err != nil {
			return nil, fmt.Errorf("checkpoint file %s is damaged at byte %d: %w", file, d[0].Offset, err)
		}
		lost := int64(0)
		for _, x := range d {
			lost += x.Bytes
		}
		log.Error("the checkpoint is damaged; the agent goes on with the rest of it: tasks whose records are lost are ended and told as gone",
			"file", file, "offset", d[0].Offset, "bytes lost", lost, "places", len(d), "records left", len(found.Records)-unfit, "records left out", unfit, "copy", found.Copy)
		j.anew = true // as soon as the recovery is over
	}
	return j, nil
}

// store makes the records durable before it returns.
func (j *journal) store(rs []ledger.Record) error {
	if len(j.late) > 0 {
		rs = append(j.late, rs...)
		j.late = nil
	}
	if err := j.encode(rs); err != nil {
		return err
	}
	j.appended += len(rs)
	err := j.log.Append(j.batch...)
	for tries := 0; full(err); {
		// The reserve is there so that a full disk can still be told about. When that
		// is used up too, everything waits: nothing may happen that is not stored.
		if !j.reserve.release() {
			if tries%fullRemind == 0 {
				j.slog.Error("the disk is full, the checkpoint cannot be written; the agent waits for space, its tasks go on and nothing new is begun; make room there",
					"dir", j.dir)
			}
			tries++
			if !j.pause(fullPause) {
				j.failed = true
				return fmt.Errorf("the agent was told to end while it waited for space in %s: what its tasks have told it since then they tell the next one: %w", j.dir, err)
			}
		}
		err = j.log.Append(j.batch...)
	}
	if err != nil {
		j.failed = true
		return fmt.Errorf("this agent ends, because its disk failed: %w. Its tasks go on, and what it has not stored it has confirmed to nobody; "+
			"see what is wrong with the disk of %s, then start it again", err, j.dir)
	}
	return nil
}

// full tells whether a write that failed can be tried again when there is space. A fsync
// that failed for want of space is not one of them.
func full(err error) bool {
	var broken *checkpoint.Broken
	return errors.Is(err, syscall.ENOSPC) && !errors.As(err, &broken)
}

// pause is false when the agent is to end meanwhile.
func (j *journal) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-j.quit:
		return false
	}
}

// add takes records that nothing depends on: acknowledgements, which are asked for
// again when they are lost. They are durable with the next store or flush, in
// order.
func (j *journal) add(rs []ledger.Record) { j.late = append(j.late, rs...) }

// flush makes durable what add left.
func (j *journal) flush() error {
	if len(j.late) == 0 {
		return nil
	}
	return j.store(nil)
}

// encode writes records one behind the other into one buffer.
func (j *journal) encode(rs []ledger.Record) error {
	j.buf, j.batch = j.buf[:0], j.batch[:0]
	ends := make([]int, 0, len(rs))
	for i := range rs {
		next, err := wire.Append(wire.Msgpack, j.buf, &rs[i])
		if err != nil {
			return fmt.Errorf("write a record of the checkpoint: %w", err)
		}
		j.buf = next
		ends = append(ends, len(next))
	}
	from := 0
	for _, to := range ends {
		j.batch = append(j.batch, checkpoint.Record{Type: ledgerRecord, Version: ledger.RecordVersion, Data: j.buf[from:to]})
		from = to
	}
	return nil
}

// compact writes the log anew when most of it is history.
func (j *journal) compact(l *ledger.Ledger) error {
	least, pause := compactAfter, compactAfter/4
	if j.anew {
		least, pause = 0, anewAfter
	}
	if j.appended < max(least, j.snapshot) {
		return nil
	}
	rs := l.Snapshot()
	if err := j.encode(rs); err != nil {
		return err
	}
	err := j.log.Compact(j.batch)
	if full(err) {
		// The old file is still there, and says the same in more words.
		j.snapshot = j.appended + pause
		j.slog.Warn("the disk is too full to write the checkpoint anew; the agent goes on with the old one", "dir", j.dir, "next after", j.snapshot-j.appended)
		return nil
	}
	if err != nil {
		return fmt.Errorf("this agent ends, because its disk failed: the checkpoint cannot be written anew: %w. Its tasks go on; see what is wrong with the disk of %s, then start it again", err, j.dir)
	}
	j.late = nil // the snapshot says it
	j.appended, j.snapshot, j.anew = 0, len(rs), false
	if cap(j.buf) > 4<<20 {
		j.buf = nil
	}
	return nil
}

func (j *journal) close() error {
	if j.failed { // and was told
		return j.log.Close()
	}
	return errors.Join(j.flush(), j.log.Close())
}
