package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/profferhq/proffer/sdk"
)

// The file is a header and records, all numbers little-endian:
//
//	header  "PFCKPT" format(2)                               8 bytes
//	record  length(4) type(2) version(2) back(4) crc(4) data 16 bytes and the data
//
// back is the distance from the record to the begin of its batch. A batch is written
// only when the one before it is durable, so a whole record tells that everything
// before its batch once stood on the disk. Its two highest bits are not of the number:
// more says that the next record was added together with this one, and of a torn batch
// those are kept that are there to the last; settled says that the record is a snapshot's,
// all of which was durable before the file got its name. The checksum (Castagnoli) is over
// all the rest, so that a record can not be read at a wrong place or with a wrong length.
// Format 1 had neither bit.
const (
	magic      = "PFCKPT"
	fileFormat = 2
	headerSize = len(magic) + 2
	frameSize  = 16
	sumAt      = 12
	moreBit    = 1 << 31
	settledBit = 1 << 30
	maxBack    = settledBit - 1 // a snapshot may be longer, and needs no more
	maxData    = 64 << 20       // a longer record is a damaged length, not a record
	sector     = 512            // what a disk writes or does not write, as a whole
)

func appendHeader(dst []byte) []byte {
	return binary.LittleEndian.AppendUint16(append(dst, magic...), fileFormat)
}

// appendRecords appends what is added together to a batch, bits is 0 or settledBit; dst
// begins where the batch begins.
func appendRecords(dst []byte, rs []Record, bits uint32) []byte {
	for i, r := range rs {
		if i == len(rs)-1 {
			dst = appendRecord(dst, r, bits)
		} else {
			dst = appendRecord(dst, r, bits|moreBit)
		}
	}
	return dst
}

func appendRecord(dst []byte, r Record, bits uint32) []byte {
	start := len(dst)
	back := uint32(min(start, maxBack)) | bits
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.Data)))
	dst = binary.LittleEndian.AppendUint16(dst, r.Type)
	dst = binary.LittleEndian.AppendUint16(dst, r.Version)
	dst = binary.LittleEndian.AppendUint32(dst, back)
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[start:start+sumAt], r.Data))
	return append(dst, r.Data...)
}

func checksum(head, data []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // the library keeps one
	return crc32.Update(crc32.Checksum(head, table), table, data)
}

// parsed is what a file's bytes say.
type parsed struct {
	format  uint16
	records []Record
	end     int64 // where the last records end that were added together and are whole
	torn    int64 // bytes behind end that were being written
	damages []Damage
}

// parse reads a whole file. A bad record in the last batch is torn when it looks as
// a power cut leaves it: the file ends there, or whole sectors are missing. That
// batch was never acknowledged, and what was added together is read as a whole or not at
// all. Every other bad record is damage, and an error that names the loss; with salvage the
// records around it are read all the same. A file without its header is damaged too: it is
// given its name only when that is durable.
func parse(file string, text []byte, maxVersion func(uint16) uint16, salvage bool) (parsed, error) {
	p := parsed{format: fileFormat}
	if len(text) < headerSize {
		return p, damaged(file, 0, fmt.Sprintf("it has %d bytes, and its header alone %d", len(text), headerSize), "nothing of it is left")
	}
	if string(text[:len(magic)]) != magic {
		if !salvage || nextRecord(text, headerSize) < 0 {
			return p, damaged(file, 0, "it is no checkpoint file", "nothing of it can be used")
		}
		p.damages = append(p.damages, Damage{Bytes: int64(headerSize)})
	} else if p.format = binary.LittleEndian.Uint16(text[len(magic):]); p.format != fileFormat && p.format != 1 {
		return p, sdk.Errorf(sdk.CodeUnsupported, "", "%s has file format %d, this program knows %d; use the newer program that wrote it", file, p.format, fileFormat)
	}
	whole, at := 0, headerSize // whole counts the records before p.end
	settled := false           // the next record was durable before the file got its name
	p.end = int64(at)
	for at < len(text) || settled {
		f, ok := frameAt(text, at)
		if !ok {
			n := lost(text, at)
			if n == 0 && !settled && !wrongAtTheEnd(text, at) {
				break
			}
			if !salvage {
				return p, damaged(file, int64(at), "the record there can not be read",
					fmt.Sprintf("it is lost, and at least %d whole records stand behind it", n))
			}
			next := nextRecord(text, at+1)
			if next < 0 {
				next, settled = len(text), false
			}
			p.damages = append(p.damages, Damage{int64(at), int64(next - at)})
			at = next
			p.end, whole = int64(at), len(p.records)
			continue
		}
		r := f.Record
		if maxVersion != nil && r.Version > maxVersion(r.Type) {
			return p, sdk.Errorf(sdk.CodeUnsupported, "", "%s: the record of type %d at byte %d has version %d, this program knows %d; use the newer program that wrote it", file, r.Type, at, r.Version, maxVersion(r.Type))
		}
		p.records = append(p.records, r)
		at, settled = f.next, f.settled && f.more
		if !f.more || f.settled {
			p.end, whole = int64(at), len(p.records)
		}
	}
	p.records, p.torn = p.records[:whole], int64(len(text))-p.end
	return p, nil
}

// frame is a record where it stands in a file.
type frame struct {
	Record
	batch, next   int // where its batch begins, and where it ends itself
	more, settled bool
}

// frameAt reads the record that begins at byte at. Its data is a part of text.
func frameAt(text []byte, at int) (f frame, ok bool) {
	if len(text)-at < frameSize {
		return f, false
	}
	head := text[at : at+frameSize]
	length := int(binary.LittleEndian.Uint32(head))
	if length > maxData || length > len(text)-at-frameSize {
		return f, false
	}
	f.next = at + frameSize + length
	f.Data = text[at+frameSize : f.next : f.next]
	if checksum(head[:sumAt], f.Data) != binary.LittleEndian.Uint32(head[sumAt:]) {
		return f, false
	}
	f.Type, f.Version = binary.LittleEndian.Uint16(head[4:]), binary.LittleEndian.Uint16(head[6:])
	back := binary.LittleEndian.Uint32(head[8:])
	f.batch, f.more, f.settled = at-int(back&maxBack), back&moreBit != 0, back&settledBit != 0
	return f, true
}

// nextRecord is where the first whole record from byte at on begins; -1 for none.
func nextRecord(text []byte, at int) int {
	for ; at+frameSize <= len(text); at++ {
		if _, ok := frameAt(text, at); ok {
			return at
		}
	}
	return -1
}

// lost judges the bad record at byte bad: it returns how many whole records stand
// behind it (counting stops early) when the bad one had been durable, and 0 when it
// is the torn end of a batch that was never acknowledged.
func lost(text []byte, bad int) int {
	count := 0
	for at := bad + 1; at+frameSize <= len(text) && count < 1000; {
		f, ok := frameAt(text, at)
		if !ok {
			at++
			continue
		}
		count++
		if f.batch > bad || count == 1 && !missesSector(text[bad:at]) {
			// Either a later batch says that this one was durable, or in the last
			// batch the bytes are wrong rather than missing.
			return count
		}
		at = f.next
	}
	return 0
}

// wrongAtTheEnd says of a bad record, behind which no other is, that a power cut does not
// leave it so: as long as it says it is there, and every sector from there on was written.
func wrongAtTheEnd(text []byte, bad int) bool {
	rest := len(text) - bad - frameSize
	if rest < 0 || int64(binary.LittleEndian.Uint32(text[bad:])) > int64(min(rest, maxData)) {
		return false
	}
	for at := bad; at < len(text); {
		end := min((at/sector+1)*sector, len(text))
		if len(bytes.Trim(text[at:end], "\x00")) == 0 {
			return false // it was not, or holds nothing but zeros
		}
		at = end
	}
	return true
}

// missesSector says whether a part of the bytes could be a sector that was never
// written: half a sector of zeros in a row, because bad bytes need not begin at one.
func missesSector(b []byte) bool { return bytes.Contains(b, make([]byte, sector/2)) }

func damaged(file string, offset int64, what, loss string) error {
	return sdk.Errorf(sdk.CodeInternal, "", "checkpoint file %s is damaged at byte %d: %s; %s. Move the file away to start without it", file, offset, what, loss)
}
