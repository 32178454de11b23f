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

// fullPause is between two tries to write to a full disk.
const fullPause = 500 * time.Millisecond

// journal keeps the ledger's records on disk.
type journal struct {
	log      *checkpoint.Log
	slog     *slog.Logger
	dir      string
	reserve  *reserve
	batch    []checkpoint.Record // reused
	buf      []byte              // reused
	late     []ledger.Record     // of add
	appended int
	snapshot int
}

// openJournal reads the checkpoint into the ledger. A damaged one is an error that
// names the file and what is lost: going on would launch twice and lose updates.
func openJournal(dir string, log *slog.Logger, l *ledger.Ledger) (*journal, error) {
	c, found, err := checkpoint.Open(checkpoint.Options{
		Dir: filepath.Join(dir, "checkpoint"), Name: "ledger",
		MaxVersion: func(uint16) uint16 { return ledger.RecordVersion },
	})
	if err != nil {
		return nil, err
	}
	if t := found.Torn; t != nil {
		log.Warn("cut off the end of the checkpoint that was being written when the agent ended", "file", t.File, "offset", t.Offset, "bytes", t.Bytes)
	}
	j := &journal{log: c, slog: log, dir: dir, reserve: newReserve(filepath.Join(dir, "checkpoint", "reserve"), log)}
	for i := range found.Records {
		r := &ledger.Record{}
		if found.Records[i].Type != ledgerRecord {
			return nil, sdk.Errorf(sdk.CodeUnsupported, "", "record %d of the checkpoint has type %d, which this program does not know", i, found.Records[i].Type)
		}
		err := wire.Unmarshal(wire.Msgpack, found.Records[i].Data, r)
		if err == nil {
			err = l.Restore(r)
		}
		if err != nil {
			return nil, fmt.Errorf("record %d of %d of the checkpoint in %s does not fit: %w", i, len(found.Records), dir, err)
		}
	}
	j.appended = len(found.Records)
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
	for errors.Is(err, syscall.ENOSPC) {
		// The reserve is there so that a full disk can still be told about. When that
		// is used up too, everything waits: nothing may happen that is not stored.
		if !j.reserve.release() {
			j.slog.Error("the disk is full, the checkpoint cannot be written; the agent waits for space", "dir", j.dir)
			time.Sleep(fullPause)
		}
		err = j.log.Append(j.batch...)
	}
	if err != nil {
		return fmt.Errorf("the checkpoint cannot be written; the agent ends because it can promise nothing more: %w", err)
	}
	return nil
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
	if j.appended < max(compactAfter, j.snapshot) {
		return nil
	}
	rs := l.Snapshot()
	j.late = nil // the snapshot says it
	if err := j.encode(rs); err != nil {
		return err
	}
	if err := j.log.Compact(j.batch); err != nil {
		return fmt.Errorf("the checkpoint cannot be written anew: %w", err)
	}
	j.appended, j.snapshot = 0, len(rs)
	if cap(j.buf) > 4<<20 {
		j.buf = nil
	}
	return nil
}

func (j *journal) close() error { return errors.Join(j.flush(), j.log.Close()) }
