package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

func open(t testing.TB, m FS) (*Log, Recovered) {
	t.Helper()
	l, r, err := Open(Options{Dir: "/d", Name: "ledger", FS: m})
	if err != nil {
		t.Fatal(err)
	}
	return l, r
}

func rec(n int, size int) Record {
	text := fmt.Sprintf("%d:", n)
	if size > len(text) {
		text += strings.Repeat("x", size-len(text))
	}
	return Record{Type: uint16(n % 7), Version: 1, Data: []byte(text)}
}

func number(r Record) (n int) {
	fmt.Sscanf(string(r.Data), "%d:", &n)
	return n
}

// TestP3AppendedRecordsSurvivePowerLoss cuts the power after random work, many
// times: what Append has acknowledged is there, in order, and nothing else than a
// prefix of what was accepted, in which no Append is there in part.
func TestP3AppendedRecordsSurvivePowerLoss(t *testing.T) {
	for seed := range int64(300) {
		rng := rand.New(rand.NewSource(seed))
		m := newMemFS()
		l, _ := open(t, m)
		acked, accepted := 0, 0
		between := map[int]bool{0: true} // how many records were there between two calls
		for range 1 + rng.Intn(12) {
			switch k := rng.Intn(10); {
			case k < 7:
				var batch []Record
				for range 1 + rng.Intn(5) {
					batch = append(batch, rec(accepted, rng.Intn(3000)))
					accepted++
				}
				if err := l.Append(batch...); err != nil {
					t.Fatal(err)
				}
				acked = accepted
			case k < 9:
				var all []Record
				for n := range accepted {
					all = append(all, rec(n, 10))
				}
				if err := l.Compact(all); err != nil {
					t.Fatal(err)
				}
			default: // accepted and in the file, but the power goes before its fsync
				batch := []Record{rec(accepted, 2000), rec(accepted+1, 2000)}
				accepted += 2
				m.fail["power"] = errors.New("the power went")
				if l.Append(batch...) == nil {
					t.Fatal("a failed fsync was acknowledged")
				}
			}
			between[accepted] = true
			if l.failed != nil {
				break
			}
		}
		m = m.crash(rng)
		l2, r, err := Open(Options{Dir: "/d", Name: "ledger", FS: m})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(r.Records) < acked || len(r.Records) > accepted {
			t.Fatalf("seed %d: %d records, %d were acknowledged and %d accepted", seed, len(r.Records), acked, accepted)
		}
		if !between[len(r.Records)] {
			t.Fatalf("seed %d: %d records, which are a part of an Append", seed, len(r.Records))
		}
		for n, got := range r.Records {
			if number(got) != n {
				t.Fatalf("seed %d: record %d is %q", seed, n, got.Data)
			}
		}
		if err := l2.Append(rec(9, 9)); err != nil {
			t.Fatalf("seed %d: after the crash: %v", seed, err)
		}
	}
}

func TestCompactionIsDurableWhenItReturns(t *testing.T) {
	m := newMemFS()
	l, _ := open(t, m)
	for n := range 100 {
		if err := l.Append(rec(n, 100)); err != nil {
			t.Fatal(err)
		}
	}
	before := l.Size()
	if err := l.Compact([]Record{rec(1000, 10)}); err != nil {
		t.Fatal(err)
	}
	if l.Size() >= before/10 {
		t.Errorf("%d bytes before, %d after", before, l.Size())
	}
	if err := l.Append(rec(1001, 10)); err != nil {
		t.Fatal(err)
	}
	_, r := open(t, m.crash(rand.New(rand.NewSource(1))))
	if len(r.Records) != 2 || number(r.Records[0]) != 1000 || number(r.Records[1]) != 1001 {
		t.Errorf("%d records, %+v", len(r.Records), r)
	}
}

func TestManyCallersShareAnFsync(t *testing.T) {
	m := newMemFS()
	l, _ := open(t, m)
	before := m.syncs
	batches := make([]*Batch, 100)
	for n := range batches {
		batches[n] = l.Add(rec(n, 20))
	}
	var wg sync.WaitGroup
	for _, b := range batches {
		wg.Go(func() {
			if err := b.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := m.syncs - before; got != 1 && !plantSkipFsync {
		t.Errorf("%d fsyncs for 100 records accepted together", got)
	}
	_, r := open(t, m)
	for n, got := range r.Records {
		if number(got) != n {
			t.Fatalf("record %d is %q", n, got.Data)
		}
	}
}

func TestFullDiskFailsTheBatchAndRecovers(t *testing.T) {
	m := newMemFS()
	l, _ := open(t, m)
	if err := l.Append(rec(0, 50)); err != nil {
		t.Fatal(err)
	}
	m.space = 30
	first, behind := l.Add(rec(1, 100)), l.AddSnapshot(nil)
	if err := first.Wait(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk says %v", err)
	}
	if err := behind.Wait(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("what came behind the lost batch says %v", err)
	}
	if err := l.Compact([]Record{rec(0, 100)}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a compaction on a full disk says %v", err)
	}
	m.space = 10000
	if err := l.Append(rec(2, 100)); err != nil {
		t.Errorf("after space has returned: %v", err)
	}
	_, r := open(t, m.crash(rand.New(rand.NewSource(1))))
	if len(r.Records) != 2 || number(r.Records[0]) != 0 || number(r.Records[1]) != 2 || r.Torn != nil {
		t.Errorf("%+v", r)
	}
}

func TestFailedFsyncIsFinal(t *testing.T) {
	if plantSkipFsync {
		t.Skip("there is no fsync to fail")
	}
	for _, op := range []string{"sync", "truncate", "syncdir"} {
		t.Run(op, func(t *testing.T) {
			m := newMemFS()
			l, _ := open(t, m)
			m.fail[op] = syscall.EIO
			err := error(nil)
			switch op {
			case "sync":
				err = l.Append(rec(0, 1))
			case "truncate":
				m.fail["write"] = syscall.ENOSPC
				err = l.Append(rec(0, 1))
			case "syncdir":
				err = l.Compact(nil)
			}
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("the failure is told as %v", err)
			}
			var broken *Broken
			if err := l.Append(rec(1, 1)); !errors.As(err, &broken) || !strings.Contains(err.Error(), "no longer be trusted") {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// What a failed fsync has not written can be read by the next start, and is not on the
// disk; what that start then builds on it must not be lost with it.
func TestFailedFsyncIsNotBuiltUpon(t *testing.T) {
	if plantSkipFsync {
		t.Skip("there is no fsync to fail")
	}
	for seed := range int64(20) {
		m := newMemFS()
		l, _ := open(t, m)
		if err := l.Append(rec(0, 700)); err != nil {
			t.Fatal(err)
		}
		m.fail["sync"] = syscall.EIO
		if err := l.Append(rec(1, 700), rec(2, 700)); err == nil {
			t.Fatal("a failed fsync was acknowledged")
		}
		l, r := open(t, m)
		seen := len(r.Records)
		if err := l.Append(rec(seen, 700)); err != nil {
			t.Fatal(err)
		}
		if _, r := open(t, m.crash(rand.New(rand.NewSource(seed)))); len(r.Records) != seen+1 {
			t.Errorf("%d records were seen, one was added, and %d are there", seen, len(r.Records))
		}
	}
}

func TestFailedRenameKeepsTheOldFile(t *testing.T) {
	m := newMemFS()
	l, _ := open(t, m)
	if err := l.Append(rec(0, 1)); err != nil {
		t.Fatal(err)
	}
	m.fail["rename"] = syscall.EIO
	if err := l.Compact(nil); err == nil {
		t.Fatal("a failed rename was not told")
	}
	if err := l.Append(rec(1, 1)); err != nil {
		t.Fatal(err)
	}
	if _, r := open(t, m.crash(rand.New(rand.NewSource(1)))); len(r.Records) != 2 {
		t.Errorf("%d records", len(r.Records))
	}
}

// fileOf makes a file of three batches of some records each and returns it with their ends.
func fileOf(t *testing.T, each int) (*memFS, []int64) {
	m := newMemFS()
	l, _ := open(t, m)
	var ends []int64
	for n := range 3 {
		var batch []Record
		for i := range each {
			batch = append(batch, rec(n*each+i, 40))
		}
		if err := l.Append(batch...); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, l.Size())
	}
	return m, ends
}

// startsOf are the places of a whole file's records, and its end.
func startsOf(t *testing.T, text []byte) []int {
	starts := []int{headerSize}
	for at := headerSize; at < len(text); {
		f, ok := frameAt(text, at)
		if !ok {
			t.Fatalf("no record at byte %d", at)
		}
		at = f.next
		starts = append(starts, at)
	}
	return starts
}

func TestDamageIsNamed(t *testing.T) {
	m, _ := fileOf(t, 2)
	whole := m.names["/d/ledger"].now
	starts := startsOf(t, whole)
	for n, start := range starts[:len(starts)-1] {
		for at := start; at < starts[n+1]; at++ {
			m.names["/d/ledger"].now = bytes.Clone(whole)
			m.names["/d/ledger"].now[at] ^= 0x40
			_, _, err := Open(Options{Dir: "/d", Name: "ledger", FS: m})
			if longer(starts, at) {
				if err != nil {
					t.Fatalf("byte %d flipped, by which the file seems to be too short: %v", at, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "/d/ledger") || !strings.Contains(err.Error(), fmt.Sprintf("byte %d:", start)) || !strings.Contains(err.Error(), "lost") {
				t.Fatalf("byte %d flipped: %v", at, err)
			}
		}
	}
	m.names["/d/ledger"].now = append([]byte("GARBAGE!"), whole[headerSize:]...)
	if _, _, err := Open(Options{Dir: "/d", Name: "ledger", FS: m}); err == nil || !strings.Contains(err.Error(), "no checkpoint file") {
		t.Errorf("a foreign file: %v", err)
	}
}

// longer tells whether a flipped byte has the last record reach beyond the file, as a power
// cut leaves it: it is of its length.
func longer(starts []int, at int) bool {
	last := starts[len(starts)-2]
	return at >= last && at < last+4
}

// TestSalvage (F11): each single byte is flipped in turn; the records that it does not touch
// are read, the loss is named, a copy is kept, and after a compaction all is well.
func TestSalvage(t *testing.T) {
	for each := 1; each <= 3; each++ {
		m, _ := fileOf(t, each)
		whole := m.names["/d/ledger"].now
		starts := startsOf(t, whole)
		for at := range whole {
			if at == len(magic) || at == len(magic)+1 || longer(starts, at) { // a newer format is refused by name
				continue
			}
			salvaged(t, m, starts, bytes.Clone(whole), at)
		}
	}
	m := newMemFS()
	for _, text := range [][]byte{nil, make([]byte, 500), []byte("GARBAGE!GARBAGE!GARBAGE!GARBAGE!")} {
		m.names["/d/ledger"] = &inode{now: text}
		if _, _, err := Open(Options{Dir: "/d", Name: "ledger", FS: m, Salvage: true}); err == nil || !strings.Contains(err.Error(), "/d/ledger is damaged") {
			t.Errorf("of %d bytes nothing is left: %v", len(text), err)
		}
	}
}

// salvaged opens a file of which one byte is flipped.
func salvaged(t *testing.T, m *memFS, starts []int, bad []byte, at int) {
	t.Helper()
	bad[at] ^= 0x40
	m.names["/d/ledger"].now = bytes.Clone(bad)
	o := Options{Dir: "/d", Name: "ledger", FS: m, Salvage: true}
	l, r, err := Open(o)
	if err != nil {
		t.Fatalf("byte %d flipped: %v", at, err)
	}
	var want, got []int
	lost := Damage{0, int64(headerSize)}
	for n, start := range starts[:len(starts)-1] {
		if start <= at && at < starts[n+1] {
			lost = Damage{int64(start), int64(starts[n+1] - start)}
		} else {
			want = append(want, n)
		}
	}
	for _, x := range r.Records {
		got = append(got, number(x))
	}
	if !slices.Equal(got, want) || len(r.Damaged) != 1 || r.Damaged[0] != lost || r.Torn != nil {
		t.Fatalf("byte %d flipped: records %v, want %v; %+v", at, got, want, r)
	}
	if !bytes.Equal(m.names[r.Copy].now, bad) {
		t.Fatalf("byte %d flipped: the copy %q differs", at, r.Copy)
	}
	if err := errors.Join(l.Append(rec(8, 8)), l.Compact(r.Records)); err != nil {
		t.Fatal(err)
	}
	if _, r, err = Open(o); err != nil || len(r.Records) != len(want) || r.Damaged != nil {
		t.Fatalf("after a compaction: %+v, %v", r, err)
	}
}

// A snapshot was whole before the file got its name: what of it is missing is damage,
// however much it looks as a power cut leaves an end.
func TestASnapshotIsNeverTorn(t *testing.T) {
	m := newMemFS()
	l, _ := open(t, m)
	if err := l.Compact([]Record{rec(0, 700), rec(1, 700), rec(2, 700)}); err != nil {
		t.Fatal(err)
	}
	whole := m.names["/d/ledger"].now
	behind := startsOf(t, whole)[1]
	o := Options{Dir: "/d", Name: "ledger", FS: m, Salvage: true}
	for cut := behind; cut < len(whole); cut++ {
		m.names["/d/ledger"].now = bytes.Clone(whole[:cut])
		if _, r, err := Open(o); err != nil || len(r.Damaged) != 1 || r.Damaged[0].Offset+r.Damaged[0].Bytes != int64(cut) || r.Torn != nil {
			t.Fatalf("cut at %d: %+v, %v", cut, r, err)
		}
	}
	for at := sector; at < len(whole); at += sector {
		holed := bytes.Clone(whole)
		clear(holed[at:min(at+sector, len(whole))])
		m.names["/d/ledger"].now = holed
		if _, r, err := Open(o); at > behind && (err != nil || len(r.Damaged) != 1 || r.Torn != nil) {
			t.Fatalf("without the sector at %d: %+v, %v", at, r, err)
		}
	}
}

// What was written in format 1 is read, and is of today's format from then on.
func TestFormat1(t *testing.T) {
	m, _ := fileOf(t, 1)
	m.names["/d/ledger"].now[len(magic)] = 1
	l, r := open(t, m)
	if err := l.Append(rec(3, 3), rec(4, 4)); err != nil || len(r.Records) != 3 {
		t.Fatalf("%d records, %v", len(r.Records), err)
	}
	if format := m.names["/d/ledger"].now[len(magic)]; format != fileFormat {
		t.Errorf("it says that it has format %d", format)
	}
	if _, r = open(t, m.crash(rand.New(rand.NewSource(1)))); len(r.Records) != 5 {
		t.Errorf("%d records", len(r.Records))
	}
}

func TestTornEndIsCutAndTold(t *testing.T) {
	for each := 1; each <= 3; each++ {
		m, ends := fileOf(t, each)
		whole := m.names["/d/ledger"].now
		for cut := 0; cut < len(whole); cut++ {
			m.names["/d/ledger"].now = append([]byte(nil), whole[:cut]...)
			want := 0
			for _, end := range ends {
				if int64(cut) >= end {
					want++
				}
			}
			l, r, err := Open(Options{Dir: "/d", Name: "ledger", FS: m})
			if cut < headerSize { // the file gets its name when its header is durable
				if err == nil || !strings.Contains(err.Error(), "/d/ledger is damaged") || !strings.Contains(err.Error(), "nothing of it is left") {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				continue
			}
			if err != nil || len(r.Records) != want*each {
				t.Fatalf("cut at %d: %d records, %v", cut, len(r.Records), err)
			}
			clean := cut == headerSize || want > 0 && int64(cut) == ends[want-1]
			if (r.Torn == nil) != clean {
				t.Fatalf("cut at %d: torn %+v", cut, r.Torn)
			}
			if err := l.Append(rec(7, 7)); err != nil {
				t.Fatal(err)
			}
			if _, r = open(t, m.crash(rand.New(rand.NewSource(1)))); len(r.Records) != want*each+1 || r.Torn != nil {
				t.Fatalf("cut at %d, then appended: %+v", cut, r)
			}
		}
	}
}

func TestNewerVersionsAreRefusedByName(t *testing.T) {
	m, _ := fileOf(t, 1)
	_, _, err := Open(Options{Dir: "/d", Name: "ledger", FS: m, MaxVersion: func(kind uint16) uint16 {
		if kind == 1 {
			return 0
		}
		return 9
	}})
	if sdk.CodeOf(err) != sdk.CodeUnsupported || !strings.Contains(err.Error(), "type 1") {
		t.Errorf("a newer record: %v", err)
	}
	m.names["/d/ledger"].now[len(magic)] = fileFormat + 1
	if _, _, err = Open(Options{Dir: "/d", Name: "ledger", FS: m}); sdk.CodeOf(err) != sdk.CodeUnsupported || !strings.Contains(err.Error(), "format 3") {
		t.Errorf("a newer file: %v", err)
	}
}

func TestOnTheRealDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	l, _, err := Open(Options{Dir: dir, Name: "ledger"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Append(rec(0, 10), rec(1, 10)), l.Compact([]Record{rec(2, 10)}), l.Append(rec(3, 0))); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(rec(4, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ledger.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, r, err := Open(Options{Dir: dir, Name: "ledger"})
	if err != nil || len(r.Records) != 2 || number(r.Records[0]) != 2 || number(r.Records[1]) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v", left)
	}
}

func FuzzParse(f *testing.F) {
	good := appendRecord(appendHeader(nil), rec(1, 30), 0)
	good = append(good, appendRecords(nil, []Record{rec(2, 700), rec(3, 7)}, 0)...)
	f.Add(good[:len(good)-10])
	f.Add(good)
	f.Add(good[:50])
	f.Add([]byte("PFCKPT"))
	f.Add(make([]byte, 100))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := parse("f", text, nil, true); err == nil && p.end+p.torn != int64(len(text)) {
			t.Fatalf("salvaged: end %d and torn %d of %d bytes", p.end, p.torn, len(text))
		}
		p, err := parse("f", text, nil, false)
		if err != nil {
			return
		}
		if p.end+p.torn != int64(len(text)) || p.end < 0 || p.torn < 0 {
			t.Fatalf("end %d and torn %d of %d bytes", p.end, p.torn, len(text))
		}
		// What was read is read again, and the cut file is clean.
		again, err := parse("f", text[:p.end], nil, false)
		if err != nil || len(again.records) != len(p.records) || p.end > 0 && again.torn != 0 {
			t.Fatalf("%d records, then %d, torn %d, %v", len(p.records), len(again.records), again.torn, err)
		}
	})
}
