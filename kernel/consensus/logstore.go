package consensus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/hashicorp/raft"
	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// logStore is raft's LogStore and StableStore over one bbolt file. Every log entry
// carries a format version and a checksum, so that damage is named instead of
// replayed.
type logStore struct {
	db    *bolt.DB
	fatal func(error)
	watch *watch // nil: nobody asks how long a write takes
}

const entryVersion = 1

func bucketLogs() []byte   { return []byte("logs") }
func bucketStable() []byte { return []byte("stable") }

// update commits one transaction. A failed commit is final: bbolt's and the
// kernel's idea of the file may differ from here on.
func (s *logStore) update(what string, f func(*bolt.Tx) error) error {
	over := s.watch.begin()
	err := s.db.Update(f)
	over()
	if err != nil && !errors.Is(err, berrors.ErrDatabaseNotOpen) {
		s.fatal(diskFailed(s.db.Path(), what, err))
	}
	return err
}

// FirstIndex is the oldest entry kept, 0 for none.
func (s *logStore) FirstIndex() (uint64, error) {
	return s.edge(func(c *bolt.Cursor) []byte { k, _ := c.First(); return k })
}

// LastIndex is the newest entry, 0 for none.
func (s *logStore) LastIndex() (uint64, error) {
	return s.edge(func(c *bolt.Cursor) []byte { k, _ := c.Last(); return k })
}

func (s *logStore) edge(pick func(*bolt.Cursor) []byte) (index uint64, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		if k := pick(tx.Bucket(bucketLogs()).Cursor()); k != nil {
			index = binary.BigEndian.Uint64(k)
		}
		return nil
	})
	return index, err
}

// unbroken is the last of the entries that follow one another from index first on, first-1
// for none, and the entry behind the gap, 0 where there is no other. A restore leaves one:
// the log of before, and far behind it what came after.
func (s *logStore) unbroken(first uint64) (last, next uint64, err error) {
	last = first - 1
	err = s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketLogs()).Cursor()
		for k, _ := c.Seek(indexKey(first)); k != nil; k, _ = c.Next() {
			if at := indexOf(k); at != last+1 {
				next = at
				return nil
			}
			last++
		}
		return nil
	})
	return last, next, err
}

// GetLog reads one entry.
func (s *logStore) GetLog(index uint64, log *raft.Log) error {
	return s.db.View(func(tx *bolt.Tx) error {
		v := tx.Bucket(bucketLogs()).Get(indexKey(index))
		if v == nil {
			return raft.ErrLogNotFound
		}
		return decodeEntry(index, v, log)
	})
}

// StoreLog writes one entry.
func (s *logStore) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

// StoreLogs writes entries in one transaction: one fsync for a batch.
func (s *logStore) StoreLogs(logs []*raft.Log) error {
	return s.update("log entries", func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketLogs())
		b.FillPercent = 0.9 // entries come in order, so pages fill from the left
		for _, l := range logs {
			if err := b.Put(indexKey(l.Index), encodeEntry(l)); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRange removes the entries from lo to hi, both included.
func (s *logStore) DeleteRange(lo, hi uint64) error {
	return s.update("truncation", func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketLogs())
		c := b.Cursor()
		for k, _ := c.Seek(indexKey(lo)); k != nil && binary.BigEndian.Uint64(k) <= hi; k, _ = c.Next() {
			if err := c.Delete(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Set writes a value that raft must find again.
func (s *logStore) Set(key, val []byte) error {
	return s.update("stable value", func(tx *bolt.Tx) error { return tx.Bucket(bucketStable()).Put(key, val) })
}

// Get reads a value; raft's contract for a missing one is this very error text.
func (s *logStore) Get(key []byte) (val []byte, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		v := tx.Bucket(bucketStable()).Get(key)
		if v == nil {
			return errors.New("not found")
		}
		val = append([]byte(nil), v...)
		return nil
	})
	return val, err
}

// SetUint64 writes a number that raft must find again.
func (s *logStore) SetUint64(key []byte, val uint64) error { return s.Set(key, indexKey(val)) }

// GetUint64 reads a number; see Get for a missing one.
func (s *logStore) GetUint64(key []byte) (uint64, error) {
	v, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("%s: the value of %q is damaged: %d bytes instead of 8", s.db.Path(), key, len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}

func indexKey(i uint64) []byte { return binary.BigEndian.AppendUint64(nil, i) }

// encodeEntry lays an entry out as version, checksum of the rest, type, term,
// time, length of the extensions, extensions, data.
func encodeEntry(l *raft.Log) []byte {
	b := make([]byte, 5, 5+1+8+8+4+len(l.Extensions)+len(l.Data))
	b[0] = entryVersion
	b = append(b, byte(l.Type))
	b = binary.BigEndian.AppendUint64(b, l.Term)
	var at int64
	if !l.AppendedAt.IsZero() {
		at = l.AppendedAt.UnixNano()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.Extensions)))
	b = append(b, l.Extensions...)
	b = append(b, l.Data...)
	binary.BigEndian.PutUint32(b[1:], crc32.Checksum(b[5:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func decodeEntry(index uint64, v []byte, l *raft.Log) error {
	const head = 5 + 1 + 8 + 8 + 4
	switch {
	case len(v) > 0 && v[0] > entryVersion:
		return fmt.Errorf("raft log entry %d is of format %d, this master knows up to %d: upgrade it", index, v[0], entryVersion)
	case len(v) < head:
		return fmt.Errorf("raft log entry %d is cut off", index)
	case binary.BigEndian.Uint32(v[1:]) != crc32.Checksum(v[5:], crc32.MakeTable(crc32.Castagnoli)):
		return fmt.Errorf("raft log entry %d is damaged: its checksum differs", index)
	}
	ext := int(binary.BigEndian.Uint32(v[22:]))
	if ext > len(v)-head {
		return fmt.Errorf("raft log entry %d is damaged: its extensions are longer than itself", index)
	}
	*l = raft.Log{
		Index: index,
		Type:  raft.LogType(v[5]),
		Term:  binary.BigEndian.Uint64(v[6:]),
	}
	if at := int64(binary.BigEndian.Uint64(v[14:])); at != 0 {
		l.AppendedAt = time.Unix(0, at)
	}
	if ext > 0 {
		l.Extensions = append([]byte(nil), v[head:head+ext]...)
	}
	l.Data = append([]byte(nil), v[head+ext:]...) // bbolt's memory ends with the transaction
	return nil
}

func indexOf(k []byte) uint64 { return binary.BigEndian.Uint64(k) }
