package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/profferhq/proffer/sdk"
)

// Log is an open checkpoint file.
type Log struct {
	fs   FS
	dir  string
	path string

	mu      sync.Mutex
	turn    sync.Cond // a batch is finished
	queue   []*Batch  // accepted, not yet written
	writing bool      // someone is at the disk; file and end are theirs
	failed  error     // final
	end     int64     // of the last good record

	file File
}

// Batch is a group of records that become durable together, with one fsync. Those
// accepted while another batch is being written are put into one.
type Batch struct {
	log      *Log
	text     []byte // encoded
	snapshot bool   // replaces the file instead of extending it
	finished bool
	err      error
}

// batchBytes is when a batch is full; its records' back offsets stay small, too.
const batchBytes = 4 << 20

// Open reads the log of that name, or makes it. The error names the file and what
// is wrong with it; a torn end is cut off and told in Recovered.
func Open(o Options) (*Log, Recovered, error) {
	l := &Log{fs: o.FS, dir: o.Dir, path: filepath.Join(o.Dir, o.Name)}
	l.turn.L = &l.mu
	if l.fs == nil {
		l.fs = disk{}
	}
	if err := l.fs.MakeDir(o.Dir); err != nil {
		return nil, Recovered{}, fmt.Errorf("make the checkpoint directory: %w", err)
	}
	// What a crash during a compaction has left was never in use.
	if err := l.fs.Remove(l.path + ".new"); err != nil {
		return nil, Recovered{}, fmt.Errorf("open the checkpoint: %w", err)
	}
	file, err := l.fs.Open(l.path, false)
	if errors.Is(err, fs.ErrNotExist) {
		return l.begin()
	}
	if err != nil {
		return nil, Recovered{}, fmt.Errorf("open the checkpoint: %w", err)
	}
	l.file = file
	r, err := l.recover(o)
	if err != nil {
		file.Close()
		return nil, Recovered{}, err
	}
	return l, r, nil
}

// begin makes an empty file, in the way that a compaction does.
func (l *Log) begin() (*Log, Recovered, error) {
	if err := l.replace(nil); err != nil {
		return nil, Recovered{}, fmt.Errorf("make the checkpoint: %w", err)
	}
	return l, Recovered{}, nil
}

func (l *Log) recover(o Options) (Recovered, error) {
	text, err := io.ReadAll(l.file)
	if err != nil {
		return Recovered{}, fmt.Errorf("read the checkpoint %s: %w", l.path, err)
	}
	p, err := parse(l.path, text, o.MaxVersion, o.Salvage)
	if err != nil {
		return Recovered{}, err
	}
	r := Recovered{Records: p.records, Damaged: p.damages}
	if len(r.Damaged) > 0 {
		r.Copy = l.path + ".damaged"
		if err := l.keepCopy(r.Copy, text); err != nil {
			return Recovered{}, fmt.Errorf("copy the damaged checkpoint %s to %s: %w", l.path, r.Copy, err)
		}
	}
	l.end = p.end
	if p.torn > 0 {
		r.Torn = &Torn{File: l.path, Offset: p.end, Bytes: p.torn}
	}
	if err := l.again(text, p); err != nil {
		return r, fmt.Errorf("write what was read of %s again: %w", l.path, err)
	}
	return r, nil
}

// again writes what was read once more, in today's format and without its torn end. An earlier program may have
// ended because of a fsync that failed: what that did not write stands in the system's
// memory, as if it were on the disk, and no later fsync would write it.
func (l *Log) again(text []byte, p parsed) error {
	if p.torn > 0 {
		if err := l.file.Truncate(p.end); err != nil {
			return err
		}
	}
	if p.format != fileFormat {
		copy(text, appendHeader(nil))
	}
	if _, err := l.file.WriteAt(text[:p.end], 0); err != nil {
		return err
	}
	return l.sync(l.file)
}

// keepCopy writes what a damaged file holds to another.
func (l *Log) keepCopy(path string, text []byte) error {
	f, err := l.fs.Open(path, true)
	if err != nil {
		return err
	}
	if err = f.Truncate(0); err == nil {
		if _, err = f.WriteAt(text, 0); err == nil {
			err = f.Sync()
		}
	}
	return errors.Join(err, f.Close())
}

func (l *Log) sync(f File) error {
	if plantSkipFsync {
		return nil
	}
	return f.Sync()
}

// Broken is the error of a log that can not be written any more, whatever its cause: a
// fsync has failed, with which the system may have forgotten what it was to write, and a
// second one would say that all is well.
type Broken struct {
	File string
	Err  error
}

func (b *Broken) Error() string {
	return fmt.Sprintf("the checkpoint %s can no longer be trusted: %v", b.File, b.Err)
}

// Unwrap is what the disk said.
func (b *Broken) Unwrap() error { return b.Err }

// Append makes the records durable, in their order and behind all that was accepted
// before; after a power cut all of them are there or none. An error that wraps a failed write (a full disk) is that of this call
// only, its records are not in the file, and a later call may succeed; after a
// failed fsync every call fails, with a Broken.
func (l *Log) Append(records ...Record) error { return l.Add(records...).Wait() }

// Add accepts the records and gives them their place in the order; they are durable
// when Wait returns nil. It does not touch the disk.
func (l *Log) Add(records ...Record) *Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		if len(r.Data) > maxData {
			err := sdk.Errorf(sdk.CodeTooLarge, "", "a checkpoint record of %d bytes; at most %d are allowed", len(r.Data), maxData)
			return &Batch{log: l, finished: true, err: err}
		}
	}
	b := l.openBatch()
	b.text = appendRecords(b.text, records, 0)
	return b
}

// openBatch is the last batch of the queue, or a new one when it is full. A batch
// that is being written is no longer in the queue.
func (l *Log) openBatch() *Batch {
	if n := len(l.queue); n > 0 && !l.queue[n-1].snapshot && len(l.queue[n-1].text) < batchBytes {
		return l.queue[n-1]
	}
	b := &Batch{log: l}
	l.queue = append(l.queue, b)
	return b
}

// Compact replaces the file by one with the snapshot's records, which must say all
// that the records accepted before said. Those accepted after it come behind it. On
// an error that is not final the old file is still in use and complete.
func (l *Log) Compact(snapshot []Record) error { return l.AddSnapshot(snapshot).Wait() }

// AddSnapshot is the accepting half of Compact.
func (l *Log) AddSnapshot(snapshot []Record) *Batch {
	b := &Batch{log: l, snapshot: true, text: appendRecords(nil, snapshot, settledBit)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, b)
	return b
}

// Wait returns when the batch is durable, or why it is not. One of those who wait
// does the writing for all.
func (b *Batch) Wait() error {
	l := b.log
	l.mu.Lock()
	defer l.mu.Unlock()
	for !b.finished {
		if l.writing {
			l.turn.Wait()
			continue
		}
		l.writeNext()
	}
	return b.err
}

// writeNext takes the first batch to the disk. It is called with the lock held and
// gives it up for that time.
func (l *Log) writeNext() {
	b := l.queue[0]
	l.queue = l.queue[1:]
	if l.failed != nil {
		b.finish(l.failed)
		l.turn.Broadcast()
		return
	}
	l.writing = true
	l.mu.Unlock()
	final, err := l.perform(b)
	l.mu.Lock()
	l.writing = false
	if final {
		l.failed = &Broken{File: l.path, Err: err}
		err = l.failed
	}
	b.finish(err)
	if final || err != nil && !b.snapshot {
		// Those behind it were made in the belief that it would be there.
		for _, later := range l.queue {
			later.finish(err)
		}
		l.queue = nil
	}
	l.turn.Broadcast()
}

func (b *Batch) finish(err error) {
	b.finished, b.err, b.text = true, err, nil
}

// perform writes one batch; final means that nothing is known about the disk now.
func (l *Log) perform(b *Batch) (final bool, err error) {
	if b.snapshot {
		err := l.replace(b.text)
		var f finalError
		return errors.As(err, &f), err
	}
	if len(b.text) == 0 {
		return false, nil
	}
	if _, err := l.file.WriteAt(b.text, l.end); err != nil {
		// Half a batch must not stand in the file when the next one is written.
		if e := l.file.Truncate(l.end); e != nil {
			return true, errors.Join(err, e)
		}
		return false, fmt.Errorf("write the checkpoint: %w", err)
	}
	if err := l.sync(l.file); err != nil {
		return true, err
	}
	l.setEnd(l.end + int64(len(b.text)))
	return false, nil
}

// finalError marks a failure of replace after which nobody knows which file a
// restart would find.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// replace makes a file with these records and puts it in the old one's place.
func (l *Log) replace(records []byte) error {
	name := l.path + ".new"
	file, err := l.fs.Open(name, true)
	if err != nil {
		return fmt.Errorf("compact the checkpoint: %w", err)
	}
	text := append(appendHeader(nil), records...)
	if err = file.Truncate(0); err == nil {
		if _, err = file.WriteAt(text, 0); err == nil {
			err = l.sync(file)
		}
	}
	if err == nil {
		err = l.fs.Rename(name, l.path)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("compact the checkpoint: %w", errors.Join(err, l.fs.Remove(name)))
	}
	if !plantSkipFsync {
		if err := l.fs.SyncDir(l.dir); err != nil {
			file.Close()
			return finalError{err}
		}
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file = file
	l.setEnd(int64(len(text)))
	return nil
}

func (l *Log) setEnd(end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = end
}

// Size is the length of the file in bytes, by which the owner decides to compact.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

// Close closes the file. What was accepted and not waited for is not written.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.writing {
		l.turn.Wait()
	}
	if l.failed == nil {
		l.failed = fmt.Errorf("the checkpoint %s: %w", l.path, fs.ErrClosed)
	}
	return l.file.Close()
}
